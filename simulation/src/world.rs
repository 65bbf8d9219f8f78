//! The scheduler: one step at a time, chosen by the seed.

use onsale_domain::{Command, UnixMillis};

use crate::audit::Auditor;
use crate::client::{Clients, Sent};
use crate::disk::Disk;
use crate::event::{START, event_id, quota, set_quota, setup};
use crate::fault::{Broken, Bug, Fault, Report};
use crate::owner::{Owner, Sending};
use crate::projection::Projection;
use crate::rng::Rng;

/// Processes that may believe at the same time that they own the event.
const OWNERS_MAX: usize = 3;

pub(crate) struct World {
    pub(super) rng: Rng,
    pub(super) disk: Disk,
    /// Live processes; the last one is the newest owner.
    pub(super) owners: Vec<Owner>,
    pub(super) clients: Clients,
    pub(super) auditor: Auditor,
    pub(super) projection: Projection,
    pub(super) report: Report,
    pub(super) bug: Option<Bug>,
    now: i64,
    processes: usize,
    /// Nothing goes wrong any more.
    is_calm: bool,
}

impl World {
    /// An event on sale, its records durable.
    pub(crate) fn new(seed: u64, bug: Option<Bug>) -> Result<Self, Broken> {
        let mut world = Self {
            rng: Rng::new(seed),
            disk: Disk::new(event_id(), bug),
            owners: Vec::new(),
            clients: Clients::default(),
            auditor: Auditor::default(),
            projection: Projection::default(),
            report: Report::default(),
            bug,
            now: START,
            processes: 0,
            is_calm: true,
        };
        world.acquire()?;
        let now = world.now();
        for command in setup() {
            if let Some(owner) = world.owners.last_mut() {
                owner.decide(&command, now, None)?;
            }
        }
        world.work_off()?;
        world.is_calm = false;
        Ok(world)
    }

    pub(crate) const fn now(&self) -> UnixMillis {
        UnixMillis(self.now)
    }

    /// Whether a fault fires now.
    pub(super) fn fires(&mut self, fault: Fault, once_in: usize) -> bool {
        let fires = self.may_fire(once_in);
        if fires {
            self.report.fired(fault);
        }
        fires
    }

    /// Whether a fault may fire now, where it depends on more than chance.
    pub(super) fn may_fire(&mut self, once_in: usize) -> bool {
        !self.is_calm && self.rng.once_in(once_in)
    }

    /// One step of the run.
    pub(crate) fn step(&mut self) -> Result<(), Broken> {
        self.now += i64::try_from(self.rng.below(1_000)).unwrap_or(0);
        if self.rng.once_in(60) {
            self.now += 45_000;
        }
        // Longer than a payment may take.
        if self.rng.once_in(150) {
            self.now += 16 * 60_000;
        }
        let acquire = if self.owners.is_empty() { 60 } else { 3 };
        match self.rng.weighted(&[40, 45, 6, 4, 6, acquire, 1, 2]) {
            0 => self.send()?,
            1 => {
                let index = self.rng.below(self.owners.len());
                self.commit(index)?;
            }
            2 => self.decide_at_random(&Command::Advance)?,
            3 => self.snapshot()?,
            4 => self.project()?,
            5 => self.acquire()?,
            6 => self.lose_power()?,
            _ => self.resize()?,
        }
        self.auditor.read(&self.disk)
    }

    fn send(&mut self) -> Result<(), Broken> {
        if self.owners.is_empty() {
            return Ok(());
        }
        let (request, sent) = self.clients.next(&mut self.rng);
        match sent {
            Sent::First | Sent::Again => {}
            Sent::Concurrent => self.report.fired(Fault::ConcurrentRepeat),
            Sent::Late => self.report.fired(Fault::LateRepeat),
        }
        // Most requests find the newest owner; some are still routed to one that was superseded.
        let newest = self.owners.len() - 1;
        let index = if self.rng.once_in(4) {
            self.rng.below(newest + 1)
        } else {
            newest
        };
        self.send_to(index, request)
    }

    pub(super) fn send_to(&mut self, index: usize, request: usize) -> Result<(), Broken> {
        let floor = self.auditor.highest_acknowledged();
        let command = self.clients.send(request);
        let now = self.now();
        if let Some(owner) = self.owners.get_mut(index) {
            owner.decide(&command, now, Some(Sending { request, floor }))?;
        }
        self.answer(index)
    }

    fn decide_at_random(&mut self, command: &Command) -> Result<(), Broken> {
        let index = self.rng.below(self.owners.len());
        let now = self.now();
        match self.owners.get_mut(index) {
            Some(owner) => owner.decide(command, now, None),
            None => Ok(()),
        }
    }

    /// Staff cut and raise a capacity while the event sells.
    fn resize(&mut self) -> Result<(), Broken> {
        let number = u128::from(self.rng.once_in(2));
        let capacity = u32::try_from(4 + self.rng.below(24)).unwrap_or(4);
        let Some(owner) = self.owners.last() else {
            return Ok(());
        };
        let version = owner
            .inventory
            .definition()
            .map_or(0, |definition| definition.version);
        self.decide_at_random(&set_quota(quota(number, capacity), version))
    }

    fn snapshot(&mut self) -> Result<(), Broken> {
        let index = self.rng.below(self.owners.len());
        let Some(owner) = self.owners.get(index) else {
            return Ok(());
        };
        if !owner.is_settled() && self.bug != Some(Bug::SnapshotUncommitted) {
            return Ok(());
        }
        let snapshot = owner.snapshot(event_id())?;
        if !self.fires(Fault::SnapshotKilled, 6) {
            self.disk.keep_snapshot(snapshot);
        }
        Ok(())
    }

    /// A new process takes the event, whether or not its owner lives.
    pub(super) fn acquire(&mut self) -> Result<(), Broken> {
        if !self.owners.is_empty() {
            self.report.fired(Fault::Superseded);
        }
        if self.owners.len() >= OWNERS_MAX {
            self.kill(0);
        }
        let epoch = self.disk.acquire();
        self.auditor.read(&self.disk)?;
        self.processes += 1;
        if self.fires(Fault::RecoveryKilled, 8) {
            return Ok(());
        }
        let owner = Owner::recover(self.processes, epoch, &self.disk, self.bug)?;
        if owner.inventory != self.auditor.inventory {
            let (found, durable) = (owner.inventory.seq(), self.auditor.inventory.seq());
            let detail = format!("recovered another state at {found} than the journal's at {durable}");
            return Err(Broken::new("I6", detail));
        }
        self.report.recoveries += 1;
        self.report.from_snapshot += u32::from(self.disk.snapshot().is_some());
        self.owners.push(owner);
        Ok(())
    }

    /// A process dies: what it decided and did not commit is gone, and nobody was told.
    pub(super) fn kill(&mut self, index: usize) {
        let owner = self.owners.remove(index);
        for sending in owner.waiting.iter().filter_map(|waiting| waiting.sending) {
            self.clients.lose(sending.request);
        }
        // A file keeps what a dead process wrote; a transaction without a commit is undone.
        if let Some(batch) = owner.batch
            && self.rng.once_in(2)
        {
            self.disk.undo(&batch.entry);
        }
    }

    fn lose_power(&mut self) -> Result<(), Broken> {
        if self.is_calm {
            return Ok(());
        }
        self.report.fired(Fault::PowerLost);
        while !self.owners.is_empty() {
            let owner = self.owners.remove(0);
            for sending in owner.waiting.iter().filter_map(|waiting| waiting.sending) {
                self.clients.lose(sending.request);
            }
        }
        let lost = self.disk.lose_power(&mut self.rng);
        if lost.whole_entries {
            self.report.fired(Fault::TailLost);
        }
        if lost.torn {
            self.report.fired(Fault::TailTorn);
        }
        self.auditor.read(&self.disk)?;
        self.auditor.check_acknowledged()
    }

    pub(super) fn project(&mut self) -> Result<(), Broken> {
        let (from, durable) = (self.projection.watermark(), self.auditor.inventory.seq());
        let mut entries = self.disk.entries();
        entries.retain(|entry| entry.first_seq > from && entry.last_seq <= durable);
        entries.truncate(1 + self.rng.below(4));
        if entries.is_empty() || self.fires(Fault::ProjectionKilled, 8) {
            return Ok(());
        }
        self.projection.project(&entries, self.bug)?;
        if self.fires(Fault::ProjectionAnswerLost, 6) {
            self.projection.project(&entries, self.bug)?;
        }
        self.projection.check(&self.auditor.journal)
    }

    /// Faults stop: one owner serves, and everything must come to its end (liveness).
    pub(crate) fn calm_down(&mut self) -> Result<(), Broken> {
        self.is_calm = true;
        while !self.owners.is_empty() {
            self.kill(0);
        }
        self.acquire()?;
        for _ in 0..3 {
            self.clients.one_more(&mut self.rng);
        }
        for request in self.clients.open() {
            self.send_to(0, request)?;
            if self.rng.once_in(3) {
                self.work_off()?;
            }
        }
        self.work_off()?;
        let open = self.clients.open().len();
        if open > 0 {
            return Err(Broken::new(
                "liveness",
                format!("{open} requests were never answered"),
            ));
        }
        self.end_holds()?;
        self.finish()
    }

    /// Every hold ends once its time has come (I10).
    fn end_holds(&mut self) -> Result<(), Broken> {
        self.now += 3_600_000;
        self.decide_at_random(&Command::Advance)?;
        self.work_off()?;
        match self.auditor.inventory.live_holds() {
            0 => Ok(()),
            live => Err(Broken::new(
                "I10",
                format!("{live} holds outlived their deadline"),
            )),
        }
    }

    /// Commits until nothing is left to commit.
    fn work_off(&mut self) -> Result<(), Broken> {
        for _ in 0..8 {
            self.commit(0)?;
        }
        match self.owners.first() {
            Some(owner) if owner.is_settled() => self.auditor.read(&self.disk),
            Some(_) | None => Err(Broken::new("liveness", "the owner cannot commit")),
        }
    }

    fn finish(&mut self) -> Result<(), Broken> {
        let durable = self.auditor.inventory.seq();
        for _ in 0..=durable {
            self.project()?;
        }
        if self.projection.watermark() != durable {
            return Err(Broken::new("liveness", "the projection does not catch up"));
        }
        self.auditor.check_acknowledged()?;
        self.report.records = durable;
        for record in &self.auditor.journal {
            self.report.count(record);
        }
        Ok(())
    }
}
