//! A journal that keeps no bytes and a projection that keeps no rows, so that what is measured is the engine.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use onsale_domain::{EventId, Route, Sequence, UnixMillis};
use onsale_engine::port::{
    Acquired, Appended, Chain, Epoch, Journal, JournalEntry, JournalError, JournalWriter, ProjectionError,
    ProjectionSink, Snapshot,
};

/// Knows of each event only its epoch and its last sequence.
#[derive(Clone, Default)]
pub struct Forgetful(Arc<Mutex<HashMap<EventId, (Epoch, Sequence)>>>);

impl Journal for Forgetful {
    fn name(&self) -> &'static str {
        "forgetful"
    }

    fn lanes(&self) -> usize {
        2
    }

    fn writer(&self) -> BoxFuture<'_, Result<Box<dyn JournalWriter>, JournalError>> {
        let writer: Box<dyn JournalWriter> = Box::new(self.clone());
        ready(Ok(writer)).boxed()
    }

    fn create(&self, event_id: EventId) -> BoxFuture<'_, Result<Acquired, JournalError>> {
        self.0.lock().unwrap().insert(event_id, (Epoch(1), 0));
        ready(Ok(Acquired { epoch: Epoch(1) })).boxed()
    }

    fn acquire(&self, _: EventId) -> BoxFuture<'_, Result<Acquired, JournalError>> {
        ready(Err(JournalError::NotFound)).boxed()
    }

    fn resolve(&self, _: Route) -> BoxFuture<'_, Result<Option<EventId>, JournalError>> {
        ready(Ok(None)).boxed()
    }

    /// One entry without its records, which is all that a projector needs that only counts.
    fn read(
        &self,
        event_id: EventId,
        after: Sequence,
        _: usize,
    ) -> BoxFuture<'_, Result<Vec<JournalEntry>, JournalError>> {
        let (epoch, last_seq) = self.0.lock().unwrap()[&event_id];
        let entry = (last_seq > after).then(|| JournalEntry {
            event_id,
            epoch,
            first_seq: after + 1,
            last_seq,
            chain: Chain::default(),
            payload: bytes::Bytes::new(),
        });
        ready(Ok(entry.into_iter().collect())).boxed()
    }

    fn heads(&self) -> BoxFuture<'_, Result<Vec<(EventId, Sequence)>, JournalError>> {
        ready(Ok(Vec::new())).boxed()
    }

    fn load_snapshot(&self, _: EventId) -> BoxFuture<'_, Result<Option<Snapshot>, JournalError>> {
        ready(Ok(None)).boxed()
    }

    fn save_snapshot(&self, _: Snapshot) -> BoxFuture<'_, Result<(), JournalError>> {
        ready(Ok(())).boxed()
    }
}

impl JournalWriter for Forgetful {
    fn append<'a>(
        &'a mut self,
        entries: &'a [JournalEntry],
    ) -> BoxFuture<'a, Result<Appended, JournalError>> {
        let mut events = self.0.lock().unwrap();
        for entry in entries {
            events.get_mut(&entry.event_id).unwrap().1 = entry.last_seq;
        }
        ready(Ok(Appended::default())).boxed()
    }
}

/// Counts what is projected. Nothing is ever due.
#[derive(Clone, Default)]
pub struct Watermarks(Arc<Mutex<HashMap<EventId, Sequence>>>);

impl Watermarks {
    /// Everything up to here is projected.
    pub fn at(heads: Vec<(EventId, Sequence)>) -> Self {
        Self(Arc::new(Mutex::new(heads.into_iter().collect())))
    }
}

impl ProjectionSink for Watermarks {
    fn project<'a>(&'a self, entries: &'a [JournalEntry]) -> BoxFuture<'a, Result<(), ProjectionError>> {
        let mut watermarks = self.0.lock().unwrap();
        for entry in entries {
            watermarks.insert(entry.event_id, entry.last_seq);
        }
        ready(Ok(())).boxed()
    }

    fn watermarks<'a>(
        &'a self,
        event_ids: &'a [EventId],
    ) -> BoxFuture<'a, Result<Vec<(EventId, Sequence)>, ProjectionError>> {
        let watermarks = self.0.lock().unwrap();
        let known = event_ids
            .iter()
            .filter_map(|id| Some((*id, *watermarks.get(id)?)));
        ready(Ok(known.collect())).boxed()
    }

    fn events_due(&self, _: UnixMillis) -> BoxFuture<'_, Result<Vec<EventId>, ProjectionError>> {
        ready(Ok(Vec::new())).boxed()
    }
}
