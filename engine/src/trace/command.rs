//! What a command's span says of it.

use onsale_domain::EventId;

use super::OpenSpan;
use crate::error::EngineError;
use crate::handle::{Answer, Receipt};

/// Ends a command's span with what came of it.
pub(crate) fn end_command(mut span: OpenSpan, event_id: EventId, result: &Result<Receipt, EngineError>) {
    span.set("onsale.event_id", event_id.to_string());
    let outcome = match result {
        Ok(receipt) => {
            span.set("onsale.seq", receipt.seq);
            match receipt.answer {
                Answer::Recorded(_) => "recorded",
                Answer::Replayed(_) => "replayed",
                Answer::Unchanged => "unchanged",
            }
        }
        Err(EngineError::Refused(refusal)) => refusal.code(),
        Err(EngineError::Overloaded { reason }) => {
            span.set("onsale.overload", *reason);
            "overloaded"
        }
        Err(EngineError::NotFound) => "not_found",
        Err(error) => {
            span.fail();
            match error {
                EngineError::OwnedElsewhere { .. } => "owned_elsewhere",
                EngineError::Quarantined { .. } => "quarantined",
                EngineError::ShuttingDown => "shutting_down",
                EngineError::OutcomeUnknown => "unknown",
                EngineError::Unavailable { .. }
                | EngineError::NotFound
                | EngineError::Refused(_)
                | EngineError::Overloaded { .. } => "unavailable",
            }
        }
    };
    span.set("onsale.outcome", outcome);
}
