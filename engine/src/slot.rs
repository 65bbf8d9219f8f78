//! An event's place in the registry: its present incarnation, and what is known of its crashes.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use onsale_domain::Sequence;
use ractor::ActorRef;
use tokio::sync::Mutex as AsyncMutex;

use crate::actor::Message;
use crate::cell::EventCell;
use crate::config::CRASHES_MAX;
use crate::error::EngineError;

/// An event in memory.
pub(crate) struct Running {
    pub(crate) actor: ActorRef<Message>,
    pub(crate) cell: Arc<EventCell>,
}

/// How an event's actor ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// By a defect or a kill; why.
    Crashed(String),
    /// The event left memory because nobody used it.
    Passivated,
    /// A newer owner has the event, or the engine stops.
    Replaced,
}

/// Crashes of an event without progress between them.
#[derive(Clone, Debug, Default)]
struct Crashes {
    seq: Sequence,
    count: u32,
    reason: String,
}

/// An event's place in the registry. It stays when the event leaves memory.
#[derive(Default)]
pub(crate) struct Slot {
    pub(crate) current: ArcSwapOption<Running>,
    /// Held while loading. Tells whether this process has had the event in memory before.
    pub(crate) loading: AsyncMutex<bool>,
    crashes: Mutex<Crashes>,
}

impl Slot {
    /// Notes a crash before the record at `seq`; how many there were without progress.
    pub(crate) fn note_crash(&self, seq: Sequence, reason: &str) -> u32 {
        let mut crashes = self.crashes.lock().unwrap_or_else(PoisonError::into_inner);
        let count = if crashes.seq == seq { crashes.count + 1 } else { 1 };
        *crashes = Crashes {
            seq,
            count,
            reason: reason.to_owned(),
        };
        count
    }

    pub(crate) fn forget_crashes(&self) {
        *self.crashes.lock().unwrap_or_else(PoisonError::into_inner) = Crashes::default();
    }

    pub(crate) fn is_quarantined(&self) -> bool {
        let crashes = self.crashes.lock().unwrap_or_else(PoisonError::into_inner);
        crashes.count >= CRASHES_MAX
    }

    pub(crate) fn check_quarantine(&self) -> Result<(), EngineError> {
        let crashes = self.crashes.lock().unwrap_or_else(PoisonError::into_inner);
        if crashes.count < CRASHES_MAX {
            return Ok(());
        }
        Err(EngineError::Quarantined {
            seq: crashes.seq,
            reason: crashes.reason.clone(),
        })
    }

    pub(crate) fn quarantine(&self, seq: Sequence, reason: String) -> EngineError {
        let crashes = Crashes {
            seq,
            count: CRASHES_MAX,
            reason: reason.clone(),
        };
        *self.crashes.lock().unwrap_or_else(PoisonError::into_inner) = crashes;
        EngineError::Quarantined { seq, reason }
    }
}
