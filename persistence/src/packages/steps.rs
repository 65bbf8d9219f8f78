//! The steps of a package order's saga. Each is one conditional update: `false` says that the order is not where the
//! step begins (somebody else has driven it on), and that nothing has changed.

use onsale_domain::{EventId, PackageOrderId, UnixMillis};

use super::orders::package_job;
use crate::convert::timestamp;
use crate::jobs::enqueue;
use crate::read::{PackageOrderState, PaymentStatus};
use crate::{Database, DatabaseError};

/// A step of a package order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PackageStep {
    /// All legs are held.
    Held,
    /// It is paid, or costs nothing.
    Paid {
        /// The gateway's own reference.
        reference: Option<String>,
        /// Whether the provider has taken the money already.
        is_captured: bool,
    },
    /// All legs are orders.
    Confirmed,
    /// Its legs are to be given back, and its money.
    Cancel {
        /// An error code of the API, or by whom.
        reason: String,
        /// The event that refused.
        refused_by: Option<EventId>,
        /// Whether the provider has said a final no, so that there is no money to give back.
        is_declined: bool,
    },
    /// Nothing of it is left.
    Cancelled,
}

impl PackageStep {
    const fn to(&self) -> PackageOrderState {
        match self {
            Self::Held => PackageOrderState::Paying,
            Self::Paid { .. } => PackageOrderState::Confirming,
            Self::Confirmed => PackageOrderState::Confirmed,
            Self::Cancel { .. } => PackageOrderState::Cancelling,
            Self::Cancelled => PackageOrderState::Cancelled,
        }
    }

    /// Where the payment goes, where the step moves it.
    fn payment(&self, present: Option<PaymentStatus>) -> Option<PaymentStatus> {
        match (self, present?) {
            (
                Self::Paid {
                    is_captured: true, ..
                },
                _,
            ) => Some(PaymentStatus::Captured),
            (Self::Paid { .. }, _) => Some(PaymentStatus::Authorized),
            (
                Self::Cancel {
                    is_declined: true, ..
                },
                _,
            ) => Some(PaymentStatus::Declined),
            (Self::Cancel { .. }, PaymentStatus::Captured) => Some(PaymentStatus::Refunding),
            (Self::Cancel { .. }, PaymentStatus::Pending | PaymentStatus::Authorized) => {
                Some(PaymentStatus::Voiding)
            }
            (_, present) => Some(present),
        }
    }
}

impl Database {
    /// Makes a step from a state and a payment. Where there is more to do afterwards, the job is due now.
    pub async fn step_package_order(
        &self,
        package_order_id: PackageOrderId,
        (from, payment): (PackageOrderState, Option<PaymentStatus>),
        step: &PackageStep,
        now: UnixMillis,
    ) -> Result<bool, DatabaseError> {
        let (reference, reason, refused_by) = match step {
            PackageStep::Paid { reference, .. } => (reference.as_deref(), None, None),
            PackageStep::Cancel {
                reason, refused_by, ..
            } => (None, Some(reason.as_str()), *refused_by),
            PackageStep::Held | PackageStep::Confirmed | PackageStep::Cancelled => (None, None, None),
        };
        let mut transaction = self.begin().await?;
        let stepped = sqlx::query!(
            "UPDATE package_orders SET state = $4, payment = $5,
                 reference = coalesce($6, reference), reason = coalesce($7, reason),
                 refused_by = coalesce($8, refused_by),
                 confirmed_at = CASE $4 WHEN 'confirmed' THEN $9 ELSE confirmed_at END,
                 ended_at = CASE $4 WHEN 'cancelled' THEN $9 ELSE ended_at END
             WHERE package_order_id = $1 AND state = $2 AND payment IS NOT DISTINCT FROM $3",
            package_order_id.0,
            from.as_str(),
            payment.map(PaymentStatus::as_str),
            step.to().as_str(),
            step.payment(payment).map(PaymentStatus::as_str),
            reference,
            reason,
            refused_by.map(|id| id.0),
            timestamp(now) as _
        )
        .execute(&mut *transaction)
        .await?
        .rows_affected()
            == 1;
        let goes_on = matches!(step, PackageStep::Confirmed | PackageStep::Cancel { .. });
        if stepped && goes_on {
            enqueue(&mut transaction, &[package_job(package_order_id, now)], now).await?;
        }
        transaction.commit().await?;
        Ok(stepped)
    }

    /// Moves the payment of a package order on after its effect at the gateway. What went back whole is counted.
    pub async fn mark_package_payment(
        &self,
        package_order_id: PackageOrderId,
        from: PaymentStatus,
        to: PaymentStatus,
    ) -> Result<bool, DatabaseError> {
        let marked = sqlx::query!(
            "UPDATE package_orders SET payment = $3,
                 refunded_minor = CASE $3 WHEN 'refunded' THEN total_minor ELSE refunded_minor END
             WHERE package_order_id = $1 AND payment = $2",
            package_order_id.0,
            from.as_str(),
            to.as_str()
        )
        .execute(self.pool())
        .await?;
        Ok(marked.rows_affected() == 1)
    }

    /// Has money let go that was set aside although the order had been given up: its provider was slower than that.
    pub async fn void_package_again(
        &self,
        package_order_id: PackageOrderId,
        now: UnixMillis,
    ) -> Result<(), DatabaseError> {
        let mut transaction = self.begin().await?;
        sqlx::query!(
            "UPDATE package_orders SET payment = 'voiding', state = 'cancelling'
             WHERE package_order_id = $1 AND state IN ('cancelling', 'cancelled')
               AND payment IN ('voiding', 'voided', 'declined')",
            package_order_id.0
        )
        .execute(&mut *transaction)
        .await?;
        enqueue(&mut transaction, &[package_job(package_order_id, now)], now).await?;
        transaction.commit().await?;
        Ok(())
    }
}
