//! Where each event of the journal ends, in memory: the thread that writes keeps it, others read it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use onsale_domain::{EventId, Route, Sequence};
use onsale_engine::port::Epoch;

/// The end of one event's journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Key of the event within the file.
    pub(super) event_no: i64,
    /// Epoch under which entries are taken.
    pub(super) epoch: Epoch,
    /// Sequence of the last durable record.
    pub(super) last_seq: Sequence,
    /// Whether this process has checked in Postgres that the event is pinned here.
    pub(super) acquired: bool,
}

#[derive(Debug, Default)]
struct Table {
    heads: HashMap<EventId, Head>,
    routes: HashMap<Route, EventId>,
}

/// All heads.
#[derive(Debug, Default)]
pub(super) struct Heads {
    table: Mutex<Table>,
}

impl Heads {
    pub(super) fn get(&self, event_id: EventId) -> Option<Head> {
        self.table().heads.get(&event_id).copied()
    }

    pub(super) fn set(&self, event_id: EventId, head: Head) {
        let mut table = self.table();
        table.heads.insert(event_id, head);
        table.routes.insert(event_id.route(), event_id);
    }

    pub(super) fn event_of_route(&self, route: Route) -> Option<EventId> {
        self.table().routes.get(&route).copied()
    }

    pub(super) fn last_seqs(&self) -> Vec<(EventId, Sequence)> {
        self.table()
            .heads
            .iter()
            .map(|(event_id, head)| (*event_id, head.last_seq))
            .collect()
    }

    /// No code panics while it holds the lock, and a half-made change has no spelling: poison means nothing here.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
