//! The inventory of one event: its whole state, decided by [`Inventory::apply`] and folded by `Inventory::fold`.
//!
//! A decision reads the state and makes records; folding a record is the only thing that changes the state. So
//! `apply` and `replay` cannot disagree.

mod availability;
mod confirm;
mod definition;
mod door;
mod fold;
mod hold;
mod invariants;
mod line;
mod orders;
mod payment;
mod scan;
mod state;
mod status;
mod transfer;

use smallvec::{SmallVec, smallvec};

pub use availability::{Availability, QuotaCounts, TicketTypeCounts};
pub use door::{DoorCounts, ListedTicket};
pub use invariants::Violation;
pub use line::HeldLine;
pub use state::{
    EndedHold, GateCounts, Hold, HoldEnd, Inventory, KeyEntry, KeyStage, Order, PendingPayment, Ticket,
};

use crate::{Command, Record, Refusal, Sequence, UnixMillis};

/// Records that one command led to. Most lead to one.
pub type Records = SmallVec<[Record; 1]>;

/// What a command led to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every decision is a record, and boxing it would cost the hot path an allocation"
)]
pub enum Decision {
    /// New records; the last one is the command's answer and has the inventory's present sequence.
    Recorded(Records),
    /// The same key came before; its answer is the record at this sequence.
    Replayed(Sequence),
    /// Nothing to do: what the command wants is so already.
    Unchanged,
}

impl Inventory {
    /// Decides a command at an instant and, when it is not refused, changes the state.
    ///
    /// Errors: the [`Refusal`] of the first rule that the command violates; nothing has changed then, except that
    /// [`Refusal::Violation`] means the state can no longer be trusted.
    pub fn apply(&mut self, command: &Command, now: UnixMillis) -> Result<Decision, Refusal> {
        if !matches!(command, Command::CreateEvent { .. }) && self.definition().is_none() {
            return Err(Refusal::EventNotFound);
        }
        if let Some(earlier) = self.answered(command, now)? {
            return Ok(Decision::Replayed(earlier));
        }
        let due = self.due_status(now);
        let record = match command {
            Command::CreateEvent { event_id, details } => Some(self.create_event(*event_id, details, now)?),
            Command::EditEvent {
                details,
                expected_version,
            } => Some(self.edit_event(details, *expected_version, now)?),
            Command::SetQuota {
                quota,
                expected_version,
            } => Some(self.set_quota(quota, *expected_version, now)?),
            Command::SetTicketType {
                ticket_type,
                expected_version,
            } => Some(self.set_ticket_type(ticket_type, *expected_version, now)?),
            Command::ChangeStatus { to, expected_version } => {
                self.change_status(*to, *expected_version, now)?
            }
            Command::PlaceHold(command) => Some(self.place_hold(command, due, now)?),
            Command::ExtendHold { hold_id, buyer_id } => Some(self.extend_hold(*hold_id, *buyer_id, now)?),
            Command::ReleaseHold {
                hold_id,
                buyer_id,
                reason,
                key,
            } => self.release_hold(*hold_id, *buyer_id, *reason, *key, now)?,
            Command::ConfirmHold(command) => Some(self.confirm_hold(command, now)?),
            Command::CancelOrder { order_id, by } => self.cancel_order(*order_id, *by, now)?,
            Command::StartPayment(command) => Some(self.start_payment(*command, now)?),
            Command::ReclaimHold(command) => Some(self.reclaim_hold(command, now)?),
            Command::RefundTickets(command) => Some(self.refund_tickets(command, now)?),
            Command::TransferTicket(command) => Some(self.transfer_ticket(*command, now)?),
            Command::ScanTicket(command) => Some(self.scan_ticket(command, now)?),
            Command::Advance => return self.advance(due, now),
        };
        let Some(record) = record else {
            return Ok(Decision::Unchanged);
        };
        let mut records: Records = due
            .map(|to| Record::StatusChanged { at: now, to })
            .into_iter()
            .collect();
        // Staff may ask for the very status that was due.
        records.retain(|due| *due != record);
        records.push(record);
        self.fold_all(&records)?;
        Ok(Decision::Recorded(records))
    }

    /// Folds the next record of the journal.
    ///
    /// Errors: a [`Violation`] when no rule could have made this record in this state.
    pub fn replay(&mut self, record: &Record) -> Result<(), Violation> {
        self.fold(record)
    }

    fn fold_all(&mut self, records: &[Record]) -> Result<(), Violation> {
        records.iter().try_for_each(|record| self.fold(record))
    }

    fn advance(&mut self, due: Option<crate::EventStatus>, now: UnixMillis) -> Result<Decision, Refusal> {
        let mut records: Records = smallvec![];
        records.extend(due.map(|to| Record::StatusChanged { at: now, to }));
        records.extend(self.expire_due_holds(now));
        if records.is_empty() {
            return Ok(Decision::Unchanged);
        }
        self.fold_all(&records)?;
        Ok(Decision::Recorded(records))
    }
}
