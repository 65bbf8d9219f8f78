//! What a batch of records changes in the tables: at most one change for each row.

use std::collections::{BTreeMap, HashMap};

use onsale_domain::record::Lines;
use onsale_domain::{
    BuyerId, EventDetails, EventId, EventStatus, HoldId, Money, OrderId, Quota, QuotaId, Sequence,
    TicketType, TicketTypeId, UnixMillis,
};

use super::orders::OrderChange;
use super::tickets::{NewRefund, NewScan, NewTicket, TicketChange};
use crate::jobs::MailMessage;

/// All changes of one batch.
#[derive(Debug, Default)]
pub(super) struct RowChanges {
    /// By event: from where to where its watermark moves.
    pub(super) watermarks: BTreeMap<EventId, Advance>,
    pub(super) events: BTreeMap<EventId, EventChange>,
    /// In the order they were first set, which is the order of their positions.
    pub(super) quotas: Vec<(EventId, Quota)>,
    /// In the order they were first set, which is the order of their positions.
    pub(super) ticket_types: Vec<(EventId, TicketType)>,
    /// What is added to the counters of ticket types, and to those of their quotas.
    pub(super) units: BTreeMap<(EventId, TicketTypeId), UnitChange>,
    pub(super) new_holds: Vec<NewHold>,
    pub(super) changed_holds: Vec<ChangedHold>,
    pub(super) orders: Vec<OrderChange>,
    pub(super) new_tickets: Vec<NewTicket>,
    /// Of earlier batches' tickets.
    pub(super) changed_tickets: Vec<TicketChange>,
    pub(super) refunds: Vec<NewRefund>,
    pub(super) scans: Vec<NewScan>,
    /// What people are to be told, and since when.
    pub(super) mail: Vec<(MailMessage, UnixMillis)>,
    pub(super) index: Index,
}

/// Where in the vectors a row stands that this batch has touched before.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) quotas: HashMap<(EventId, QuotaId), usize>,
    pub(super) ticket_types: HashMap<(EventId, TicketTypeId), usize>,
    pub(super) new_holds: HashMap<(EventId, HoldId), usize>,
    pub(super) changed_holds: HashMap<(EventId, HoldId), usize>,
    pub(super) orders: HashMap<(EventId, OrderId), usize>,
}

/// A watermark's move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Advance {
    pub(super) from: Sequence,
    pub(super) to: Sequence,
}

/// An event that was created or changed.
#[derive(Debug, Default)]
pub(super) struct EventChange {
    pub(super) details: Option<EventDetails>,
    pub(super) status: Option<EventStatus>,
    pub(super) version: Sequence,
}

/// What is added to a pair of counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct UnitChange {
    pub(super) held: i64,
    pub(super) sold: i64,
}

/// Where a hold stands, as the database's check lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HoldStatus {
    Held,
    Confirmed,
    Released,
    Expired,
}

impl HoldStatus {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Confirmed => "confirmed",
            Self::Released => "released",
            Self::Expired => "expired",
        }
    }
}

/// A hold that was placed in this batch, as the batch leaves it.
#[derive(Debug)]
pub(super) struct NewHold {
    pub(super) event_id: EventId,
    pub(super) hold_id: HoldId,
    pub(super) buyer_id: BuyerId,
    pub(super) status: HoldStatus,
    pub(super) lines: Lines,
    pub(super) total: Money,
    pub(super) placed_at: UnixMillis,
    pub(super) expires_at: UnixMillis,
    pub(super) seq: Sequence,
}

/// An earlier batch's hold, as far as this batch changes it.
#[derive(Debug)]
pub(super) struct ChangedHold {
    pub(super) event_id: EventId,
    pub(super) hold_id: HoldId,
    pub(super) status: Option<HoldStatus>,
    pub(super) expires_at: Option<UnixMillis>,
    pub(super) seq: Sequence,
}
