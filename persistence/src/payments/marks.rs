//! Moving payments on.

use onsale_domain::{EventId, OrderId, UnixMillis};

use crate::convert::timestamp;
use crate::read::PaymentStatus;
use crate::{Database, DatabaseError};

impl Database {
    /// Moves a payment on. `false`: it no longer stands at `from`, and nothing changed.
    pub async fn mark_payment(
        &self,
        event_id: EventId,
        order_id: OrderId,
        from: PaymentStatus,
        to: PaymentStatus,
    ) -> Result<bool, DatabaseError> {
        self.move_payment(event_id, order_id, (from, to), None).await
    }

    /// Moves a payment on, with what was decided about it. `false`: it no longer stands at `from`, and nothing
    /// changed.
    pub async fn decide_payment(
        &self,
        event_id: EventId,
        order_id: OrderId,
        (from, to): (PaymentStatus, PaymentStatus),
        decision: &str,
    ) -> Result<bool, DatabaseError> {
        self.move_payment(event_id, order_id, (from, to), Some(decision))
            .await
    }

    async fn move_payment(
        &self,
        event_id: EventId,
        order_id: OrderId,
        (from, to): (PaymentStatus, PaymentStatus),
        decision: Option<&str>,
    ) -> Result<bool, DatabaseError> {
        let updated = sqlx::query!(
            r#"UPDATE payments SET status = $4, decision = coalesce($5, decision)
               WHERE event_id = $1 AND order_id = $2 AND status = $3"#,
            event_id.0,
            order_id.0,
            from.as_str(),
            to.as_str(),
            decision
        )
        .execute(self.pool())
        .await?;
        Ok(updated.rows_affected() == 1)
    }

    /// An authorized payment was captured. Gives whether refunds of the order wait for that; `None`: the payment no longer
    /// stands at [`PaymentStatus::Authorized`], and nothing changed.
    pub async fn mark_payment_captured(
        &self,
        event_id: EventId,
        order_id: OrderId,
    ) -> Result<Option<bool>, DatabaseError> {
        let awaited = sqlx::query_scalar!(
            r#"UPDATE payments AS payment SET status = 'captured'
               WHERE event_id = $1 AND order_id = $2 AND status = 'authorized'
               RETURNING EXISTS (
                   SELECT FROM refunds AS refund
                   WHERE refund.event_id = payment.event_id AND refund.order_id = payment.order_id
                     AND refund.status = 'pending') AS "awaited!""#,
            event_id.0,
            order_id.0
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(awaited)
    }

    /// Keeps the provider's reference of a payment that has none.
    pub async fn note_payment_reference(
        &self,
        event_id: EventId,
        order_id: OrderId,
        reference: &str,
    ) -> Result<(), DatabaseError> {
        sqlx::query!(
            r#"UPDATE payments SET reference = $3
               WHERE event_id = $1 AND order_id = $2 AND reference IS NULL"#,
            event_id.0,
            order_id.0,
            // Postgres stores every text but one with a NUL, which no gateway should have sent.
            reference.replace('\0', "\u{fffd}")
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// The provider has the money of a pending order: it is paid, and will be confirmed.
    pub async fn mark_order_paid(&self, event_id: EventId, order_id: OrderId) -> Result<(), DatabaseError> {
        sqlx::query!(
            r#"UPDATE ticket_orders SET status = 'paid'
               WHERE event_id = $1 AND order_id = $2 AND status = 'pending'"#,
            event_id.0,
            order_id.0
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// A payment was let go, and with it went back what refunds of the order still waited for. `false`: it no longer
    /// stands at [`PaymentStatus::Voiding`], and nothing changed.
    pub async fn mark_payment_voided(
        &self,
        event_id: EventId,
        order_id: OrderId,
        now: UnixMillis,
    ) -> Result<bool, DatabaseError> {
        let voided = sqlx::query_scalar!(
            r#"WITH voided AS (
                   UPDATE payments SET status = 'voided'
                   WHERE event_id = $1 AND order_id = $2 AND status = 'voiding'
                   RETURNING event_id, order_id
               ), settled AS (
                   UPDATE refunds AS refund SET status = 'succeeded', settled_at = $3
                   FROM voided
                   WHERE refund.event_id = voided.event_id AND refund.order_id = voided.order_id
                     AND refund.status = 'pending'
               )
               SELECT count(*) AS "count!" FROM voided"#,
            event_id.0,
            order_id.0,
            timestamp(now) as _
        )
        .fetch_one(self.pool())
        .await?;
        Ok(voided == 1)
    }

    /// All of a payment that was captured has gone back. `false`: it no longer stands at
    /// [`PaymentStatus::Refunding`], and nothing changed.
    pub async fn mark_payment_refunded(
        &self,
        event_id: EventId,
        order_id: OrderId,
    ) -> Result<bool, DatabaseError> {
        let updated = sqlx::query!(
            r#"UPDATE payments SET status = 'refunded', refunded_minor = amount_minor
               WHERE event_id = $1 AND order_id = $2 AND status = 'refunding'"#,
            event_id.0,
            order_id.0
        )
        .execute(self.pool())
        .await?;
        Ok(updated.rows_affected() == 1)
    }
}
