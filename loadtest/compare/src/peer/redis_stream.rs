//! Redis decides: a script takes what is left and appends the reservation to a stream, at once or not at all. The
//! stream is drained to Postgres behind the answer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands as _, AsyncConnectionConfig, Client, Script};
use sqlx::PgPool;
use uuid::Uuid;

use super::drain::{self, STREAM};
use super::{Outcome, Reservation, Reserve, ServeArguments, tables};

/// 1 taken, 0 sold out, -1 the count is not there.
const SCRIPT: &str = "
local left = redis.call('GET', KEYS[1])
if not left then return -1 end
if tonumber(left) < tonumber(ARGV[1]) then return 0 end
redis.call('DECRBY', KEYS[1], ARGV[1])
redis.call('XADD', KEYS[2], '*', 'r', ARGV[2])
return 1";
/// Connections to Postgres: one drains, one counts what is left.
const POSTGRES_CONNECTIONS: u32 = 2;
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Lua and a stream.
pub(super) struct RedisStream {
    script: Script,
    connections: Vec<MultiplexedConnection>,
    next: AtomicUsize,
    postgres: PgPool,
}

impl RedisStream {
    /// Connects and begins to drain what is left of the process before.
    pub(super) async fn start(arguments: &ServeArguments) -> anyhow::Result<Self> {
        let postgres = tables::connect(&arguments.database_url, POSTGRES_CONNECTIONS).await?;
        let client = Client::open(arguments.redis_url.as_str()).context("REDIS_URL")?;
        let mut connections = Vec::new();
        for _ in 0..arguments.pool.max(1) {
            connections.push(connect(&client).await?);
        }
        let draining = drain::run(connect(&client).await?, postgres.clone());
        tokio::spawn(async move {
            if let Err(error) = draining.await {
                eprintln!("the stream is not drained any more: {error:#}");
                // Whoever started it sees that it is gone; going on would pile up what nobody keeps.
                std::process::exit(1);
            }
        });
        Ok(Self {
            script: Script::new(SCRIPT),
            connections,
            next: AtomicUsize::new(0),
            postgres,
        })
    }

    fn connection(&self) -> MultiplexedConnection {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        self.connections[next % self.connections.len()].clone()
    }

    async fn take(&self, wanted: &Reservation, key: &str) -> anyhow::Result<i64> {
        let mut script = self.script.prepare_invoke();
        script
            .key(key)
            .key(STREAM)
            .arg(wanted.quantity)
            .arg(drain::pack(wanted).as_slice());
        Ok(script.invoke_async(&mut self.connection()).await?)
    }

    /// Counts what is left in Postgres and tells Redis, if nobody else has: at the first request, and where Redis has
    /// lost everything.
    async fn count(&self, ticket_type_id: Uuid, key: &str) -> anyhow::Result<bool> {
        let left: Option<i64> = sqlx::query_scalar(
            "SELECT capacity - (SELECT coalesce(sum(quantity), 0) FROM reservations WHERE ticket_type_id = $1)
             FROM stock WHERE ticket_type_id = $1",
        )
        .bind(ticket_type_id)
        .fetch_optional(&self.postgres)
        .await?;
        let Some(left) = left else {
            return Ok(false);
        };
        let _: bool = self.connection().set_nx(key, left.max(0)).await?;
        Ok(true)
    }
}

impl Reserve for RedisStream {
    async fn reserve(&self, wanted: &Reservation) -> anyhow::Result<Outcome> {
        let key = format!("left:{}", wanted.ticket_type_id.simple());
        let mut taken = self.take(wanted, &key).await?;
        if taken == -1 {
            if !self.count(wanted.ticket_type_id, &key).await? {
                return Ok(Outcome::Unknown);
            }
            taken = self.take(wanted, &key).await?;
        }
        match taken {
            1 => Ok(Outcome::Reserved),
            0 => Ok(Outcome::SoldOut),
            other => bail!("the script answers {other}"),
        }
    }

    async fn behind(&self) -> anyhow::Result<u64> {
        Ok(self.connection().xlen(STREAM).await?)
    }
}

async fn connect(client: &Client) -> anyhow::Result<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(ANSWER_WITHIN));
    client
        .get_multiplexed_async_connection_with_config(&config)
        .await
        .context("cannot connect to Redis")
}
