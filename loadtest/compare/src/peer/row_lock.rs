//! The classic: lock the row, look, take, note, commit. Everybody who wants the same tickets waits for the lock, which
//! is held over three round trips and the sync of the commit.

use sqlx::PgPool;

use super::{Outcome, Reservation, Reserve};

/// `SELECT … FOR UPDATE`.
pub(super) struct RowLock {
    pool: PgPool,
}

impl RowLock {
    pub(super) const fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

impl Reserve for RowLock {
    async fn reserve(&self, wanted: &Reservation) -> anyhow::Result<Outcome> {
        let mut transaction = self.pool.begin().await?;
        let available: Option<i32> =
            sqlx::query_scalar("SELECT available FROM stock WHERE ticket_type_id = $1 FOR UPDATE")
                .bind(wanted.ticket_type_id)
                .fetch_optional(&mut *transaction)
                .await?;
        match available {
            None => return Ok(Outcome::Unknown),
            Some(available) if available < wanted.quantity => return Ok(Outcome::SoldOut),
            Some(_) => {}
        }
        sqlx::query("UPDATE stock SET available = available - $2 WHERE ticket_type_id = $1")
            .bind(wanted.ticket_type_id)
            .bind(wanted.quantity)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "INSERT INTO reservations (reservation_id, event_id, ticket_type_id, buyer_id, quantity)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(wanted.id)
        .bind(wanted.event_id)
        .bind(wanted.ticket_type_id)
        .bind(wanted.buyer_id)
        .bind(wanted.quantity)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Outcome::Reserved)
    }

    async fn behind(&self) -> anyhow::Result<u64> {
        Ok(0)
    }
}
