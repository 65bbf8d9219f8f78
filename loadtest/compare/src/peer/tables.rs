//! The peers' tables: what is left, and a row for each reservation.

use anyhow::Context as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgConnection, PgPool};

/// Few rows on a page of `stock`, so that an update finds room on the same page and no index entry is made.
const SCHEMA: &str = "
CREATE TABLE stock (
    ticket_type_id uuid PRIMARY KEY,
    event_id       uuid NOT NULL,
    capacity       int  NOT NULL,
    available      int  NOT NULL CHECK (available >= 0)
) WITH (fillfactor = 10);
CREATE TABLE reservations (
    reservation_id uuid        PRIMARY KEY,
    event_id       uuid        NOT NULL,
    ticket_type_id uuid        NOT NULL,
    buyer_id       uuid        NOT NULL,
    quantity       int         NOT NULL,
    reserved_at    timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE drained (stream text PRIMARY KEY, last_id text NOT NULL);
INSERT INTO drained (stream, last_id) VALUES ('reservations', '0-0');
";

/// Makes the tables in an empty database.
pub(super) async fn create(url: &str) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(url).await.context("the peer's database")?;
    sqlx::raw_sql(SCHEMA)
        .execute(&mut connection)
        .await
        .context("cannot make the peer's tables")?;
    Ok(())
}

/// A pool that is open before the first request. Statements are prepared once for each connection.
pub(super) async fn connect(url: &str, connections: u32) -> anyhow::Result<PgPool> {
    let options: PgConnectOptions = url.parse().context("DATABASE_URL")?;
    PgPoolOptions::new()
        .min_connections(connections)
        .max_connections(connections)
        // It would be a round trip more for each reservation.
        .test_before_acquire(false)
        .connect_with(options.options([("synchronous_commit", "on")]))
        .await
        .context("the peer's database")
}
