//! Admission: a permit before the mailbox, because the actor library's mailbox is unbounded by design.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use onsale_domain::Command;

use crate::config::{PERMITS_PER_EVENT, PERMITS_RESERVED_FOR_FINISHING};
use crate::error::EngineError;

/// The permits of one event.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    in_use: AtomicUsize,
}

/// The right to have one command under way. It travels with the command and ends with its answer.
#[derive(Debug)]
pub(crate) struct Permit(Arc<Admission>);

impl Admission {
    /// A permit, unless the event has as many commands under way as it may have.
    pub(crate) fn admit(self: &Arc<Self>, command: &Command) -> Result<Permit, EngineError> {
        let limit = match command {
            Command::PlaceHold(_) => PERMITS_PER_EVENT - PERMITS_RESERVED_FOR_FINISHING,
            Command::ConfirmHold(_)
            | Command::ReleaseHold { .. }
            | Command::ExtendHold { .. }
            | Command::CancelOrder { .. }
            | Command::StartPayment(_)
            | Command::ReclaimHold(_)
            | Command::RefundTickets(_)
            | Command::TransferTicket(_)
            | Command::ScanTicket(_)
            | Command::CreateEvent { .. }
            | Command::EditEvent { .. }
            | Command::SetQuota { .. }
            | Command::SetTicketType { .. }
            | Command::ChangeStatus { .. }
            | Command::Advance => PERMITS_PER_EVENT,
        };
        self.take(limit)
    }

    /// A permit to look something up: the first step of paying for a hold.
    pub(crate) fn admit_query(self: &Arc<Self>) -> Result<Permit, EngineError> {
        self.take(PERMITS_PER_EVENT)
    }

    /// Commands under way.
    pub(crate) fn in_use(&self) -> usize {
        self.in_use.load(Ordering::Relaxed)
    }

    fn take(self: &Arc<Self>, limit: usize) -> Result<Permit, EngineError> {
        let taken = self.in_use.fetch_add(1, Ordering::AcqRel);
        // Dropping the permit gives the place back, also where it is over the limit.
        let permit = Permit(Arc::clone(self));
        if taken < limit {
            Ok(permit)
        } else {
            Err(EngineError::Overloaded {
                reason: "event_mailbox",
            })
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.in_use.fetch_sub(1, Ordering::AcqRel);
    }
}
