//! Giving a ticket to another account.

use super::state::Inventory;
use crate::command::TransferTicket;
use crate::id::TicketCode;
use crate::limits::TICKET_VERSION_MAX;
use crate::record::TicketTransferred;
use crate::{EventStatus, Record, Refusal, TicketStatus, UnixMillis};

impl Inventory {
    /// The version rises and the former code is dead. It takes no unit: a sold-out event transfers as any other. The
    /// tickets still count against the limit of who bought them.
    pub(super) fn transfer_ticket(
        &self,
        command: TransferTicket,
        now: UnixMillis,
    ) -> Result<Record, Refusal> {
        let definition = self.definition.as_ref().ok_or(Refusal::EventNotFound)?;
        let ticket = self
            .tickets
            .get(&command.ticket_id)
            .filter(|ticket| ticket.owner == command.from)
            .ok_or(Refusal::TicketNotFound)?;
        match ticket.status {
            TicketStatus::Valid => {}
            TicketStatus::Used => return Err(Refusal::TicketUsed),
            TicketStatus::Cancelled => return Err(Refusal::TicketCancelled),
            TicketStatus::Refunded => return Err(Refusal::TicketRefunded),
        }
        if definition.status == EventStatus::Cancelled {
            return Err(Refusal::EventCancelled);
        }
        if command.to == command.from {
            return Err(Refusal::TransferToSelf);
        }
        if ticket.version >= TICKET_VERSION_MAX {
            return Err(Refusal::TooMany {
                what: "transfers of a ticket",
            });
        }
        if self.knows_code(command.code) {
            return Err(Refusal::TicketExists);
        }
        Ok(Record::TicketTransferred(TicketTransferred {
            at: now,
            ticket_id: command.ticket_id,
            order_id: ticket.order_id,
            from: command.from,
            to: command.to,
            code: command.code,
            version: ticket.version.saturating_add(1),
            key: command.key,
        }))
    }

    /// Whether a code lets in or once did.
    pub(super) fn knows_code(&self, code: TicketCode) -> bool {
        self.codes.contains_key(&code) || self.dead_codes.contains_key(&code)
    }
}
