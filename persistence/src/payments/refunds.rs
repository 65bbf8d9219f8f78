//! Refunds that wait for the provider.

use onsale_domain::{EventId, Money, OrderId, RefundId, UnixMillis};

use crate::convert::{limit_out, timestamp};
use crate::read::currency;
use crate::{Database, DatabaseError};

/// A refund that the provider has not settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefundToSettle {
    /// Identity.
    pub refund_id: RefundId,
    /// How much of the order's payment.
    pub amount: Money,
}

/// What became of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettledRefund<'a> {
    /// The money is on its way back.
    Succeeded,
    /// The provider refused, in these words.
    Failed(&'a str),
}

impl Database {
    /// Refunds of an order that the provider has not settled, the oldest first.
    pub async fn pending_refunds(
        &self,
        event_id: EventId,
        order_id: OrderId,
        limit: usize,
    ) -> Result<Vec<RefundToSettle>, DatabaseError> {
        let rows = sqlx::query!(
            r#"SELECT refund_id, amount_minor, currency FROM refunds
               WHERE event_id = $1 AND order_id = $2 AND status = 'pending'
               ORDER BY refund_id LIMIT $3"#,
            event_id.0,
            order_id.0,
            limit_out(limit)
        )
        .fetch_all(self.pool())
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(RefundToSettle {
                    refund_id: RefundId(row.refund_id),
                    amount: Money {
                        amount_minor: row.amount_minor,
                        currency: currency(&row.currency)?,
                    },
                })
            })
            .collect()
    }

    /// Settles a refund, once, and adds it to what went back of the payment. `false`: it was settled before.
    pub async fn settle_refund(
        &self,
        event_id: EventId,
        order_id: OrderId,
        refund_id: RefundId,
        outcome: SettledRefund<'_>,
        now: UnixMillis,
    ) -> Result<bool, DatabaseError> {
        let (status, failure) = match outcome {
            SettledRefund::Succeeded => ("succeeded", None),
            SettledRefund::Failed(reason) => ("failed", Some(reason.replace('\0', "\u{fffd}"))),
        };
        let settled = sqlx::query_scalar!(
            r#"WITH settled AS (
                   UPDATE refunds SET status = $4, failure = $5, settled_at = $6
                   WHERE event_id = $1 AND order_id = $2 AND refund_id = $3 AND status = 'pending'
                   RETURNING event_id, order_id, amount_minor, status
               ), added AS (
                   UPDATE payments AS payment
                   SET refunded_minor = payment.refunded_minor + settled.amount_minor,
                       status = CASE
                           WHEN payment.status IN ('captured', 'refunding')
                               AND payment.refunded_minor + settled.amount_minor = payment.amount_minor
                           THEN 'refunded' ELSE payment.status END
                   FROM settled
                   WHERE payment.event_id = settled.event_id AND payment.order_id = settled.order_id
                     AND settled.status = 'succeeded'
               )
               SELECT count(*) AS "count!" FROM settled"#,
            event_id.0,
            order_id.0,
            refund_id.0,
            status,
            failure,
            timestamp(now) as _
        )
        .fetch_one(self.pool())
        .await?;
        Ok(settled == 1)
    }
}
