//! The door: each ticket lets its holder in once, or in and out where the event allows that.

use super::state::{Inventory, LastScan, Ticket};
use crate::command::ScanTicket;
use crate::limits::{GATES_MAX, NAME_BYTES_MAX};
use crate::record::TicketScanned;
use crate::{
    Direction, EventStatus, Presented, Record, Refusal, Sequence, TicketId, TicketStatus, UnixMillis,
};

impl Inventory {
    /// The first scan in the journal wins, whichever gate it comes from.
    pub(super) fn scan_ticket(&self, command: &ScanTicket, now: UnixMillis) -> Result<Record, Refusal> {
        let definition = self.definition.as_ref().ok_or(Refusal::EventNotFound)?;
        if definition.status == EventStatus::Cancelled {
            return Err(Refusal::EventCancelled);
        }
        self.check_gate(&command.gate)?;
        let scanned_at = command.scanned_at.unwrap_or(now).min(now);
        if scanned_at < UnixMillis(0) {
            return Err(Refusal::InvalidField { field: "scanned_at" });
        }
        if let Some(opens_at) = definition.details.check_in_opens_at
            && scanned_at < opens_at
        {
            return Err(Refusal::CheckInTooEarly { opens_at });
        }
        let (ticket_id, ticket) = self.shown(command.presented)?;
        match ticket.status {
            TicketStatus::Valid | TicketStatus::Used => {}
            TicketStatus::Cancelled => return Err(Refusal::TicketCancelled),
            TicketStatus::Refunded => return Err(Refusal::TicketRefunded),
        }
        let last = self.last_scans.get(&ticket_id);
        self.check_way(last, command.direction, definition.details.re_entry)?;
        if command.scanned_at.is_some() && last.is_some_and(|last| last.scanned_at > scanned_at) {
            return Err(self.already_passed(last, command.direction));
        }
        let ticket_type = definition.ticket_types.get(usize::from(ticket.type_position));
        Ok(Record::TicketScanned(TicketScanned {
            at: now,
            ticket_id,
            ticket_type_id: ticket_type.ok_or(Refusal::TicketNotFound)?.id,
            gate: command.gate.clone(),
            direction: command.direction,
            scanned_at,
            scan: command.scan,
        }))
    }

    /// The record of the same scan.
    pub(super) fn repeated_scan(&self, command: &ScanTicket) -> Option<Sequence> {
        let (ticket_id, _) = self.shown(command.presented).ok()?;
        let last = self.last_scans.get(&ticket_id)?;
        if last.scan == command.scan && last.direction == command.direction {
            return Some(last.seq);
        }
        let former = (ticket_id, command.scan, command.direction);
        self.former_scans.get(&former).copied()
    }

    /// The ticket that was shown.
    ///
    /// Errors: [`Refusal::UnknownCode`], or [`Refusal::CodeTransferred`] for what a transfer has killed.
    fn shown(&self, presented: Presented) -> Result<(TicketId, &Ticket), Refusal> {
        match presented {
            Presented::Code(code) => {
                if let Some(position) = self.codes.get(&code) {
                    let found = self.tickets.get_index(*position as usize);
                    return found
                        .map(|(ticket_id, ticket)| (*ticket_id, ticket))
                        .ok_or(Refusal::UnknownCode);
                }
                if self.dead_codes.contains_key(&code) {
                    Err(Refusal::CodeTransferred)
                } else {
                    Err(Refusal::UnknownCode)
                }
            }
            Presented::Pass { ticket_id, version } => match self.tickets.get(&ticket_id) {
                Some(ticket) if ticket.version == version => Ok((ticket_id, ticket)),
                Some(ticket) if ticket.version > version => Err(Refusal::CodeTransferred),
                Some(_) | None => Err(Refusal::UnknownCode),
            },
        }
    }

    /// A gate that was offline may report a scan again after the ones that followed it: time goes on only.
    fn already_passed(&self, last: Option<&LastScan>, direction: Direction) -> Refusal {
        match direction {
            Direction::In => self.already_used(last),
            Direction::Out => Refusal::NotLeaving {
                reason: "the ticket was scanned since then",
            },
        }
    }

    fn check_way(
        &self,
        last: Option<&LastScan>,
        direction: Direction,
        re_entry: bool,
    ) -> Result<(), Refusal> {
        let inside = last.is_some_and(|last| last.direction == Direction::In);
        match direction {
            Direction::In if inside => Err(self.already_used(last)),
            Direction::In if last.is_some() && !re_entry => Err(self.already_used(last)),
            Direction::Out if !re_entry => Err(Refusal::NotLeaving {
                reason: "the event lets nobody in again, so nobody is scanned out",
            }),
            Direction::Out if !inside => Err(Refusal::NotLeaving {
                reason: "the ticket's holder is not inside",
            }),
            Direction::In | Direction::Out => Ok(()),
        }
    }

    fn already_used(&self, last: Option<&LastScan>) -> Refusal {
        let gate = last.and_then(|last| self.gates.get_index(usize::from(last.gate)));
        Refusal::AlreadyUsed {
            at: last.map_or(UnixMillis(0), |last| last.scanned_at),
            gate: gate.map(|(gate, _)| gate.clone()).unwrap_or_default(),
        }
    }

    fn check_gate(&self, gate: &str) -> Result<(), Refusal> {
        if gate.trim().is_empty() || gate.len() > NAME_BYTES_MAX || gate.contains('\0') {
            return Err(Refusal::InvalidField { field: "gate" });
        }
        if !self.gates.contains_key(gate) && self.gates.len() >= GATES_MAX {
            return Err(Refusal::TooMany { what: "gates" });
        }
        Ok(())
    }
}
