//! Tickets: given away, and shown at the door.

use onsale_domain::command::{ScanTicket, TransferTicket};
use onsale_domain::id::TicketCode;
use onsale_domain::record::{TicketScanned, TicketTransferred};
use onsale_domain::{
    BuyerId, Direction, EventStatus, HoldId, Presented, Record, Refusal, ScanDigest, Sequence, TicketId,
    TicketStatus, TicketTypeId, UnixMillis,
};

use super::{Reference, Wanted};

/// A ticket, with everything that was ever done with it.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub(crate) id: TicketId,
    pub(crate) order: HoldId,
    pub(crate) ticket_type: TicketTypeId,
    pub(crate) owner: BuyerId,
    /// The last one lets in.
    pub(crate) codes: Vec<TicketCode>,
    pub(crate) status: TicketStatus,
    pub(crate) scans: Vec<Scan>,
}

#[derive(Clone, Debug)]
pub(crate) struct Scan {
    pub(crate) digest: ScanDigest,
    pub(crate) direction: Direction,
    pub(crate) gate: String,
    pub(crate) at: i64,
    pub(crate) seq: Sequence,
}

impl Issued {
    pub(super) fn had(&self, code: TicketCode) -> bool {
        self.codes.contains(&code)
    }

    pub(crate) fn version(&self) -> u32 {
        u32::try_from(self.codes.len()).unwrap()
    }

    fn is_inside(&self) -> bool {
        self.scans
            .last()
            .is_some_and(|scan| scan.direction == Direction::In)
    }
}

impl Reference {
    pub(super) fn transfer(&self, transfer: &TransferTicket, at: UnixMillis) -> Wanted {
        let ticket = self
            .tickets
            .iter()
            .find(|ticket| ticket.id == transfer.ticket_id && ticket.owner == transfer.from)
            .ok_or(Refusal::TicketNotFound)?;
        match ticket.status {
            TicketStatus::Valid => {}
            TicketStatus::Used => return Err(Refusal::TicketUsed),
            TicketStatus::Cancelled => return Err(Refusal::TicketCancelled),
            TicketStatus::Refunded => return Err(Refusal::TicketRefunded),
        }
        if self.event().status == EventStatus::Cancelled {
            return Err(Refusal::EventCancelled);
        }
        if transfer.to == transfer.from {
            return Err(Refusal::TransferToSelf);
        }
        if self.tickets.iter().any(|ticket| ticket.had(transfer.code)) {
            return Err(Refusal::TicketExists);
        }
        Ok(Some(Record::TicketTransferred(TicketTransferred {
            at,
            ticket_id: transfer.ticket_id,
            order_id: ticket.order.into(),
            from: transfer.from,
            to: transfer.to,
            code: transfer.code,
            version: ticket.version() + 1,
            key: transfer.key,
        })))
    }

    fn shown(&self, presented: Presented) -> Result<&Issued, Refusal> {
        match presented {
            Presented::Code(code) => match self.tickets.iter().find(|ticket| ticket.had(code)) {
                Some(ticket) if ticket.codes.last() == Some(&code) => Ok(ticket),
                Some(_) => Err(Refusal::CodeTransferred),
                None => Err(Refusal::UnknownCode),
            },
            Presented::Pass { ticket_id, version } => {
                let ticket = self.tickets.iter().find(|ticket| ticket.id == ticket_id);
                let ticket = ticket.ok_or(Refusal::UnknownCode)?;
                match ticket.version().cmp(&version) {
                    std::cmp::Ordering::Equal => Ok(ticket),
                    std::cmp::Ordering::Greater => Err(Refusal::CodeTransferred),
                    std::cmp::Ordering::Less => Err(Refusal::UnknownCode),
                }
            }
        }
    }

    pub(super) fn scanned_before(&self, scan: &ScanTicket) -> Option<Sequence> {
        let mut scans = self.shown(scan.presented).ok()?.scans.iter();
        let same = scans.find(|before| before.digest == scan.scan && before.direction == scan.direction);
        same.map(|same| same.seq)
    }

    pub(super) fn scan(&self, scan: &ScanTicket, at: UnixMillis) -> Wanted {
        let details = &self.event().details;
        if self.event().status == EventStatus::Cancelled {
            return Err(Refusal::EventCancelled);
        }
        if scan.gate.is_empty() {
            return Err(Refusal::InvalidField { field: "gate" });
        }
        let scanned_at = scan.scanned_at.map_or(at, |scanned_at| scanned_at.min(at));
        if scanned_at.0 < 0 {
            return Err(Refusal::InvalidField { field: "scanned_at" });
        }
        match details.check_in_opens_at {
            Some(opens_at) if scanned_at < opens_at => return Err(Refusal::CheckInTooEarly { opens_at }),
            _ => {}
        }
        let ticket = self.shown(scan.presented)?;
        match ticket.status {
            TicketStatus::Valid | TicketStatus::Used => {}
            TicketStatus::Cancelled => return Err(Refusal::TicketCancelled),
            TicketStatus::Refunded => return Err(Refusal::TicketRefunded),
        }
        passes(ticket, scan, details.re_entry)?;
        Ok(Some(Record::TicketScanned(TicketScanned {
            at,
            ticket_id: ticket.id,
            ticket_type_id: ticket.ticket_type,
            gate: scan.gate.clone(),
            direction: scan.direction,
            scanned_at,
            scan: scan.scan,
        })))
    }
}

fn passes(ticket: &Issued, scan: &ScanTicket, re_entry: bool) -> Result<(), Refusal> {
    let last = ticket.scans.last();
    let used = |last: &Scan| Refusal::AlreadyUsed {
        at: UnixMillis(last.at),
        gate: last.gate.clone(),
    };
    let not_leaving = |reason| Err(Refusal::NotLeaving { reason });
    let is_late = scan
        .scanned_at
        .is_some_and(|at| last.is_some_and(|last| at.0 < last.at));
    match (scan.direction, last) {
        (Direction::In, Some(last)) if ticket.is_inside() || !re_entry || is_late => Err(used(last)),
        (Direction::Out, _) if !re_entry => {
            not_leaving("the event lets nobody in again, so nobody is scanned out")
        }
        (Direction::Out, _) if !ticket.is_inside() => not_leaving("the ticket's holder is not inside"),
        (Direction::Out, _) if is_late => not_leaving("the ticket was scanned since then"),
        (Direction::In | Direction::Out, _) => Ok(()),
    }
}
