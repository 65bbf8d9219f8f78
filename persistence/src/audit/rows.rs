//! The rows, as they are stored.

use std::collections::{BTreeMap, BTreeSet};

use onsale_domain::Sequence;
use uuid::Uuid;

/// Counters of a quota or ticket type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Units in all; for a ticket type 0, its quota has them.
    pub capacity: i64,
    /// Units in live holds.
    pub held: i64,
    /// Units in orders that are not cancelled.
    pub sold: i64,
}

/// A hold's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldRow {
    /// For whom.
    pub buyer_id: Uuid,
    /// Where it stands, as stored.
    pub status: String,
    /// Sum of the lines.
    pub total_minor: i64,
    /// When it ends, in milliseconds since 1970.
    pub expires_at_ms: i64,
}

/// An order's row. Times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRow {
    /// For whom.
    pub buyer_id: Uuid,
    /// Where it stands, as stored; among the expected rows never `paid`, which the payment worker writes.
    pub status: String,
    /// Currency of the amounts.
    pub currency: String,
    /// Sum of the lines.
    pub total_minor: i64,
    /// The fees in it.
    pub fees_minor: i64,
    /// The tax in it.
    pub tax_minor: i64,
    /// What its refunds give back.
    pub refunded_minor: i64,
    /// The package order that it is a leg of.
    pub package_order_id: Option<Uuid>,
    /// Since when there is an order.
    pub placed_at_ms: i64,
    /// Since when it has tickets.
    pub confirmed_at_ms: Option<i64>,
    /// When it was cancelled after that.
    pub cancelled_at_ms: Option<i64>,
    /// When it ended without tickets.
    pub ended_at_ms: Option<i64>,
}

/// A line of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderLineRow {
    /// Of which type.
    pub ticket_type_id: Uuid,
    /// How many tickets, those included that were refunded.
    pub quantity: i64,
    /// Price of one ticket.
    pub unit_price_minor: i64,
    /// Fee on one ticket.
    pub unit_fee_minor: i64,
    /// Tax on price and fee, in hundredths of a percent.
    pub tax_basis_points: i32,
    /// Whether price and fee contain it.
    pub tax_inclusive: bool,
}

/// A ticket's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketRow {
    /// Its order.
    pub order_id: Uuid,
    /// Its type.
    pub ticket_type_id: Uuid,
    /// The code printed on it.
    pub code: String,
    /// Where it stands, as stored.
    pub status: String,
    /// Raised by each transfer.
    pub version: i32,
    /// Whose it is.
    pub owner_id: Uuid,
    /// The refund that took it back.
    pub refund_id: Option<Uuid>,
}

/// A payment's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRow {
    /// Name of the gateway.
    pub gateway: String,
    /// The gateway's own reference.
    pub reference: Option<String>,
    /// What is asked for.
    pub amount_minor: i64,
    /// Currency of the amount.
    pub currency: String,
    /// As stored; among the expected rows `pending`, `authorized`, `declined` or `voiding`, from which the payment
    /// worker moves on.
    pub status: String,
    /// What went back after it was captured.
    pub refunded_minor: i64,
}

/// A refund's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundRow {
    /// Of which order.
    pub order_id: Uuid,
    /// Whose order it is.
    pub buyer_id: Uuid,
    /// What goes back.
    pub amount_minor: i64,
    /// Currency of the amount.
    pub currency: String,
    /// As stored; among the expected rows `pending`, from which the payment worker moves on, or `succeeded` where
    /// nothing goes back.
    pub status: String,
    /// When it was asked for, in milliseconds since 1970.
    pub requested_at_ms: i64,
    /// Whether the time of its end is known.
    pub is_settled: bool,
}

/// A scan that let somebody through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckInRow {
    /// Which ticket.
    pub ticket_id: Uuid,
    /// Where.
    pub gate: String,
    /// `in` or `out`, as stored.
    pub direction: String,
    /// When it was scanned, in milliseconds since 1970.
    pub scanned_at_ms: i64,
    /// When it was recorded, in milliseconds since 1970.
    pub recorded_at_ms: i64,
}

/// One event's rows, by their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// The rows hold the records up to this one; 0: none was projected.
    pub watermark: Sequence,
    /// Where the event stands; `None` when it has no row.
    pub event_status: Option<String>,
    /// Counters of each quota.
    pub quotas: BTreeMap<Uuid, Counters>,
    /// Counters of each ticket type.
    pub ticket_types: BTreeMap<Uuid, Counters>,
    /// The quota that each ticket type draws from.
    pub quota_ids: BTreeMap<Uuid, Uuid>,
    /// Holds in any state.
    pub holds: BTreeMap<Uuid, HoldRow>,
    /// Orders in any state.
    pub orders: BTreeMap<Uuid, OrderRow>,
    /// The lines of each order, in their order.
    pub order_lines: BTreeMap<Uuid, Vec<OrderLineRow>>,
    /// Payments, by the order that they are for.
    pub payments: BTreeMap<Uuid, PaymentRow>,
    /// Orders whose payment a job will look at, given up or not.
    pub payment_jobs: BTreeSet<Uuid>,
    /// Refunds in any state.
    pub refunds: BTreeMap<Uuid, RefundRow>,
    /// Tickets in any state.
    pub tickets: BTreeMap<Uuid, TicketRow>,
    /// Scans, by the sequence of their record.
    pub check_ins: BTreeMap<Sequence, CheckInRow>,
}
