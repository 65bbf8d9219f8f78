//! Refunds, transfers and scans.

use onsale_domain::command::{RefundTickets, ScanTicket, TransferTicket};
use onsale_domain::record::Record;
use onsale_domain::{Command, HoldId, Presented, ScanDigest, TicketId, UnixMillis};

use super::super::common::*;
use super::super::reference::{Issued, Reference};
use super::super::steps::{Action, Shown};

impl Action {
    pub(super) fn of_tickets(&self, known: &Reference) -> Command {
        let fresh = u32::try_from(known.journal.len()).unwrap();
        match self {
            Self::Refund {
                order,
                which,
                twice,
                key,
            } => {
                let order = order.hold(known);
                Command::RefundTickets(Box::new(RefundTickets {
                    refund_id: refund_id(fresh),
                    order_id: order.into(),
                    tickets: some_of(order, *which, *twice, known),
                    key: key.map(|key| key.binding(order, known)),
                }))
            }
            Self::Transfer {
                ticket,
                from,
                to,
                known_code,
                key,
            } => {
                let ticket = recent(*ticket, known);
                let order = ticket.map_or_else(|| hold_id(0), |ticket| ticket.order);
                let dead = ticket.filter(|_| *known_code).map(|ticket| ticket.codes[0]);
                Command::TransferTicket(TransferTicket {
                    ticket_id: ticket.map_or_else(|| ticket_id(9), |ticket| ticket.id),
                    from: match (from, ticket) {
                        (None, Some(ticket)) => ticket.owner,
                        (from, _) => buyer_id(from.unwrap_or(0)),
                    },
                    to: buyer_id(*to),
                    code: dead.unwrap_or_else(|| ticket_code(9_999 + 10_000 * fresh)),
                    key: key.map(|key| key.binding(order, known)),
                })
            }
            Self::Scan {
                ticket,
                shown,
                gate,
                direction,
                nonce,
                ago,
            } => Command::ScanTicket(Box::new(ScanTicket {
                presented: shown.of(recent(*ticket, known)),
                gate: (*gate).to_owned(),
                direction: *direction,
                scan: ScanDigest([*nonce; 16]),
                scanned_at: ago
                    .map(|ago| UnixMillis(known.journal.last().map_or(0, |record| record.at().0) - ago)),
            })),
            other => panic!("{other:?} is about no ticket"),
        }
    }
}

fn recent(back: usize, known: &Reference) -> Option<&Issued> {
    known.tickets.iter().rev().cycle().nth(back)
}

/// Some tickets of an order: often those that were not refunded yet.
fn some_of(order: HoldId, which: u8, twice: bool, known: &Reference) -> Vec<TicketId> {
    let refunded = |id: TicketId| {
        known.journal.iter().any(|record| match record {
            Record::TicketsRefunded(refund) => refund.tickets.contains(&id),
            _ => false,
        })
    };
    let of_order = known.tickets.iter().filter(|ticket| ticket.order == order);
    let mut tickets: Vec<TicketId> = (0_u32..)
        .zip(of_order)
        .filter(|(bit, _)| which >> (bit % 7) & 1 == 1)
        .map(|(_, ticket)| ticket.id)
        .filter(|id| which >= 224 || !refunded(*id))
        .collect();
    if twice {
        tickets.extend(tickets.first().copied());
    }
    tickets
}

impl Shown {
    fn of(self, ticket: Option<&Issued>) -> Presented {
        let Some(ticket) = ticket else {
            return Presented::Code(ticket_code(1));
        };
        match self {
            Self::Code => Presented::Code(*ticket.codes.last().unwrap()),
            Self::FirstCode => Presented::Code(ticket.codes[0]),
            Self::Pass => Presented::Pass {
                ticket_id: ticket.id,
                version: ticket.version(),
            },
            Self::OtherPass(off) => Presented::Pass {
                ticket_id: ticket.id,
                version: ticket.version().saturating_add_signed(off),
            },
            Self::Unknown => Presented::Code(ticket_code(2)),
        }
    }
}
