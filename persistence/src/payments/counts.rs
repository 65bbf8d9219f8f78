//! How many payments stand where they should not stay.

use crate::convert::{count_in, limit_out};
use crate::read::PaymentStatus;
use crate::{Database, DatabaseError};

/// States that a payment passes through, and the one that waits for staff. An authorized payment has its job.
const OPEN: [PaymentStatus; 4] = [
    PaymentStatus::Pending,
    PaymentStatus::Voiding,
    PaymentStatus::Refunding,
    PaymentStatus::Quarantined,
];

/// How many payments of orders stand at a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenPayments {
    /// At this one.
    pub status: PaymentStatus,
    /// So many.
    pub number: u64,
}

impl Database {
    /// Counts the payments that are open, up to a bound for each status: what is more than it is that many.
    pub async fn open_payments(&self, counted_max: usize) -> Result<Vec<OpenPayments>, DatabaseError> {
        let statuses = OPEN.map(PaymentStatus::as_str);
        // The condition repeats that of the index payments_by_status, which therefore answers it alone.
        sqlx::query!(
            r#"SELECT status AS "status!",
                   (SELECT count(*) FROM (SELECT FROM payments
                       WHERE payments.status = counted.status
                         AND payments.status IN ('pending', 'voiding', 'refunding', 'quarantined')
                       LIMIT $2) AS open) AS "number!"
               FROM unnest($1::text[]) AS counted (status)"#,
            &statuses as _,
            limit_out(counted_max)
        )
        .fetch_all(self.pool())
        .await?
        .into_iter()
        .map(|row| {
            Ok(OpenPayments {
                status: PaymentStatus::parse(&row.status)?,
                number: count_in(row.number),
            })
        })
        .collect()
    }
}
