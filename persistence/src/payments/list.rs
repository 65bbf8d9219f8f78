//! Payments as staff list them.

use jiff_sqlx::Timestamp;
use onsale_domain::{EventId, Money, OrderId, OrganizationId, UnixMillis};
use uuid::Uuid;

use crate::convert::{limit_out, millis, uuids};
use crate::read::{PaymentStatus, currency};
use crate::{Database, DatabaseError};

/// Which payments to list.
#[derive(Clone, Debug, Default)]
pub struct PaymentFilter {
    /// Of events of these organizations; `None`: of all.
    pub organizations: Option<Vec<OrganizationId>>,
    /// Of this event.
    pub event_id: Option<EventId>,
    /// That stand here.
    pub status: Option<PaymentStatus>,
}

/// A payment of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedPayment {
    /// The order's event.
    pub event_id: EventId,
    /// The order.
    pub order_id: OrderId,
    /// Name of the gateway.
    pub gateway: String,
    /// The gateway's own reference, once it has told.
    pub reference: Option<String>,
    /// What was asked for.
    pub amount: Money,
    /// How much of it went back after it was captured.
    pub refunded_minor: i64,
    /// Where it stands.
    pub status: PaymentStatus,
    /// What was decided about it, where there was something to decide.
    pub decision: Option<String>,
    /// When it began.
    pub started_at: Option<UnixMillis>,
}

impl Database {
    /// Payments, those of the newest orders first, from the one before `before`.
    pub async fn payments(
        &self,
        filter: &PaymentFilter,
        before: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<ListedPayment>, DatabaseError> {
        let organizations = uuids(filter.organizations.as_deref());
        let rows = sqlx::query!(
            r#"SELECT payment.event_id, payment.order_id, payment.gateway, payment.reference, payment.amount_minor,
                   payment.currency, payment.refunded_minor, payment.status, payment.decision,
                   payment.started_at AS "started_at: Timestamp"
               FROM payments AS payment
               WHERE payment.order_id < $1
                 AND ($2::uuid IS NULL OR payment.event_id = $2)
                 AND ($3::text IS NULL OR payment.status = $3)
                 AND ($4::uuid[] IS NULL OR EXISTS (
                     SELECT FROM events AS event
                     WHERE event.event_id = payment.event_id AND event.organization_id = ANY ($4)))
               ORDER BY payment.order_id DESC LIMIT $5"#,
            before.map_or(Uuid::max(), |id| id.0),
            filter.event_id.map(|id| id.0),
            filter.status.map(PaymentStatus::as_str),
            organizations.as_deref(),
            limit_out(limit)
        )
        .fetch_all(self.pool())
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(ListedPayment {
                    event_id: EventId(row.event_id),
                    order_id: OrderId(row.order_id),
                    gateway: row.gateway,
                    reference: row.reference,
                    amount: Money {
                        amount_minor: row.amount_minor,
                        currency: currency(&row.currency)?,
                    },
                    refunded_minor: row.refunded_minor,
                    status: PaymentStatus::parse(&row.status)?,
                    decision: row.decision,
                    started_at: row.started_at.map(millis),
                })
            })
            .collect()
    }
}
