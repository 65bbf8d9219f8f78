//! A database for each contender, dropped with it.

use anyhow::Context as _;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};
use uuid::Uuid;

use super::PostgresUsage;

/// Connections for counting rows.
const CONNECTIONS: u32 = 2;

/// A database of its own.
#[derive(Debug)]
pub(super) struct Database {
    cluster_url: String,
    name: String,
    /// For counting rows.
    pub(super) pool: PgPool,
    /// The cluster's processes, where they are on this machine.
    pub(super) usage: Option<PostgresUsage>,
}

impl Database {
    /// Creates an empty one.
    pub(super) async fn create(cluster_url: &str) -> anyhow::Result<Self> {
        let name = format!("onsale_compare_{}", Uuid::now_v7().simple());
        on_cluster(cluster_url, "CREATE DATABASE", &name).await?;
        let url = url(cluster_url, &name)?;
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .connect(&url)
            .await?;
        let backend: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
            .fetch_one(&pool)
            .await?;
        Ok(Self {
            cluster_url: cluster_url.to_owned(),
            name,
            pool,
            usage: PostgresUsage::of_backend(backend),
        })
    }

    /// Where clients find it.
    pub(super) fn url(&self) -> anyhow::Result<String> {
        url(&self.cluster_url, &self.name)
    }

    /// Drops it, whoever is connected.
    pub(super) async fn drop(self) -> anyhow::Result<()> {
        self.pool.close().await;
        on_cluster(&self.cluster_url, "DROP DATABASE", &self.name).await
    }
}

fn url(cluster_url: &str, name: &str) -> anyhow::Result<String> {
    let (server, _) = cluster_url
        .rsplit_once('/')
        .context("the Postgres URL names no database")?;
    Ok(format!("{server}/{name}"))
}

/// Names of databases cannot be bound; this one is ours, of letters and digits.
async fn on_cluster(cluster_url: &str, verb: &str, name: &str) -> anyhow::Result<()> {
    let force = if verb.starts_with("DROP") {
        " WITH (FORCE)"
    } else {
        ""
    };
    let statement = AssertSqlSafe(format!("{verb} {name}{force}"));
    let mut connection = PgConnection::connect(cluster_url)
        .await
        .context("the Postgres cluster")?;
    sqlx::raw_sql(statement)
        .execute(&mut connection)
        .await
        .with_context(|| format!("{verb} {name}"))?;
    connection.close().await?;
    Ok(())
}
