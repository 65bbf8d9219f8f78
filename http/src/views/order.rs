//! Orders.

use jiff::Timestamp;
use onsale_domain::price::totals;
use onsale_domain::record::Line;
use onsale_domain::{BuyerId, Totals, UnixMillis};
use onsale_services::{
    CancelledOrder, ConfirmedOrder, OrderRow, OrderStatus, PendingOrder, Purchased, TicketRow, TicketStatus,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::MoneyView;
use super::hold::{LineView, line_views};
use super::payment::{PaymentView, RefundView};

/// A ticket of an order.
#[derive(Serialize, ToSchema)]
#[schema(as = Ticket)]
pub(crate) struct TicketView {
    id: Uuid,
    ticket_type_id: Uuid,
    /// What is printed on it. Only who owns the ticket sees it: not who gave it away, and not staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// `valid`, `used`, `cancelled` or `refunded`.
    status: &'static str,
}

/// An order. It has the id of the hold that it was made from.
#[derive(Serialize, ToSchema)]
#[schema(as = Order)]
pub(crate) struct OrderView {
    id: Uuid,
    event_id: Uuid,
    /// `pending` while the payment provider decides, `paid` until its tickets are issued, `confirmed`, `cancelled`,
    /// `expired`, `refunded` or `partially_refunded`.
    status: &'static str,
    lines: Vec<LineView>,
    /// What the buyer pays.
    total: MoneyView,
    /// The fees in it.
    fees: MoneyView,
    /// The tax in it, whether it was in the prices or came on top.
    tax: MoneyView,
    /// `null` for a free order.
    payment: Option<PaymentView>,
    /// Money that goes back or went back for some of its tickets.
    refunds: Vec<RefundView>,
    /// Empty until it is confirmed.
    tickets: Vec<TicketView>,
    /// When it came into being.
    placed_at: Timestamp,
    /// Of a pending order as it is answered: until when its tickets are set aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    confirmed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled_at: Option<Timestamp>,
    /// Position in the event's journal.
    seq: u64,
}

/// An order that is cancelled.
#[derive(Serialize, ToSchema)]
#[schema(as = CancelledOrder)]
pub(crate) struct CancelledView {
    id: Uuid,
    event_id: Uuid,
    /// `cancelled`.
    status: &'static str,
    /// Position in the event's journal.
    seq: u64,
}

impl From<Purchased> for OrderView {
    fn from(purchased: Purchased) -> Self {
        match purchased {
            Purchased::Confirmed(order) => Self::from(*order),
            Purchased::Pending(order) => Self::from(*order),
        }
    }
}

/// The parts of a total, which the domain has checked before it made the record.
fn parts(lines: &[Line]) -> Totals {
    totals(lines).unwrap_or_default()
}

/// The order as its record tells it: the same each time the record is told.
impl From<ConfirmedOrder> for OrderView {
    fn from(confirmed: ConfirmedOrder) -> Self {
        let order = confirmed.order;
        let currency = order.total.currency;
        let money = |amount| MoneyView { amount, currency };
        let parts = parts(&order.lines);
        Self {
            id: order.hold_id.0,
            event_id: confirmed.event_id.0,
            status: OrderStatus::Confirmed.as_str(),
            lines: line_views(&order.lines, currency),
            total: order.total.into(),
            fees: money(parts.fees_minor),
            tax: money(parts.tax_minor),
            payment: order.payment.map(PaymentView::authorized),
            refunds: vec![],
            tickets: order
                .tickets
                .iter()
                .map(|ticket| TicketView {
                    id: ticket.id.0,
                    ticket_type_id: ticket.ticket_type_id.0,
                    code: Some(ticket.code.to_string()),
                    status: TicketStatus::Valid.as_str(),
                })
                .collect(),
            placed_at: order.pending_since.unwrap_or(order.at).to_timestamp(),
            expires_at: None,
            confirmed_at: Some(order.at.to_timestamp()),
            cancelled_at: None,
            seq: confirmed.seq,
        }
    }
}

impl From<PendingOrder> for OrderView {
    fn from(order: PendingOrder) -> Self {
        let currency = order.total.currency;
        let money = |amount| MoneyView { amount, currency };
        let parts = parts(&order.lines);
        Self {
            id: order.order_id.0,
            event_id: order.event_id.0,
            status: OrderStatus::Pending.as_str(),
            lines: line_views(&order.lines, currency),
            total: order.total.into(),
            fees: money(parts.fees_minor),
            tax: money(parts.tax_minor),
            payment: Some(PaymentView::pending(order.gateway, order.total, order.action)),
            refunds: vec![],
            tickets: vec![],
            placed_at: order.placed_at.to_timestamp(),
            expires_at: Some(order.expires_at.to_timestamp()),
            confirmed_at: None,
            cancelled_at: None,
            seq: order.seq,
        }
    }
}

impl From<OrderRow> for OrderView {
    fn from(order: OrderRow) -> Self {
        let currency = order.currency;
        let money = |amount| MoneyView { amount, currency };
        let lines: Vec<Line> = order.lines.into_iter().map(Line::from).collect();
        Self {
            id: order.order_id.0,
            event_id: order.event_id.0,
            status: order.status.as_str(),
            lines: line_views(&lines, currency),
            total: money(order.total_minor),
            fees: money(order.fees_minor),
            tax: money(order.tax_minor),
            payment: order
                .payment
                .map(|payment| PaymentView::of_row(payment, currency)),
            refunds: order
                .refunds
                .iter()
                .map(|refund| RefundView::of_row(refund, currency))
                .collect(),
            tickets: order
                .tickets
                .into_iter()
                .map(|ticket| TicketView::of_buyer(ticket, order.buyer_id))
                .collect(),
            placed_at: order.placed_at.to_timestamp(),
            expires_at: None,
            confirmed_at: order.confirmed_at.map(UnixMillis::to_timestamp),
            cancelled_at: order.cancelled_at.map(UnixMillis::to_timestamp),
            seq: order.seq,
        }
    }
}

/// An order as staff see it.
#[derive(Serialize, ToSchema)]
#[schema(as = StaffOrder)]
pub(crate) struct StaffOrderView {
    buyer_id: Uuid,
    /// What was decided about its payment, where there was something to decide: `reclaimed`, `undecided_in_time`,
    /// `amount_mismatch`, or the refusal that sent the money back.
    payment_decision: Option<String>,
    #[serde(flatten)]
    order: OrderView,
}

impl From<OrderRow> for StaffOrderView {
    fn from(row: OrderRow) -> Self {
        let (buyer_id, payment_decision) = (
            row.buyer_id.0,
            row.payment.as_ref().and_then(|payment| payment.decision.clone()),
        );
        let mut order = OrderView::from(row);
        order.tickets.iter_mut().for_each(TicketView::hide_code);
        Self {
            buyer_id,
            payment_decision,
            order,
        }
    }
}

impl TicketView {
    /// A ticket as the buyer of its order sees it.
    pub(super) fn of_buyer(ticket: TicketRow, buyer_id: BuyerId) -> Self {
        Self {
            id: ticket.ticket_id.0,
            ticket_type_id: ticket.ticket_type_id.0,
            code: (ticket.owner_id == buyer_id).then_some(ticket.code),
            status: ticket.status.as_str(),
        }
    }

    /// The same without what lets in.
    pub(super) fn hide_code(&mut self) {
        self.code = None;
    }
}

impl From<CancelledOrder> for CancelledView {
    fn from(cancelled: CancelledOrder) -> Self {
        Self {
            id: cancelled.order_id.0,
            event_id: cancelled.event_id.0,
            status: OrderStatus::Cancelled.as_str(),
            seq: cancelled.seq,
        }
    }
}
