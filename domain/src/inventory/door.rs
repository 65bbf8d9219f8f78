//! What the door may read: how many went through, and the tickets to let in.

use serde::{Deserialize, Serialize};

use super::state::{GateCounts, Inventory};
use crate::id::{BuyerId, TicketCode, TicketId};
use crate::{Direction, Refusal, TicketStatus};

/// How many went through the gates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoorCounts {
    /// By gate, in the order of their first scans.
    pub gates: Vec<(String, GateCounts)>,
    /// Tickets that are neither cancelled nor refunded.
    pub tickets: u64,
    /// Tickets that have let somebody in.
    pub tickets_used: u64,
}

/// A ticket as a list for the door has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedTicket {
    /// Which.
    pub ticket_id: TicketId,
    /// The code that lets in.
    pub code: TicketCode,
    /// Raised by each transfer.
    pub version: u32,
    /// Position of its type in the definition.
    pub type_position: u16,
    /// Where it stands.
    pub status: TicketStatus,
    /// Which way its holder went last.
    pub last: Option<Direction>,
}

impl DoorCounts {
    /// How many are inside.
    pub fn inside(&self) -> u64 {
        let sum = |count: fn(&GateCounts) -> u32| -> u64 {
            self.gates
                .iter()
                .map(|(_, counts)| u64::from(count(counts)))
                .sum()
        };
        sum(|counts| counts.entries).saturating_sub(sum(|counts| counts.exits))
    }
}

impl Inventory {
    /// How many went through the gates.
    pub fn door_counts(&self) -> DoorCounts {
        DoorCounts {
            gates: self
                .gates()
                .map(|(gate, counts)| (gate.to_owned(), counts))
                .collect(),
            tickets: self
                .ticket_type_units
                .iter()
                .map(|units| u64::from(units.sold))
                .sum(),
            tickets_used: self.last_scans.len() as u64,
        }
    }

    /// At most `limit` tickets from a position on, in the order in which they were issued. Tickets keep their
    /// positions, so pages fit together whatever happens in between.
    pub fn listed_tickets(&self, from: u32, limit: usize) -> Vec<ListedTicket> {
        let until = self.tickets.len().min((from as usize).saturating_add(limit));
        let page = self.tickets.get_range(from as usize..until);
        let listed = page
            .into_iter()
            .flatten()
            .map(|(ticket_id, ticket)| ListedTicket {
                ticket_id: *ticket_id,
                code: ticket.code,
                version: ticket.version,
                type_position: ticket.type_position,
                status: ticket.status,
                last: self.last_scans.get(ticket_id).map(|last| last.direction),
            });
        listed.collect()
    }

    /// Whether a ticket is somebody's. Errors: [`Refusal::TicketNotFound`] where it is not.
    pub fn check_owner(&self, ticket_id: TicketId, owner: BuyerId) -> Result<(), Refusal> {
        match self.ticket(ticket_id) {
            Some(ticket) if ticket.owner == owner => Ok(()),
            Some(_) | None => Err(Refusal::TicketNotFound),
        }
    }
}
