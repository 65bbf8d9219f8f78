//! Processes of one deployment on one journal in memory: who owns what, and how each is asked.

#![allow(unreachable_pub, reason = "test code")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use onsale_domain::{EventId, Route, Sequence};
use onsale_engine::port::{
    Acquired, Journal, JournalEntry, JournalError, JournalWriter, Owner, PeerAnswer, PeerError, PeerQuestion,
    Peers, Snapshot,
};
use onsale_engine::{Engine, EngineError};

use crate::support::MemoryJournal;

/// Who is alive, who owns what, and how each is asked: what the processes of a deployment share.
#[derive(Clone, Default)]
pub struct Deployment {
    pub owners: Arc<Mutex<BTreeMap<EventId, String>>>,
    /// Whose lease has not lapsed.
    pub alive: Arc<Mutex<BTreeSet<String>>>,
    pub engines: Arc<Mutex<BTreeMap<String, Engine>>>,
    /// Whose answers get lost.
    pub mute: Arc<Mutex<BTreeSet<String>>>,
    /// Questions by whom they went to.
    pub asked: Arc<Mutex<BTreeMap<String, u32>>>,
    pub acquired: Arc<AtomicU32>,
}

impl Deployment {
    fn owner_beside(&self, event_id: EventId, name: &str) -> Option<Owner> {
        let owner = self.owners.lock().unwrap().get(&event_id)?.clone();
        let lives = owner != name && self.alive.lock().unwrap().contains(&owner);
        lives.then(|| Owner {
            name: format!("node {owner}"),
            address: Some(owner),
        })
    }

    pub fn asked(&self, name: &str) -> u32 {
        self.asked.lock().unwrap().get(name).copied().unwrap_or(0)
    }

    /// Cannot be reached any more; its lease goes on.
    pub fn crash(&self, name: &str) {
        self.engines.lock().unwrap().remove(name);
    }

    pub fn lease_lapses(&self, name: &str) {
        self.alive.lock().unwrap().remove(name);
    }
}

impl Peers for Deployment {
    fn ask<'a>(
        &'a self,
        address: &'a str,
        event_id: EventId,
        question: &'a PeerQuestion,
        _patience: Duration,
    ) -> BoxFuture<'a, Result<Result<PeerAnswer, EngineError>, PeerError>> {
        async move {
            *self.asked.lock().unwrap().entry(address.to_owned()).or_default() += 1;
            let engine = self.engines.lock().unwrap().get(address).cloned();
            let engine = engine.ok_or_else(|| PeerError::NotReached("nobody there".to_owned()))?;
            let answer = engine.answer_peer(event_id, question.clone()).await;
            if self.mute.lock().unwrap().contains(address) {
                return Err(PeerError::Lost);
            }
            Ok(answer)
        }
        .boxed()
    }
}

/// The journal as one of the processes sees it: it acquires nothing that a living one owns.
pub struct Leased {
    pub journal: MemoryJournal,
    pub deployment: Deployment,
    pub name: String,
}

impl Journal for Leased {
    fn name(&self) -> &'static str {
        "leased"
    }

    fn lanes(&self) -> usize {
        self.journal.lanes()
    }

    fn writer(&self) -> BoxFuture<'_, Result<Box<dyn JournalWriter>, JournalError>> {
        self.journal.writer()
    }

    fn create(&self, event_id: EventId) -> BoxFuture<'_, Result<Acquired, JournalError>> {
        async move {
            let acquired = self.journal.create(event_id).await?;
            let mut owners = self.deployment.owners.lock().unwrap();
            owners.insert(event_id, self.name.clone());
            Ok(acquired)
        }
        .boxed()
    }

    fn acquire(&self, event_id: EventId) -> BoxFuture<'_, Result<Acquired, JournalError>> {
        async move {
            self.deployment.acquired.fetch_add(1, Ordering::Relaxed);
            if let Some(owner) = self.deployment.owner_beside(event_id, &self.name) {
                return Err(JournalError::OwnedElsewhere { owner });
            }
            let acquired = self.journal.acquire(event_id).await?;
            let mut owners = self.deployment.owners.lock().unwrap();
            owners.insert(event_id, self.name.clone());
            Ok(acquired)
        }
        .boxed()
    }

    fn other_owner(&self, event_id: EventId) -> BoxFuture<'_, Result<Option<Owner>, JournalError>> {
        async move { Ok(self.deployment.owner_beside(event_id, &self.name)) }.boxed()
    }

    fn resolve(&self, route: Route) -> BoxFuture<'_, Result<Option<EventId>, JournalError>> {
        self.journal.resolve(route)
    }

    fn read(
        &self,
        event_id: EventId,
        after: Sequence,
        entries_max: usize,
    ) -> BoxFuture<'_, Result<Vec<JournalEntry>, JournalError>> {
        self.journal.read(event_id, after, entries_max)
    }

    /// What others left unprojected is theirs.
    fn heads(&self) -> BoxFuture<'_, Result<Vec<(EventId, Sequence)>, JournalError>> {
        async { Ok(vec![]) }.boxed()
    }

    fn load_snapshot(&self, event_id: EventId) -> BoxFuture<'_, Result<Option<Snapshot>, JournalError>> {
        self.journal.load_snapshot(event_id)
    }

    fn save_snapshot(&self, snapshot: Snapshot) -> BoxFuture<'_, Result<(), JournalError>> {
        self.journal.save_snapshot(snapshot)
    }
}
