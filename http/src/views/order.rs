//! Orders.

use jiff::Timestamp;
use onsale_domain::money::Currency;
use onsale_domain::record::{Line, PaymentAuthorization};
use onsale_domain::{Money, UnixMillis};
use onsale_services::{
    CancelledOrder, OrderRow, OrderStatus, PaymentRow, PaymentStatus, Purchased, TicketRow, TicketStatus,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::MoneyView;
use super::hold::{LineView, line_views};

/// How an order was paid.
#[derive(Serialize, ToSchema)]
#[schema(as = Payment)]
pub(crate) struct PaymentView {
    /// `authorized`, `captured`, `voiding`, `voided`, `refunding` or `refunded`.
    status: &'static str,
    amount: MoneyView,
    /// Name of the payment gateway.
    gateway: String,
    /// The gateway's reference, once it has told.
    reference: Option<String>,
}

/// A ticket of an order.
#[derive(Serialize, ToSchema)]
#[schema(as = Ticket)]
pub(crate) struct TicketView {
    id: Uuid,
    ticket_type_id: Uuid,
    /// What is printed on it.
    code: String,
    /// `valid`, `used`, `cancelled` or `transferred`.
    status: &'static str,
}

/// An order. It has the id of the hold that it was made from.
#[derive(Serialize, ToSchema)]
#[schema(as = Order)]
pub(crate) struct OrderView {
    id: Uuid,
    event_id: Uuid,
    /// `confirmed`, `cancelled`, `refunded` or `partially_refunded`.
    status: &'static str,
    lines: Vec<LineView>,
    total: MoneyView,
    /// `null` for a free order.
    payment: Option<PaymentView>,
    tickets: Vec<TicketView>,
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

/// The order as its record tells it: the same each time the record is told.
impl From<Purchased> for OrderView {
    fn from(purchased: Purchased) -> Self {
        let order = purchased.order;
        Self {
            id: order.hold_id.0,
            event_id: purchased.event_id.0,
            status: OrderStatus::Confirmed.as_str(),
            lines: line_views(&order.lines, order.total.currency),
            total: order.total.into(),
            payment: order.payment.map(PaymentView::from),
            tickets: order
                .tickets
                .iter()
                .map(|ticket| TicketView {
                    id: ticket.id.0,
                    ticket_type_id: ticket.ticket_type_id.0,
                    code: ticket.code.to_string(),
                    status: TicketStatus::Valid.as_str(),
                })
                .collect(),
            confirmed_at: Some(order.at.to_timestamp()),
            cancelled_at: None,
            seq: purchased.seq,
        }
    }
}

impl From<OrderRow> for OrderView {
    fn from(order: OrderRow) -> Self {
        let currency = order.currency;
        let lines: Vec<Line> = order.lines.into_iter().map(Line::from).collect();
        Self {
            id: order.order_id.0,
            event_id: order.event_id.0,
            status: order.status.as_str(),
            lines: line_views(&lines, currency),
            total: MoneyView {
                amount: order.total_minor,
                currency,
            },
            payment: order
                .payment
                .map(|payment| PaymentView::of_row(payment, currency)),
            tickets: order.tickets.into_iter().map(TicketView::from).collect(),
            confirmed_at: order.confirmed_at.map(UnixMillis::to_timestamp),
            cancelled_at: order.cancelled_at.map(UnixMillis::to_timestamp),
            seq: order.seq,
        }
    }
}

impl From<PaymentAuthorization> for PaymentView {
    fn from(payment: PaymentAuthorization) -> Self {
        Self {
            status: PaymentStatus::Authorized.as_str(),
            amount: payment.amount.into(),
            gateway: payment.gateway.as_str().to_owned(),
            reference: Some(payment.reference),
        }
    }
}

impl PaymentView {
    pub(super) fn new(
        status: PaymentStatus,
        amount: Money,
        gateway: String,
        reference: Option<String>,
    ) -> Self {
        Self {
            status: status.as_str(),
            amount: amount.into(),
            gateway,
            reference,
        }
    }

    fn of_row(payment: PaymentRow, currency: Currency) -> Self {
        Self {
            status: payment.status.as_str(),
            amount: MoneyView {
                amount: payment.amount_minor,
                currency,
            },
            gateway: payment.gateway,
            reference: payment.reference,
        }
    }
}

impl From<TicketRow> for TicketView {
    fn from(ticket: TicketRow) -> Self {
        Self {
            id: ticket.ticket_id.0,
            ticket_type_id: ticket.ticket_type_id.0,
            code: ticket.code,
            status: ticket.status.as_str(),
        }
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
