//! Take only where enough is left, and note it, in one statement: one round trip, and the row's lock is held for one
//! statement and the sync of its commit.

use sqlx::PgPool;

use super::{Outcome, Reservation, Reserve};

/// `UPDATE … WHERE available >= n`.
pub(super) struct ConditionalUpdate {
    pool: PgPool,
}

impl ConditionalUpdate {
    pub(super) const fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

impl Reserve for ConditionalUpdate {
    async fn reserve(&self, wanted: &Reservation) -> anyhow::Result<Outcome> {
        let reserved = sqlx::query(
            "WITH taken AS (
                 UPDATE stock SET available = available - $5
                 WHERE ticket_type_id = $3 AND available >= $5
                 RETURNING ticket_type_id
             )
             INSERT INTO reservations (reservation_id, event_id, ticket_type_id, buyer_id, quantity)
             SELECT $1, $2, ticket_type_id, $4, $5 FROM taken",
        )
        .bind(wanted.id)
        .bind(wanted.event_id)
        .bind(wanted.ticket_type_id)
        .bind(wanted.buyer_id)
        .bind(wanted.quantity)
        .execute(&self.pool)
        .await?;
        Ok(if reserved.rows_affected() == 1 {
            Outcome::Reserved
        } else {
            Outcome::SoldOut
        })
    }

    async fn behind(&self) -> anyhow::Result<u64> {
        Ok(0)
    }
}
