//! Payments and refunds as their worker moves them.
//!
//! The projection writes what records say; the worker writes what providers say. Every mark names the state that it
//! starts from and tells whether it found it, so a row that moved on meanwhile is read again instead of overwritten.

mod counts;
mod list;
mod marks;
mod refunds;

use jiff_sqlx::Timestamp;
use onsale_domain::{EventId, Money, OrderId, UnixMillis};

use crate::convert::millis;
use crate::read::{PaymentStatus, currency};
use crate::{Database, DatabaseError};

pub use counts::OpenPayments;
pub use list::{ListedPayment, PaymentFilter};
pub use refunds::{RefundToSettle, SettledRefund};

/// A payment, for its worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentToSettle {
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
    /// When it began; `None` for one from before that was kept.
    pub started_at: Option<UnixMillis>,
}

impl Database {
    /// The payment of an order. Free orders and legs of packages have none.
    pub async fn payment_to_settle(
        &self,
        event_id: EventId,
        order_id: OrderId,
    ) -> Result<Option<PaymentToSettle>, DatabaseError> {
        let row = sqlx::query!(
            r#"SELECT gateway, reference, amount_minor, currency, refunded_minor, status,
                   started_at AS "started_at: Timestamp"
               FROM payments WHERE event_id = $1 AND order_id = $2"#,
            event_id.0,
            order_id.0
        )
        .fetch_optional(self.pool())
        .await?;
        row.map(|row| {
            Ok(PaymentToSettle {
                event_id,
                order_id,
                gateway: row.gateway,
                reference: row.reference,
                amount: Money {
                    amount_minor: row.amount_minor,
                    currency: currency(&row.currency)?,
                },
                refunded_minor: row.refunded_minor,
                status: PaymentStatus::parse(&row.status)?,
                started_at: row.started_at.map(millis),
            })
        })
        .transpose()
    }
}
