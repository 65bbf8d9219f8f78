//! Orders, with their lines, payment and tickets.

use jiff_sqlx::Timestamp;
use onsale_domain::money::Currency;
use onsale_domain::{
    BuyerId, EventId, OrderId, OrganizationId, PackageOrderId, RefundId, Sequence, TicketId, TicketTypeId,
    UnixMillis,
};
use serde::Deserialize;
use sqlx::types::Json;
use uuid::Uuid;

use super::lines::LineRow;
use super::status::{OrderStatus, PaymentStatus, RefundStatus, TicketStatus, currency};
use crate::convert::{limit_out, millis, seq_in, uuids};
use crate::{Database, DatabaseError};

/// An order and all that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRow {
    /// Whose inventory it is from.
    pub event_id: EventId,
    /// Identity; the same as its hold's.
    pub order_id: OrderId,
    /// Who bought.
    pub buyer_id: BuyerId,
    /// Where it stands.
    pub status: OrderStatus,
    /// Currency of its amounts.
    pub currency: Currency,
    /// Sum of the lines.
    pub total_minor: i64,
    /// The fees in it.
    pub fees_minor: i64,
    /// The tax in it.
    pub tax_minor: i64,
    /// How much of it goes back or went back for single tickets.
    pub refunded_minor: i64,
    /// The package order that it is a leg of.
    pub package_order_id: Option<PackageOrderId>,
    /// When it came into being: when its payment began, or when it was confirmed.
    pub placed_at: UnixMillis,
    /// When it was confirmed.
    pub confirmed_at: Option<UnixMillis>,
    /// When it was cancelled.
    pub cancelled_at: Option<UnixMillis>,
    /// Last record that changed it.
    pub seq: Sequence,
    /// What was bought, in the order of the request.
    pub lines: Vec<LineRow>,
    /// How it was paid; `None` for a free order.
    pub payment: Option<PaymentRow>,
    /// Its tickets, in the order of their ids.
    pub tickets: Vec<TicketRow>,
    /// Its refunds, the oldest first.
    pub refunds: Vec<RefundRow>,
}

/// Which orders to list.
#[derive(Clone, Debug, Default)]
pub struct OrderFilter {
    /// Of events of these organizations; `None`: of all.
    pub organizations: Option<Vec<OrganizationId>>,
    /// Of this event.
    pub event_id: Option<EventId>,
    /// Of this buyer.
    pub buyer_id: Option<BuyerId>,
    /// That stand here.
    pub status: Option<OrderStatus>,
}

/// Money that goes back, or went back, for some of an order's tickets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundRow {
    /// Identity.
    pub refund_id: RefundId,
    /// Its order.
    pub order_id: OrderId,
    /// How much, in the order's currency.
    pub amount_minor: i64,
    /// Where it stands.
    pub status: RefundStatus,
    /// The provider's word where it failed; for staff.
    pub failure: Option<String>,
    /// When it was asked for.
    pub requested_at: UnixMillis,
    /// The tickets, in the order of their ids.
    pub tickets: Vec<TicketId>,
}

/// How an order was paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRow {
    /// Name of the gateway.
    pub gateway: String,
    /// The gateway's own reference; `None` while it has not told.
    pub reference: Option<String>,
    /// What was asked for, in the order's currency.
    pub amount_minor: i64,
    /// Where it stands.
    pub status: PaymentStatus,
    /// What was decided about it, where there was something to decide; for staff.
    pub decision: Option<String>,
}

/// A ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketRow {
    /// Identity.
    pub ticket_id: TicketId,
    /// Its order.
    pub order_id: OrderId,
    /// Its type.
    pub ticket_type_id: TicketTypeId,
    /// The code printed on it.
    pub code: String,
    /// Where it stands.
    pub status: TicketStatus,
    /// Whose it is.
    pub owner_id: BuyerId,
    /// Raised by each transfer; from 1.
    pub version: u32,
}

/// As the columns come.
struct RawOrder {
    event_id: Uuid,
    order_id: Uuid,
    buyer_id: Uuid,
    status: String,
    currency: String,
    total_minor: i64,
    fees_minor: i64,
    tax_minor: i64,
    refunded_minor: i64,
    package_order_id: Option<Uuid>,
    placed_at: Timestamp,
    confirmed_at: Option<Timestamp>,
    cancelled_at: Option<Timestamp>,
    seq: i64,
    lines: Json<Vec<LineRow>>,
    payment: Option<Json<RawPayment>>,
    tickets: Json<Vec<RawTicket>>,
    refunds: Json<Vec<RawRefund>>,
}

#[derive(Deserialize)]
struct RawPayment {
    gateway: String,
    reference: Option<String>,
    amount_minor: i64,
    status: String,
    decision: Option<String>,
}

#[derive(Deserialize)]
struct RawRefund {
    refund_id: RefundId,
    amount_minor: i64,
    status: String,
    failure: Option<String>,
    requested_at_ms: i64,
    tickets: Vec<TicketId>,
}

#[derive(Deserialize)]
struct RawTicket {
    ticket_id: TicketId,
    ticket_type_id: TicketTypeId,
    code: String,
    status: String,
    owner_id: BuyerId,
    version: u32,
}

impl TryFrom<RawOrder> for OrderRow {
    type Error = DatabaseError;

    fn try_from(raw: RawOrder) -> Result<Self, DatabaseError> {
        let order_id = OrderId(raw.order_id);
        let payment = raw
            .payment
            .map(|Json(payment)| {
                Ok::<_, DatabaseError>(PaymentRow {
                    gateway: payment.gateway,
                    reference: payment.reference,
                    amount_minor: payment.amount_minor,
                    status: PaymentStatus::parse(&payment.status)?,
                    decision: payment.decision,
                })
            })
            .transpose()?;
        let refunds = raw
            .refunds
            .0
            .into_iter()
            .map(|refund| refund.of_order(order_id))
            .collect::<Result<_, DatabaseError>>()?;
        let tickets = raw
            .tickets
            .0
            .into_iter()
            .map(|ticket| {
                Ok(TicketRow {
                    ticket_id: ticket.ticket_id,
                    order_id,
                    ticket_type_id: ticket.ticket_type_id,
                    code: ticket.code,
                    status: TicketStatus::parse(&ticket.status)?,
                    owner_id: ticket.owner_id,
                    version: ticket.version,
                })
            })
            .collect::<Result<_, DatabaseError>>()?;
        Ok(Self {
            event_id: EventId(raw.event_id),
            order_id,
            buyer_id: BuyerId(raw.buyer_id),
            status: OrderStatus::parse(&raw.status)?,
            currency: currency(&raw.currency)?,
            total_minor: raw.total_minor,
            fees_minor: raw.fees_minor,
            tax_minor: raw.tax_minor,
            refunded_minor: raw.refunded_minor,
            package_order_id: raw.package_order_id.map(PackageOrderId),
            placed_at: millis(raw.placed_at),
            confirmed_at: raw.confirmed_at.map(millis),
            cancelled_at: raw.cancelled_at.map(millis),
            seq: seq_in(raw.seq),
            lines: raw.lines.0,
            payment,
            tickets,
            refunds,
        })
    }
}

impl RawRefund {
    fn of_order(self, order_id: OrderId) -> Result<RefundRow, DatabaseError> {
        Ok(RefundRow {
            refund_id: self.refund_id,
            order_id,
            amount_minor: self.amount_minor,
            status: RefundStatus::parse(&self.status)?,
            failure: self.failure,
            requested_at: UnixMillis(self.requested_at_ms),
            tickets: self.tickets,
        })
    }
}

impl Database {
    /// One order.
    pub async fn order(
        &self,
        event_id: EventId,
        order_id: OrderId,
    ) -> Result<Option<OrderRow>, DatabaseError> {
        let mut orders = self.orders_by_key(&[event_id.0], &[order_id.0]).await?;
        Ok(orders.pop())
    }

    /// Orders by their keys; those that there are, in the order of their ids.
    pub async fn orders_of_keys(&self, keys: &[(EventId, OrderId)]) -> Result<Vec<OrderRow>, DatabaseError> {
        let (event_ids, order_ids): (Vec<Uuid>, Vec<Uuid>) = keys
            .iter()
            .map(|(event_id, order_id)| (event_id.0, order_id.0))
            .unzip();
        self.orders_by_key(&event_ids, &order_ids).await
    }

    /// Orders of a buyer, the newest first, from the one before `before`.
    pub async fn orders_of_buyer(
        &self,
        buyer_id: BuyerId,
        before: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<OrderRow>, DatabaseError> {
        let keys = sqlx::query!(
            r#"SELECT event_id, order_id FROM ticket_orders
               WHERE buyer_id = $1 AND order_id < $2 ORDER BY order_id DESC LIMIT $3"#,
            buyer_id.0,
            before.map_or(Uuid::max(), |id| id.0),
            limit_out(limit)
        )
        .fetch_all(self.pool())
        .await?;
        let (event_ids, order_ids): (Vec<Uuid>, Vec<Uuid>) =
            keys.into_iter().map(|key| (key.event_id, key.order_id)).unzip();
        self.newest_first(&event_ids, &order_ids).await
    }

    /// Orders as staff list them, the newest first, from the one before `before`.
    pub async fn orders(
        &self,
        filter: &OrderFilter,
        before: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<OrderRow>, DatabaseError> {
        let organizations = uuids(filter.organizations.as_deref());
        let keys = sqlx::query!(
            r#"SELECT o.event_id, o.order_id FROM ticket_orders AS o
               WHERE o.order_id < $1
                 AND ($2::uuid IS NULL OR o.event_id = $2)
                 AND ($3::uuid IS NULL OR o.buyer_id = $3)
                 AND ($4::text IS NULL OR o.status = $4)
                 AND ($5::uuid[] IS NULL OR EXISTS (
                     SELECT FROM events AS event
                     WHERE event.event_id = o.event_id AND event.organization_id = ANY ($5)))
               ORDER BY o.order_id DESC LIMIT $6"#,
            before.map_or(Uuid::max(), |id| id.0),
            filter.event_id.map(|id| id.0),
            filter.buyer_id.map(|id| id.0),
            filter.status.map(OrderStatus::as_str),
            organizations.as_deref(),
            limit_out(limit)
        )
        .fetch_all(self.pool())
        .await?;
        let (event_ids, order_ids): (Vec<Uuid>, Vec<Uuid>) =
            keys.into_iter().map(|key| (key.event_id, key.order_id)).unzip();
        self.newest_first(&event_ids, &order_ids).await
    }

    async fn newest_first(
        &self,
        event_ids: &[Uuid],
        order_ids: &[Uuid],
    ) -> Result<Vec<OrderRow>, DatabaseError> {
        let mut orders = self.orders_by_key(event_ids, order_ids).await?;
        orders.reverse();
        Ok(orders)
    }

    /// Orders in the order of their ids. One statement, so that an order and what belongs to it fit together.
    async fn orders_by_key(
        &self,
        event_ids: &[Uuid],
        order_ids: &[Uuid],
    ) -> Result<Vec<OrderRow>, DatabaseError> {
        sqlx::query_as!(
            RawOrder,
            r#"SELECT o.event_id, o.order_id, o.buyer_id, o.status, o.currency, o.total_minor,
                   o.fees_minor, o.tax_minor, o.refunded_minor, o.package_order_id,
                   o.placed_at AS "placed_at: Timestamp", o.confirmed_at AS "confirmed_at: Timestamp", o.cancelled_at AS "cancelled_at: Timestamp", o.seq,
                   (SELECT COALESCE(jsonb_agg(jsonb_build_object('ticket_type_id', line.ticket_type_id,
                        'quantity', line.quantity, 'unit_price_minor', line.unit_price_minor,
                        'unit_fee_minor', line.unit_fee_minor, 'tax_basis_points', line.tax_basis_points,
                        'tax_inclusive', line.tax_inclusive)
                        ORDER BY line.position), '[]')
                    FROM order_lines AS line
                    WHERE line.event_id = o.event_id AND line.order_id = o.order_id)
                       AS "lines!: Json<Vec<LineRow>>",
                   (SELECT jsonb_build_object('gateway', payment.gateway, 'reference', payment.reference,
                        'amount_minor', payment.amount_minor, 'status', payment.status,
                        'decision', payment.decision)
                    FROM payments AS payment
                    WHERE payment.event_id = o.event_id AND payment.order_id = o.order_id)
                       AS "payment?: Json<RawPayment>",
                   (SELECT COALESCE(jsonb_agg(jsonb_build_object('ticket_id', ticket.ticket_id,
                        'ticket_type_id', ticket.ticket_type_id, 'code', ticket.code, 'status', ticket.status,
                        'owner_id', ticket.owner_id, 'version', ticket.version)
                        ORDER BY ticket.ticket_id), '[]')
                    FROM tickets AS ticket
                    WHERE ticket.event_id = o.event_id AND ticket.order_id = o.order_id)
                       AS "tickets!: Json<Vec<RawTicket>>",
                   (SELECT COALESCE(jsonb_agg(jsonb_build_object('refund_id', refund.refund_id,
                        'amount_minor', refund.amount_minor, 'status', refund.status, 'failure', refund.failure,
                        'requested_at_ms', (extract(epoch FROM refund.requested_at) * 1000)::bigint,
                        'tickets', (SELECT COALESCE(jsonb_agg(ticket.ticket_id ORDER BY ticket.ticket_id), '[]')
                            FROM tickets AS ticket
                            WHERE ticket.event_id = refund.event_id AND ticket.order_id = refund.order_id
                              AND ticket.refund_id = refund.refund_id))
                        ORDER BY refund.refund_id), '[]')
                    FROM refunds AS refund
                    WHERE refund.event_id = o.event_id AND refund.order_id = o.order_id)
                       AS "refunds!: Json<Vec<RawRefund>>"
               FROM unnest($1::uuid[], $2::uuid[]) AS key (event_id, order_id)
               JOIN ticket_orders AS o ON o.event_id = key.event_id AND o.order_id = key.order_id
               ORDER BY o.order_id"#,
            event_ids,
            order_ids
        )
        .fetch_all(self.pool())
        .await?
        .into_iter()
        .map(OrderRow::try_from)
        .collect()
    }
}
