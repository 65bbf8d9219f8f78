//! The registry: which events are in memory, how they get there, and what happens when their actors end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use onsale_domain::{EventId, Inventory, Route, Sequence};
use ractor::{Actor, ActorId, ActorRef};
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::actor::{EventActor, Start};
use crate::at_hand::carried;
use crate::cell::EventCell;
use crate::config::{EngineConfig, LOAD_WAITERS_MAX, LOADS_MAX};
use crate::elsewhere::Elsewhere;
use crate::error::EngineError;
use crate::lane::LaneMessage;
use crate::metrics::Metrics;
use crate::port::clock::Stopwatch;
use crate::port::{Acquired, Chain, Clock, Journal, JournalError, Peers, ProjectionSink};
use crate::replay::{ReplayError, replay};
use crate::slot::{Ending, Running, Slot};
use crate::supervisor::SupervisorMessage;
use crate::write_behind::WriteBehind;

/// Shortest and longest pause before an event that must be loaded is tried again.
const LOAD_RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Everything that the engine's tasks share.
pub(crate) struct Shared {
    pub(crate) config: EngineConfig,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) sink: Arc<dyn ProjectionSink>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Who asks the owners of other events; `None` where nobody is asked.
    pub(crate) peers: Option<Arc<dyn Peers>>,
    pub(crate) elsewhere: Elsewhere,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) lanes: Vec<mpsc::Sender<LaneMessage>>,
    pub(crate) write_behind: Arc<WriteBehind>,
    pub(crate) supervisor: ActorRef<SupervisorMessage>,
    snapshots: mpsc::Sender<EventId>,
    pub(crate) slots: RwLock<HashMap<EventId, Arc<Slot>, foldhash::fast::FixedState>>,
    routes: RwLock<HashMap<Route, EventId>>,
    by_actor: Mutex<HashMap<ActorId, EventId>>,
    loads: Semaphore,
    /// Requests that wait for a load.
    waiting: Arc<Semaphore>,
}

/// The parts that [`Shared`] is made of.
pub(crate) struct Parts {
    pub(crate) config: EngineConfig,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) sink: Arc<dyn ProjectionSink>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) peers: Option<Arc<dyn Peers>>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) lanes: Vec<mpsc::Sender<LaneMessage>>,
    pub(crate) write_behind: Arc<WriteBehind>,
    pub(crate) supervisor: ActorRef<SupervisorMessage>,
    pub(crate) snapshots: mpsc::Sender<EventId>,
}

impl Shared {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            config: parts.config,
            journal: parts.journal,
            sink: parts.sink,
            clock: parts.clock,
            peers: parts.peers,
            elsewhere: Elsewhere::default(),
            metrics: parts.metrics,
            lanes: parts.lanes,
            write_behind: parts.write_behind,
            supervisor: parts.supervisor,
            snapshots: parts.snapshots,
            slots: RwLock::default(),
            routes: RwLock::default(),
            by_actor: Mutex::default(),
            loads: Semaphore::new(LOADS_MAX),
            waiting: Arc::new(Semaphore::new(LOAD_WAITERS_MAX)),
        }
    }

    /// The event in memory, if it is there and may be used.
    pub(crate) fn present(&self, event_id: EventId) -> Option<Arc<Running>> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let running = slots.get(&event_id)?.current.load_full()?;
        running.cell.is_usable().then_some(running)
    }

    /// The event, loaded on first use. A caller that goes away does not stop the load.
    pub(crate) async fn running(self: &Arc<Self>, event_id: EventId) -> Result<Arc<Running>, EngineError> {
        if let Some(running) = self.present(event_id) {
            return Ok(running);
        }
        if let Some(owner) = self.elsewhere.owner(event_id, self.clock.now()) {
            return Err(EngineError::OwnedElsewhere { owner });
        }
        let place = Arc::clone(&self.waiting).try_acquire_owned();
        let place = place.map_err(|_| EngineError::Overloaded { reason: "loading" })?;
        let shared = Arc::clone(self);
        let load = tokio::spawn(carried(async move {
            let _place = place;
            shared.load(event_id).await
        }));
        let patience = Duration::from_millis(self.config.decision_deadline_ms.unsigned_abs());
        match tokio::time::timeout(patience, load).await {
            Ok(Ok(result)) => result,
            Ok(Err(error)) => Err(EngineError::Unavailable {
                reason: format!("loading the event failed: {error}"),
            }),
            Err(_) => Err(EngineError::Unavailable {
                reason: "loading the event takes long".to_owned(),
            }),
        }
    }

    /// Starts the actor of an event that was just registered, before its first record.
    pub(crate) async fn start_new(
        self: &Arc<Self>,
        event_id: EventId,
        acquired: Acquired,
    ) -> Result<Arc<Running>, EngineError> {
        let slot = self.slot(event_id);
        let mut loaded_before = slot.loading.lock().await;
        *loaded_before = true;
        self.start(&slot, event_id, acquired, Inventory::default(), Chain::default())
            .await
    }

    /// The event of a route.
    pub(crate) async fn resolve(&self, route: Route) -> Result<EventId, EngineError> {
        let known = self
            .routes
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&route)
            .copied();
        if let Some(event_id) = known {
            return Ok(event_id);
        }
        let event_id = self.journal.resolve(route).await?.ok_or(EngineError::NotFound)?;
        self.learn_route(event_id);
        Ok(event_id)
    }

    /// All events in memory.
    pub(crate) fn all_present(&self) -> Vec<Arc<Running>> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        slots
            .values()
            .filter_map(|slot| slot.current.load_full())
            .collect()
    }

    /// Called by the supervisor when an event's actor has ended.
    ///
    /// A crashed event is read back at once and not on first use: its live holds must end in time.
    pub(crate) fn on_actor_ended(self: &Arc<Self>, actor_id: ActorId, ending: &Ending) {
        let event_id = self
            .by_actor
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&actor_id);
        let Some(event_id) = event_id else { return };
        let slot = self
            .slots
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&event_id)
            .cloned();
        let Some(slot) = slot else { return };
        let Some(running) = slot
            .current
            .load_full()
            .filter(|running| running.actor.get_id() == actor_id)
        else {
            return;
        };
        match ending {
            Ending::Crashed(reason) => {
                self.metrics.restarts.increment(1);
                let seq = running.cell.committed_seq() + 1;
                let count = slot.note_crash(seq, reason);
                tracing::error!(%event_id, seq, count, reason, "event actor crashed; it will be read back from the journal");
            }
            // The event will be read back one day: make that short.
            Ending::Passivated => drop(self.snapshots.try_send(event_id)),
            Ending::Replaced => {}
        }
        running.cell.inbox.close();
        slot.current.compare_and_swap(&Some(Arc::clone(&running)), None);
        if let Ending::Crashed(_) = ending {
            tokio::spawn(Arc::clone(self).load_patiently(event_id));
        }
    }

    /// Loads an event that has something to do whether anybody asks or not, trying again while storage is away.
    pub(crate) async fn load_patiently(self: Arc<Self>, event_id: EventId) {
        let mut pause = LOAD_RETRY.0;
        loop {
            match self.running(event_id).await {
                Err(EngineError::Unavailable { reason }) => {
                    tracing::warn!(%event_id, reason, "could not load an event; will try again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LOAD_RETRY.1);
                }
                Err(EngineError::Overloaded { .. }) => tokio::time::sleep(pause).await,
                Ok(_) | Err(_) => return,
            }
        }
    }

    /// How many events are paused because they cannot be read back.
    pub(crate) fn quarantined(&self) -> usize {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        slots.values().filter(|slot| slot.is_quarantined()).count()
    }

    /// Lets a quarantined event be loaded again.
    pub(crate) fn clear_quarantine(&self, event_id: EventId) {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(&event_id) {
            slot.forget_crashes();
        }
    }

    async fn load(self: Arc<Self>, event_id: EventId) -> Result<Arc<Running>, EngineError> {
        let slot = self.slot(event_id);
        let mut loaded_before = slot.loading.lock().await;
        if let Some(running) = slot.current.load_full() {
            if running.cell.is_usable() {
                return Ok(running);
            }
            if running.cell.is_fenced() {
                running.actor.stop(Some("fenced".to_owned()));
            }
            // The supervisor may hear of it a moment later than we do.
            let _ = running.actor.wait(None).await;
            self.on_actor_ended(running.actor.get_id(), &Ending::Replaced);
        }
        // Whoever had the slot before may have learned it.
        if let Some(owner) = self.elsewhere.owner(event_id, self.clock.now()) {
            return Err(EngineError::OwnedElsewhere { owner });
        }
        slot.check_quarantine()?;
        let _turn = self
            .loads
            .acquire()
            .await
            .map_err(|_| EngineError::ShuttingDown)?;
        if *loaded_before {
            // What an earlier incarnation decided is committed under its own epoch before that is raised.
            self.flush(self.lane_of(event_id)).await?;
        }
        let stopwatch = Stopwatch::start();
        let result = self.read_back(&slot, event_id, &mut loaded_before).await;
        self.metrics.load.record(stopwatch.seconds());
        match &result {
            Ok(_) => self.elsewhere.has_come(event_id),
            // One that answers nobody is not asked either: the journal says when it has gone.
            Err(EngineError::OwnedElsewhere { owner }) if self.peers.is_some() && owner.address.is_some() => {
                self.elsewhere.remember(event_id, owner, self.clock.now());
            }
            Err(EngineError::NotFound) => {
                self.slots
                    .write()
                    .unwrap_or_else(PoisonError::into_inner)
                    .remove(&event_id);
            }
            Err(_) => {}
        }
        result
    }

    async fn read_back(
        self: &Arc<Self>,
        slot: &Slot,
        event_id: EventId,
        loaded_before: &mut bool,
    ) -> Result<Arc<Running>, EngineError> {
        let acquired = self.journal.acquire(event_id).await?;
        let replayer = match replay(&*self.journal, event_id).await {
            Ok(replayer) => replayer,
            Err(ReplayError::Damaged(damage)) => {
                tracing::error!(%event_id, seq = damage.seq, %damage, "the event's journal is damaged");
                crate::metrics::violated(damage.invariant);
                return Err(slot.quarantine(damage.seq, damage.to_string()));
            }
            Err(ReplayError::Journal(JournalError::Damaged(reason))) => {
                return Err(slot.quarantine(0, reason));
            }
            Err(ReplayError::Journal(error)) => return Err(error.into()),
        };
        let (inventory, chain) = replayer.into_parts();
        match self.note_unprojected(event_id, inventory.seq()).await {
            Ok(()) => {}
            // With the database away, what this process committed is noted already.
            Err(error) if *loaded_before => {
                tracing::warn!(%event_id, %error, "could not compare the watermark with the journal");
            }
            Err(error) => return Err(error),
        }
        *loaded_before = true;
        self.start(slot, event_id, acquired, inventory, chain).await
    }

    /// An earlier owner may have left committed records that it did not project.
    async fn note_unprojected(&self, event_id: EventId, committed: Sequence) -> Result<(), EngineError> {
        let watermarks = self.sink.watermarks(&[event_id]).await;
        let watermarks = watermarks.map_err(|error| EngineError::Unavailable {
            reason: error.to_string(),
        })?;
        let projected = watermarks.first().map_or(0, |(_, seq)| *seq);
        if projected < committed {
            self.write_behind.note_behind(event_id, projected, committed);
        }
        Ok(())
    }

    async fn start(
        self: &Arc<Self>,
        slot: &Slot,
        event_id: EventId,
        acquired: Acquired,
        inventory: Inventory,
        chain: Chain,
    ) -> Result<Arc<Running>, EngineError> {
        let lane = self.lane_of(event_id);
        let cell = Arc::new(EventCell::new(acquired.epoch, event_id, &inventory, chain));
        cell.mark_used(self.clock.now().0);
        let start = Start {
            inventory,
            cell: Arc::clone(&cell),
            lane: self.lanes[lane].clone(),
            clock: Arc::clone(&self.clock),
            metrics: Arc::clone(&self.metrics),
        };
        let (actor, _) = Actor::spawn_linked(None, EventActor, start, self.supervisor.get_cell())
            .await
            .map_err(|error| EngineError::Unavailable {
                reason: error.to_string(),
            })?;
        let running = Arc::new(Running { actor, cell });
        self.by_actor
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(running.actor.get_id(), event_id);
        slot.current.store(Some(Arc::clone(&running)));
        self.learn_route(event_id);
        Ok(running)
    }

    /// Waits until everything that was sent to a lane before is committed.
    pub(crate) async fn flush(&self, lane: usize) -> Result<(), EngineError> {
        let (done, flushed) = oneshot::channel();
        self.lanes[lane]
            .send(LaneMessage::Flush(done))
            .await
            .map_err(|_| EngineError::ShuttingDown)?;
        flushed.await.map_err(|_| EngineError::ShuttingDown)
    }

    fn slot(&self, event_id: EventId) -> Arc<Slot> {
        Arc::clone(
            self.slots
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(event_id)
                .or_default(),
        )
    }

    fn learn_route(&self, event_id: EventId) {
        self.routes
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(event_id.route(), event_id);
    }

    fn lane_of(&self, event_id: EventId) -> usize {
        usize::try_from(event_id.route().0).unwrap_or(0) % self.lanes.len()
    }
}
