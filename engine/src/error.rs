//! What a caller of the engine may be told instead of a receipt.

use std::sync::Arc;

use onsale_domain::word;
use onsale_domain::{Refusal, Sequence};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::port::{JournalError, Owner};

/// Why there is no receipt.
#[derive(Clone, Debug, Error, PartialEq, Eq, Serialize, Deserialize)]
pub enum EngineError {
    /// A rule refused the command. Nothing changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No such event. Nothing changed.
    #[error("no such event")]
    NotFound,
    /// Another process owns the event. Nothing changed.
    #[error("the event is owned elsewhere: {owner}")]
    OwnedElsewhere {
        /// Who owns it.
        owner: Arc<Owner>,
    },
    /// A bound was reached. Nothing changed; trying again later may succeed.
    #[error("overloaded: {reason}")]
    Overloaded {
        /// Which bound; the metric's label.
        #[serde(deserialize_with = "word::deserialize")]
        reason: word::Word,
    },
    /// A part that is needed is away, or the event's actor was restarted. Nothing was decided.
    #[error("unavailable: {reason}")]
    Unavailable {
        /// What is away.
        reason: String,
    },
    /// The command was decided, but its commit took too long to wait for. The same idempotency key finds out.
    #[error("the outcome is not known yet")]
    OutcomeUnknown,
    /// The event crashed repeatedly at one record and is paused for an operator.
    #[error("the event is paused after repeated crashes at record {seq}: {reason}")]
    Quarantined {
        /// Sequence of the record.
        seq: Sequence,
        /// What happened there.
        reason: String,
    },
    /// The process is stopping. Nothing changed.
    #[error("shutting down")]
    ShuttingDown,
}

impl From<JournalError> for EngineError {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::NotFound => Self::NotFound,
            JournalError::Taken => Self::Refused(Refusal::EventExists),
            JournalError::OwnedElsewhere { owner } => Self::OwnedElsewhere {
                owner: Arc::new(owner),
            },
            JournalError::Unavailable(reason)
            | JournalError::Damaged(reason)
            | JournalError::Fatal(reason) => Self::Unavailable { reason },
        }
    }
}
