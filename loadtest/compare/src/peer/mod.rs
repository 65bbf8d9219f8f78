//! What Onsale is compared with: each a server that sells tickets the way many do, and as well as that way allows.
//!
//! They do less than Onsale: no idempotency keys, no limits, no prices, no expiry, no request ids, no metrics.

mod conditional_update;
mod drain;
mod echo;
mod redis_stream;
mod row_lock;
mod shell;
mod tables;
mod wire;

use std::net::SocketAddr;

use anyhow::Context as _;
use axum::Router;
use onsale_http::ServeLimits;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use conditional_update::ConditionalUpdate;
use redis_stream::RedisStream;
use row_lock::RowLock;

/// Which peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// A bare JSON echo, the limit
    Echo,
    /// SELECT … FOR UPDATE, check, UPDATE, INSERT, COMMIT
    RowLock,
    /// UPDATE … WHERE available >= n with the INSERT, in one statement
    ConditionalUpdate,
    /// Lua in Redis decrements and appends to a stream, drained to Postgres
    RedisStream,
}

/// How to serve a peer.
#[derive(Clone, Debug, clap::Args)]
pub struct ServeArguments {
    /// Which peer
    pub kind: Kind,
    /// Address to listen on
    #[arg(long)]
    pub listen: SocketAddr,
    /// Its Postgres; the tables are made when the comparison starts
    #[arg(long, env = "DATABASE_URL", default_value = "")]
    pub database_url: String,
    /// Its Redis
    #[arg(long, env = "REDIS_URL", default_value = "")]
    pub redis_url: String,
    /// Connections to Postgres or Redis, whichever decides
    #[arg(long, default_value_t = 16)]
    pub pool: u32,
    /// Secret of the buyers' tokens
    #[arg(long, env = "ONSALE_TOKEN_SECRET", hide_env_values = true)]
    pub token_secret: String,
}

/// What a buyer asks of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// New for each request.
    pub id: Uuid,
    /// The event.
    pub event_id: Uuid,
    /// What is reserved.
    pub ticket_type_id: Uuid,
    /// Whose.
    pub buyer_id: Uuid,
    /// How many tickets.
    pub quantity: i32,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is as durable as the peer makes it.
    Reserved,
    /// Fewer tickets are left.
    SoldOut,
    /// There are no such tickets.
    Unknown,
}

/// A way to reserve tickets.
pub trait Reserve: Send + Sync + 'static {
    /// Reserves tickets, or leaves everything as it was.
    fn reserve(&self, wanted: &Reservation) -> impl Future<Output = anyhow::Result<Outcome>> + Send;

    /// Acknowledged reservations that are not in Postgres yet.
    fn behind(&self) -> impl Future<Output = anyhow::Result<u64>> + Send;
}

/// Serves a peer until stdin ends, so that nothing is left running however the comparison ends.
pub async fn serve(arguments: &ServeArguments) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    stop_with_stdin(stop.clone());
    let listener = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("cannot listen on {}", arguments.listen))?;
    let router = router(arguments).await?;
    onsale_http::serve(listener, router, ServeLimits::default(), stop).await;
    Ok(())
}

async fn router(arguments: &ServeArguments) -> anyhow::Result<Router> {
    let tables = || tables::connect(&arguments.database_url, arguments.pool);
    let secret = &arguments.token_secret;
    match arguments.kind {
        Kind::Echo => Ok(echo::router()),
        Kind::RowLock => shell::router(RowLock::new(tables().await?), secret),
        Kind::ConditionalUpdate => shell::router(ConditionalUpdate::new(tables().await?), secret),
        Kind::RedisStream => shell::router(RedisStream::start(arguments).await?, secret),
    }
}

fn stop_with_stdin(stop: CancellationToken) {
    std::thread::spawn(move || {
        // Whatever ends it: there is nobody left to serve.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        stop.cancel();
    });
}

/// Makes a peer's tables in an empty database.
pub async fn create_tables(database_url: &str) -> anyhow::Result<()> {
    tables::create(database_url).await
}
