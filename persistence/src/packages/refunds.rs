//! Refunds of single tickets of package orders. The projection asks for them; the package's payment gives them back.

use onsale_domain::{EventId, PackageOrderId, RefundId, UnixMillis};

use crate::convert::{limit_out, timestamp};
use crate::read::RefundStatus;
use crate::{Database, DatabaseError};

/// A refund of some tickets of a leg that waits for the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackageRefund {
    /// Of which event the tickets are.
    pub event_id: EventId,
    /// Identity.
    pub refund_id: RefundId,
    /// How much, in the package's currency.
    pub amount_minor: i64,
}

impl Database {
    /// Refunds of a package order's legs that wait, the oldest first.
    pub async fn pending_package_refunds(
        &self,
        package_order_id: PackageOrderId,
        limit: usize,
    ) -> Result<Vec<PackageRefund>, DatabaseError> {
        let rows = sqlx::query!(
            r#"SELECT refund.event_id, refund.refund_id, refund.amount_minor
               FROM package_order_legs AS leg
               JOIN refunds AS refund ON refund.event_id = leg.event_id AND refund.order_id = leg.hold_id
               WHERE leg.package_order_id = $1 AND refund.status = 'pending'
               ORDER BY refund.requested_at, refund.refund_id LIMIT $2"#,
            package_order_id.0,
            limit_out(limit)
        )
        .fetch_all(self.pool())
        .await?;
        let refund = |event_id, refund_id, amount_minor| PackageRefund {
            event_id: EventId(event_id),
            refund_id: RefundId(refund_id),
            amount_minor,
        };
        Ok(rows
            .into_iter()
            .map(|row| refund(row.event_id, row.refund_id, row.amount_minor))
            .collect())
    }

    /// Settles a refund that waits, and counts what went back, unless all of it has gone back already. `false`: it was
    /// settled before.
    pub async fn settle_package_refund(
        &self,
        package_order_id: PackageOrderId,
        refund: PackageRefund,
        (status, failure): (RefundStatus, Option<&str>),
        now: UnixMillis,
    ) -> Result<bool, DatabaseError> {
        let mut transaction = self.begin().await?;
        let settled = sqlx::query!(
            "UPDATE refunds SET status = $3, failure = $4, settled_at = $5
             WHERE event_id = $1 AND refund_id = $2 AND status = 'pending'",
            refund.event_id.0,
            refund.refund_id.0,
            status.as_str(),
            failure,
            timestamp(now) as _
        )
        .execute(&mut *transaction)
        .await?
        .rows_affected()
            == 1;
        if settled && status == RefundStatus::Succeeded {
            sqlx::query!(
                "UPDATE package_orders SET refunded_minor = refunded_minor + $2,
                     payment = CASE WHEN refunded_minor + $2 = total_minor THEN 'refunded' ELSE payment END
                 WHERE package_order_id = $1 AND payment = 'captured'",
                package_order_id.0,
                refund.amount_minor
            )
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(settled)
    }
}
