//! The outbox of payment effects.

use onsale_domain::{EventId, Money, OrderId};

use super::status::{PaymentStatus, currency};
use crate::convert::limit_out;
use crate::{Database, DatabaseError};

/// A payment that waits for an effect at its gateway: its status says which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentToSettle {
    /// The order's event.
    pub event_id: EventId,
    /// The order.
    pub order_id: OrderId,
    /// Name of the gateway.
    pub gateway: String,
    /// The gateway's own reference.
    pub reference: Option<String>,
    /// What was authorized.
    pub amount: Money,
    /// `Authorized` (capture), `Voiding` (void) or `Refunding` (refund).
    pub status: PaymentStatus,
}

impl Database {
    /// Payments that wait for an effect, the oldest orders first, from the one after `after`.
    pub async fn payments_to_settle(
        &self,
        after: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<PaymentToSettle>, DatabaseError> {
        let rows = sqlx::query!(
            r#"SELECT event_id, order_id, gateway, reference, amount_minor, currency, status
               FROM payments WHERE status IN ('authorized', 'voiding', 'refunding')
                 AND ($1::uuid IS NULL OR order_id > $1)
               ORDER BY order_id LIMIT $2"#,
            after.map(|order_id| order_id.0),
            limit_out(limit)
        )
        .fetch_all(self.pool())
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(PaymentToSettle {
                    event_id: EventId(row.event_id),
                    order_id: OrderId(row.order_id),
                    gateway: row.gateway,
                    reference: row.reference,
                    amount: Money {
                        amount_minor: row.amount_minor,
                        currency: currency(&row.currency)?,
                    },
                    status: PaymentStatus::parse(&row.status)?,
                })
            })
            .collect()
    }

    /// Moves a payment on after its effect. `false`: it no longer stands at `from`, and nothing changed.
    ///
    /// A cancellation may overtake a capture: a payment that was captured at the gateway while its row went from
    /// `Authorized` to `Voiding` is to be marked from `Voiding` to `Refunding`.
    pub async fn mark_payment(
        &self,
        event_id: EventId,
        order_id: OrderId,
        from: PaymentStatus,
        to: PaymentStatus,
    ) -> Result<bool, DatabaseError> {
        let updated = sqlx::query!(
            r#"UPDATE payments SET status = $4
               WHERE event_id = $1 AND order_id = $2 AND status = $3"#,
            event_id.0,
            order_id.0,
            from.as_str(),
            to.as_str()
        )
        .execute(self.pool())
        .await?;
        Ok(updated.rows_affected() == 1)
    }
}
