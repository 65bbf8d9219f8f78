//! What is on sale: the event, its ticket types and its quotas.

use serde::{Deserialize, Serialize};

use crate::limits::{
    CAPACITY_MAX, DESCRIPTION_BYTES_MAX, HOLD_DURATION_MS_MAX, HOLD_DURATION_MS_MIN, NAME_BYTES_MAX,
    TAX_BASIS_POINTS_MAX, UNIT_FEE_MINOR_MAX, UNIT_PRICE_MINOR_MAX,
};
use crate::money::Currency;
use crate::{EventId, OrganizationId, QuotaId, Refusal, Sequence, Tax, TicketTypeId, UnixMillis};

/// Where an event stands: draft → published → on sale ⇄ paused → closed; any → cancelled; draft → deleted. The position
/// of each is written in journals: only ever add at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventStatus {
    /// Being prepared; buyers cannot see it.
    Draft,
    /// Visible; sales open at the window's start.
    Published,
    /// Selling.
    OnSale,
    /// Sales stopped by staff for a while; live holds can still be paid.
    Paused,
    /// Sales have ended; live holds can still be paid.
    Closed,
    /// Called off; nothing can be bought or paid.
    Cancelled,
    /// Taken away before anybody saw it; nobody finds it.
    Deleted,
}

impl EventStatus {
    /// The name in the API and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
            Self::OnSale => "on_sale",
            Self::Paused => "paused",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
            Self::Deleted => "deleted",
        }
    }

    /// Whether the table of states has an arrow from here to `to`.
    pub const fn may_become(self, to: Self) -> bool {
        matches!(
            (self, to),
            (Self::Draft, Self::Published | Self::Deleted)
                | (Self::Published | Self::Paused, Self::OnSale)
                | (Self::OnSale, Self::Paused)
                | (Self::Published | Self::OnSale | Self::Paused, Self::Closed)
                | (
                    Self::Draft | Self::Published | Self::OnSale | Self::Paused | Self::Closed,
                    Self::Cancelled
                )
        )
    }
}

/// When tickets may be sold: from `opens_at`, and before `closes_at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SalesWindow {
    /// First instant of the sale.
    pub opens_at: UnixMillis,
    /// First instant after the sale.
    pub closes_at: UnixMillis,
}

/// What an organizer may write about an event. Everything here is journaled: an event is the fold of its records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventDetails {
    /// Owner of the event.
    pub organization_id: OrganizationId,
    /// Title shown to buyers.
    pub name: String,
    /// Longer text shown to buyers; may be empty.
    pub description: String,
    /// Where it takes place; may be empty.
    pub venue: String,
    /// When it starts.
    pub starts_at: UnixMillis,
    /// IANA time zone in which the event's times are meant, such as `Europe/Berlin`.
    pub time_zone: String,
    /// When tickets may be sold.
    pub sales_window: SalesWindow,
    /// Currency of every price of the event.
    pub currency: Currency,
    /// How long a new hold lives.
    pub hold_duration_ms: i64,
    /// Longest life of a hold with all its extensions, from when it was placed.
    pub hold_lifetime_ms_max: i64,
    /// Most live tickets (held and sold) of one buyer, across orders. `None`: no limit.
    pub buyer_limit: Option<u32>,
    /// Nobody is let in before. `None`: no such limit.
    pub check_in_opens_at: Option<UnixMillis>,
    /// Whether who went out may come in again.
    pub re_entry: bool,
}

impl EventDetails {
    /// Checks the rules that need nothing but the details themselves.
    pub fn check(&self) -> Result<(), Refusal> {
        let invalid = |field| Err(Refusal::InvalidField { field });
        if !is_name(&self.name) {
            return invalid("name");
        }
        if self.description.len() > DESCRIPTION_BYTES_MAX || self.description.contains('\0') {
            return invalid("description");
        }
        if self.venue.len() > NAME_BYTES_MAX || self.venue.contains('\0') {
            return invalid("venue");
        }
        if jiff::tz::TimeZone::get(&self.time_zone).is_err() {
            return invalid("time_zone");
        }
        if self.sales_window.opens_at >= self.sales_window.closes_at {
            return invalid("sales_window");
        }
        if !(HOLD_DURATION_MS_MIN..=HOLD_DURATION_MS_MAX).contains(&self.hold_duration_ms) {
            return invalid("hold_duration_seconds");
        }
        if !(self.hold_duration_ms..=HOLD_DURATION_MS_MAX).contains(&self.hold_lifetime_ms_max) {
            return invalid("hold_lifetime_seconds_max");
        }
        if self.buyer_limit == Some(0) {
            return invalid("buyer_limit");
        }
        Ok(())
    }
}

/// What a buyer chooses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketType {
    /// Identity; made outside.
    pub id: TicketTypeId,
    /// Name shown to buyers.
    pub name: String,
    /// The pool it draws from.
    pub quota_id: QuotaId,
    /// Price of one ticket in minor units of the event's currency. Zero is free.
    pub unit_price_minor: i64,
    /// Fee on one ticket, on top of its price.
    pub unit_fee_minor: i64,
    /// Tax on price and fee.
    pub tax: Tax,
}

impl TicketType {
    /// Checks the rules that need nothing but the ticket type itself.
    pub fn check(&self) -> Result<(), Refusal> {
        if !is_name(&self.name) {
            return Err(Refusal::InvalidField { field: "name" });
        }
        if !(0..=UNIT_PRICE_MINOR_MAX).contains(&self.unit_price_minor) {
            return Err(Refusal::InvalidField { field: "price" });
        }
        if !(0..=UNIT_FEE_MINOR_MAX).contains(&self.unit_fee_minor) {
            return Err(Refusal::InvalidField { field: "fee" });
        }
        if self.tax.basis_points > TAX_BASIS_POINTS_MAX {
            return Err(Refusal::InvalidField { field: "tax" });
        }
        Ok(())
    }
}

/// A pool of capacity that one or more ticket types draw from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// Identity; made outside.
    pub id: QuotaId,
    /// Name shown to staff.
    pub name: String,
    /// Units that may be held or sold in all.
    pub capacity: u32,
}

impl Quota {
    /// Checks the rules that need nothing but the quota itself.
    pub fn check(&self) -> Result<(), Refusal> {
        if !is_name(&self.name) {
            return Err(Refusal::InvalidField { field: "name" });
        }
        if self.capacity > CAPACITY_MAX {
            return Err(Refusal::InvalidField { field: "capacity" });
        }
        Ok(())
    }
}

fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= NAME_BYTES_MAX && !text.contains('\0')
}

/// Everything about an event that staff decide: shared, read-only, replaced as a whole by an edit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventDefinition {
    /// The event.
    pub event_id: EventId,
    /// Sequence of the last record that changed the definition: the version that `If-Match` names.
    pub version: Sequence,
    /// Where the event stands.
    pub status: EventStatus,
    /// What the organizer wrote.
    pub details: EventDetails,
    /// Ticket types in the order they were added; positions never change.
    pub ticket_types: Vec<TicketType>,
    /// Quotas in the order they were added; positions never change.
    pub quotas: Vec<Quota>,
}

impl EventDefinition {
    /// Position and ticket type of an id.
    pub fn ticket_type(&self, id: TicketTypeId) -> Option<(usize, &TicketType)> {
        self.ticket_types
            .iter()
            .enumerate()
            .find(|(_, ticket_type)| ticket_type.id == id)
    }

    /// Position of a quota.
    pub fn quota_position(&self, id: QuotaId) -> Option<usize> {
        self.quotas.iter().position(|quota| quota.id == id)
    }
}
