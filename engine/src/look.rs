//! What can be read of an event's state beyond its counts. Its actor looks, and the answer waits until the state that
//! it rests on is committed. So a read needs neither journal nor database.

use std::sync::Arc;

use onsale_domain::definition::EventDefinition;
use onsale_domain::inventory::{DoorCounts, ListedTicket, PendingPayment};
use onsale_domain::money::Currency;
use onsale_domain::record::Lines;
use onsale_domain::{
    BuyerId, EventId, HoldId, Inventory, PackageOrderId, Refusal, Sequence, TicketId, UnixMillis,
};

use serde::{Deserialize, Serialize};

use crate::error::EngineError;
use crate::handle::Engine;

/// Tickets that one look lists at most: the actor decides nothing meanwhile.
pub const TICKETS_PER_PAGE_MAX: usize = 5_000;

/// A live hold as its buyer may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldView {
    /// Identity.
    pub hold_id: HoldId,
    /// Whose capacity it holds.
    pub event_id: EventId,
    /// Whose it is.
    pub buyer_id: BuyerId,
    /// What, at which locked prices.
    pub lines: Lines,
    /// Currency of the prices.
    pub currency: Currency,
    /// When it was placed.
    pub placed_at: UnixMillis,
    /// When it ends.
    pub expires_at: UnixMillis,
    /// Its payment, where one is under way.
    pub payment: Option<PendingPayment>,
    /// The package order that it is a leg of.
    pub package_order_id: Option<PackageOrderId>,
    /// The state up to this record was looked at.
    pub seq: Sequence,
}

/// Some of an event's tickets, in the order in which they were issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketPage {
    /// The tickets.
    pub tickets: Vec<ListedTicket>,
    /// The position after them, where more follow.
    pub next: Option<u32>,
    /// The event's definition at the same sequence; `None` before it was created.
    pub definition: Option<Arc<EventDefinition>>,
    /// The state up to this record was looked at.
    pub seq: Sequence,
}

/// What to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Look {
    /// A live hold of a buyer.
    Hold {
        /// Which hold.
        hold_id: HoldId,
        /// Who asks.
        buyer_id: BuyerId,
    },
    /// Whether a ticket is somebody's.
    Owner {
        /// Which ticket.
        ticket_id: TicketId,
        /// Whose it may be.
        owner: BuyerId,
    },
    /// How many went through the gates.
    Door,
    /// Tickets from a position on.
    Tickets {
        /// The position of the first, from 0.
        from: u32,
    },
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Found {
    /// The hold.
    Hold(HoldView),
    /// The ticket is theirs.
    Owner,
    /// The counts of the gates.
    Door(DoorCounts),
    /// Some tickets.
    Tickets(TicketPage),
}

impl Look {
    pub(crate) fn at(self, event_id: EventId, inventory: &Inventory) -> Result<Found, Refusal> {
        match self {
            Self::Hold { hold_id, buyer_id } => hold(event_id, inventory, hold_id, buyer_id).map(Found::Hold),
            Self::Owner { ticket_id, owner } => {
                inventory.check_owner(ticket_id, owner).map(|()| Found::Owner)
            }
            Self::Door => Ok(Found::Door(inventory.door_counts())),
            Self::Tickets { from } => Ok(Found::Tickets(tickets(inventory, from))),
        }
    }
}

fn hold(
    event_id: EventId,
    inventory: &Inventory,
    hold_id: HoldId,
    buyer_id: BuyerId,
) -> Result<HoldView, Refusal> {
    let hold = inventory.live_hold_of(hold_id, buyer_id)?;
    Ok(HoldView {
        hold_id,
        event_id,
        buyer_id,
        lines: inventory.spell_out(hold.lines()),
        currency: inventory
            .definition()
            .map_or(Currency::EUR, |definition| definition.details.currency),
        placed_at: hold.placed_at,
        expires_at: hold.expires_at,
        payment: inventory.pending_payment(hold_id),
        package_order_id: inventory.package_of(hold_id),
        seq: inventory.seq(),
    })
}

/// One more than a page is read, to know whether more follow.
fn tickets(inventory: &Inventory, from: u32) -> TicketPage {
    let mut tickets = inventory.listed_tickets(from, TICKETS_PER_PAGE_MAX + 1);
    let has_more = tickets.len() > TICKETS_PER_PAGE_MAX;
    tickets.truncate(TICKETS_PER_PAGE_MAX);
    let read = u32::try_from(tickets.len()).unwrap_or(u32::MAX);
    TicketPage {
        tickets,
        next: has_more.then_some(from.saturating_add(read)),
        definition: inventory.definition().cloned(),
        seq: inventory.seq(),
    }
}

/// Cannot be: every look finds its own kind.
pub(crate) fn another_answer() -> EngineError {
    EngineError::Unavailable {
        reason: "a look was answered by something else".to_owned(),
    }
}

impl Engine {
    /// A buyer's live hold.
    ///
    /// Errors: [`EngineError::Refused`] tells how a hold ended that is not live.
    pub async fn find_hold(
        &self,
        event_id: EventId,
        hold_id: HoldId,
        buyer_id: BuyerId,
    ) -> Result<HoldView, EngineError> {
        match self.look(event_id, Look::Hold { hold_id, buyer_id }).await? {
            Found::Hold(hold) => Ok(hold),
            Found::Owner | Found::Door(_) | Found::Tickets(_) => Err(another_answer()),
        }
    }

    /// Whether a ticket is somebody's.
    ///
    /// Errors: [`Refusal::TicketNotFound`] where it is not.
    pub async fn check_owner(
        &self,
        event_id: EventId,
        ticket_id: TicketId,
        owner: BuyerId,
    ) -> Result<(), EngineError> {
        match self.look(event_id, Look::Owner { ticket_id, owner }).await? {
            Found::Owner => Ok(()),
            Found::Hold(_) | Found::Door(_) | Found::Tickets(_) => Err(another_answer()),
        }
    }

    /// How many went through an event's gates.
    pub async fn door_counts(&self, event_id: EventId) -> Result<DoorCounts, EngineError> {
        match self.look(event_id, Look::Door).await? {
            Found::Door(counts) => Ok(counts),
            Found::Hold(_) | Found::Owner | Found::Tickets(_) => Err(another_answer()),
        }
    }

    /// At most [`TICKETS_PER_PAGE_MAX`] tickets of an event, from a position on.
    pub async fn tickets(&self, event_id: EventId, from: u32) -> Result<TicketPage, EngineError> {
        match self.look(event_id, Look::Tickets { from }).await? {
            Found::Tickets(page) => Ok(page),
            Found::Hold(_) | Found::Owner | Found::Door(_) => Err(another_answer()),
        }
    }
}
