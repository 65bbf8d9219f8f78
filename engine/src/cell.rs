//! What an event's actor shares with the outside: the committed view, the permits, the key filter.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, ArcSwapOption};
use onsale_domain::{Availability, EventId, Inventory, Sequence};

use crate::admission::Admission;
use crate::inbox::Inbox;
use crate::key_filter::KeyFilter;
use crate::port::{Chain, Epoch};

/// End of an event's journal as its lane has written it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) seq: Sequence,
    pub(crate) chain: Chain,
}

/// One incarnation of an event: from a load until its actor stops. A new incarnation gets a new cell, so nothing of
/// a crashed one can be mistaken for the present.
pub(crate) struct EventCell {
    pub(crate) event_id: EventId,
    pub(crate) epoch: Epoch,
    pub(crate) admission: Arc<Admission>,
    pub(crate) inbox: Inbox,
    /// Counts at the committed sequence. Never further: only a lane moves it, after a commit.
    committed: ArcSwapOption<Availability>,
    committed_seq: AtomicU64,
    pub(crate) keys: ArcSwap<KeyFilter>,
    head: Mutex<Head>,
    fenced: AtomicBool,
    used_at_ms: AtomicI64,
    records_since_snapshot: AtomicU64,
}

impl EventCell {
    pub(crate) fn new(epoch: Epoch, event_id: EventId, inventory: &Inventory, chain: Chain) -> Self {
        Self {
            event_id,
            epoch,
            admission: Arc::default(),
            inbox: Inbox::new(),
            committed: ArcSwapOption::new(inventory.availability().map(Arc::new)),
            committed_seq: AtomicU64::new(inventory.seq()),
            keys: ArcSwap::from_pointee(KeyFilter::with(inventory.keys())),
            head: Mutex::new(Head {
                seq: inventory.seq(),
                chain,
            }),
            fenced: AtomicBool::new(false),
            used_at_ms: AtomicI64::new(0),
            records_since_snapshot: AtomicU64::new(0),
        }
    }

    /// Counts at the committed sequence; `None` before the event's first record is committed.
    pub(crate) fn committed(&self) -> Option<Arc<Availability>> {
        self.committed.load_full()
    }

    /// The committed counts for a quick look.
    pub(crate) fn peek<T>(&self, look: impl FnOnce(&Availability) -> T) -> Option<T> {
        self.committed
            .load()
            .as_ref()
            .map(|availability| look(availability))
    }

    pub(crate) fn committed_seq(&self) -> Sequence {
        self.committed_seq.load(Ordering::Acquire)
    }

    /// Called by the lane after a commit, before the answers go out.
    pub(crate) fn publish(&self, availability: Availability) {
        let seq = availability.seq;
        self.committed.store(Some(Arc::new(availability)));
        self.committed_seq.store(seq, Ordering::Release);
    }

    pub(crate) fn head(&self) -> Head {
        *self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_head(&self, head: Head) {
        *self.head.lock().unwrap_or_else(PoisonError::into_inner) = head;
    }

    /// Marks that a newer owner exists: nothing of this incarnation may be acknowledged any more.
    pub(crate) fn fence(&self) {
        self.fenced.store(true, Ordering::Release);
    }

    pub(crate) fn is_fenced(&self) -> bool {
        self.fenced.load(Ordering::Acquire)
    }

    /// Whether a request may be sent here. If not, the event must be loaded anew.
    pub(crate) fn is_usable(&self) -> bool {
        !self.is_fenced() && !self.inbox.is_closed()
    }

    pub(crate) fn mark_used(&self, now_ms: i64) {
        self.used_at_ms.store(now_ms, Ordering::Relaxed);
    }

    pub(crate) fn used_at_ms(&self) -> i64 {
        self.used_at_ms.load(Ordering::Relaxed)
    }

    /// Counts committed records; true when they have reached `every`, and the count starts again.
    pub(crate) fn is_snapshot_due(&self, records: u64, every: u64) -> bool {
        let due = self.records_since_snapshot.fetch_add(records, Ordering::AcqRel) + records >= every;
        if due {
            self.records_since_snapshot.store(0, Ordering::Release);
        }
        due
    }
}
