//! What a contender has kept, held against what its clients were told.

use sqlx::PgPool;
use uuid::Uuid;

use crate::contender::{Contender, Operation};
use crate::figures::Verdict;
use crate::load::Ticket;

/// Acknowledgements that are looked up in one query.
const LOOKED_UP: usize = 200_000;

/// The rows of one contender. Each is one ticket, since clients ask for one.
#[derive(Clone, Debug)]
pub struct Rows {
    pool: PgPool,
    queries: Queries,
}

/// How many there are; how many of the tickets `$2` of the events `$1` are not among them.
#[derive(Clone, Copy, Debug)]
struct Queries {
    count: &'static str,
    missing: &'static str,
}

const RESERVATIONS: Queries = Queries {
    count: "SELECT count(*) FROM reservations",
    missing: "SELECT count(*) FROM unnest($1::uuid[], $2::uuid[]) AS told (event_id, id) WHERE NOT EXISTS (
                  SELECT 1 FROM reservations WHERE reservation_id = told.id AND event_id = told.event_id)",
};
const HOLDS: Queries = Queries {
    count: "SELECT count(*) FROM holds WHERE status = 'held'",
    missing: "SELECT count(*) FROM unnest($1::uuid[], $2::uuid[]) AS told (event_id, id) WHERE NOT EXISTS (
                  SELECT 1 FROM holds
                  WHERE event_id = told.event_id AND hold_id = told.id AND status = 'held')",
};
const ORDERS: Queries = Queries {
    count: "SELECT count(*) FROM ticket_orders WHERE status IN ('confirmed', 'paid')",
    missing: "SELECT count(*) FROM unnest($1::uuid[], $2::uuid[]) AS told (event_id, id) WHERE NOT EXISTS (
                  SELECT 1 FROM ticket_orders
                  WHERE event_id = told.event_id AND order_id = told.id AND status IN ('confirmed', 'paid'))",
};

impl Rows {
    /// Those of a contender at an operation.
    pub fn of(pool: PgPool, contender: Contender, operation: Operation) -> Self {
        let queries = match (contender, operation) {
            (Contender::OnsaleLocal | Contender::OnsalePostgres, Operation::Purchase) => ORDERS,
            (Contender::OnsaleLocal | Contender::OnsalePostgres, Operation::Hold | Operation::Echo) => HOLDS,
            (
                Contender::Echo
                | Contender::RowLock
                | Contender::ConditionalUpdate
                | Contender::RedisStream(_),
                _,
            ) => RESERVATIONS,
        };
        Self { pool, queries }
    }

    /// How many there are, of all events.
    pub async fn count(&self) -> anyhow::Result<u64> {
        let count: i64 = sqlx::query_scalar(self.queries.count)
            .fetch_one(&self.pool)
            .await?;
        Ok(u64::try_from(count)?)
    }

    /// How many acknowledged tickets have no row.
    pub async fn missing(&self, acknowledged: &[Ticket]) -> anyhow::Result<u64> {
        let mut missing = 0;
        for told in acknowledged.chunks(LOOKED_UP) {
            let event_ids: Vec<Uuid> = told.iter().map(|ticket| ticket.event_id).collect();
            let ids: Vec<Uuid> = told.iter().map(|ticket| ticket.id).collect();
            let count: i64 = sqlx::query_scalar(self.queries.missing)
                .bind(event_ids)
                .bind(ids)
                .fetch_one(&self.pool)
                .await?;
            missing += u64::try_from(count)?;
        }
        Ok(missing)
    }

    /// What became of the only sale of this contender: every acknowledged ticket must have its row, and neither rows
    /// nor acknowledgements may be more than there are tickets. A row that nobody was told of is no fault: its client
    /// was cut off.
    pub async fn judge(&self, capacity: u32, acknowledged: &[Ticket]) -> anyhow::Result<Verdict> {
        let lost = self.missing(acknowledged).await?;
        let rows = self.count().await?;
        let mut distinct = acknowledged.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        Ok(Verdict {
            rows,
            lost,
            // An id that was told twice is one row for two buyers.
            told_twice: u64::try_from(acknowledged.len() - distinct.len())?,
            oversold: (rows + lost).saturating_sub(u64::from(capacity)),
        })
    }
}
