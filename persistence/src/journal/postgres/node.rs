//! This process as a node: a row with a lease by the database's clock, renewed while the process lives.

use std::time::Duration;

use onsale_engine::port::JournalError;
use tokio::sync::watch;
use uuid::Uuid;

use crate::{Database, DatabaseError};

/// How long a lease lasts. A crashed node's events can be taken over after this long.
const LEASE_TTL_MS: f64 = 5_000.0;
/// How often it is renewed: four renewals may fail in a row.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(1);

/// The registered node. Dropping it stops the renewals; the lease lapses by itself then.
#[derive(Debug)]
pub(super) struct Node {
    database: Database,
    id: Uuid,
    stop: watch::Sender<bool>,
}

impl Node {
    /// Takes the name over from whoever has it and starts the renewals. Others reach this process at the address.
    pub(super) async fn register(
        database: Database,
        name: &str,
        address: Option<&str>,
    ) -> Result<Self, JournalError> {
        let id = Uuid::now_v7();
        register(&database, id, name, address).await?;
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(keep_renewing(database.clone(), id, stopped));
        Ok(Self { database, id, stop })
    }

    pub(super) const fn id(&self) -> Uuid {
        self.id
    }

    /// Stops the renewals and ends the lease.
    pub(super) async fn end(&self) {
        self.stop.send_replace(true);
        if let Err(error) = forget(&self.database, self.id).await {
            tracing::warn!(%error, "the lease was not ended; it lapses by itself");
        }
    }
}

async fn keep_renewing(database: Database, id: Uuid, mut stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            // Also ends when the node was dropped.
            _ = stopped.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(RENEWAL_INTERVAL) => {}
        }
        match renew(&database, id).await {
            Ok(true) => {}
            Ok(false) if *stopped.borrow() => return,
            Ok(false) => {
                tracing::error!("another process took this node's name; its events go there");
                return;
            }
            Err(error) => tracing::warn!(%error, "the lease was not renewed"),
        }
    }
}

/// Whoever had the name is without a node from here on, so its events are free.
async fn register(
    database: &Database,
    id: Uuid,
    name: &str,
    address: Option<&str>,
) -> Result<(), DatabaseError> {
    sqlx::query!(
        r#"INSERT INTO nodes AS node (node_id, name, lease_until, address)
           VALUES ($1, $2, clock_timestamp() + $3::float8 * interval '1 ms', $4)
           ON CONFLICT ON CONSTRAINT nodes_name_key
           DO UPDATE SET node_id = excluded.node_id, lease_until = excluded.lease_until,
               address = excluded.address"#,
        id,
        name,
        LEASE_TTL_MS,
        address
    )
    .execute(database.pool())
    .await?;
    Ok(())
}

/// `false`: the row is gone, or a later process has the name.
async fn renew(database: &Database, id: Uuid) -> Result<bool, DatabaseError> {
    let renewed = sqlx::query!(
        r#"UPDATE nodes SET lease_until = clock_timestamp() + $2::float8 * interval '1 ms'
           WHERE node_id = $1"#,
        id,
        LEASE_TTL_MS
    )
    .execute(database.pool())
    .await?;
    Ok(renewed.rows_affected() == 1)
}

async fn forget(database: &Database, id: Uuid) -> Result<(), DatabaseError> {
    sqlx::query!("DELETE FROM nodes WHERE node_id = $1", id)
        .execute(database.pool())
        .await?;
    Ok(())
}
