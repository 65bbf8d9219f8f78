//! What processes tell each other: a stream that each reads from where it began to listen.
//!
//! The truth is in Postgres; the stream only makes others look sooner. So entries are kept for little longer than
//! what they tell of, and a reader that cannot know what it missed (a new connection, a stream that was flushed, a
//! pause) says so and starts anew after its owner has read Postgres again.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::streams::{StreamRangeReply, StreamReadReply};
use redis::{AsyncConnectionConfig, pipe};
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::{BACKGROUND_BUDGET, CONNECT_BUDGET, REQUEST_BUDGET, Redis, RedisError};

/// How long entries are kept: longer than an access token lives.
const KEPT_MS: u64 = 20 * 60 * 1_000;
/// Longest wait for an entry within one read.
const BLOCK_MS: u64 = 250;
/// Entries of one read.
pub const CHANGES_READ_MAX: usize = 1_000;
/// A reader that paused for longer may have missed entries that were trimmed.
const PAUSE_MAX: Duration = Duration::from_mins(1);
/// The only field of an entry.
const FIELD: &str = "change";

/// The stream of changes. Cloning it is cheap.
#[derive(Clone)]
pub struct ChangeStream {
    redis: Redis,
}

impl ChangeStream {
    /// The stream below this handle's prefix.
    pub const fn new(redis: Redis) -> Self {
        Self { redis }
    }

    /// Tells all processes of a change.
    ///
    /// Errors: it is not known whether they are told.
    pub async fn append(&self, change: &str) -> Result<(), RedisError> {
        // One script, so that entries are trimmed by the clock that their ids are made by.
        let script = "local now = redis.call('TIME')
            local first = now[1] * 1000 - tonumber(ARGV[2])
            redis.call('XADD', KEYS[1], 'MINID', '~', string.format('%.0f', first), '*', ARGV[3], ARGV[1])
            redis.call('PEXPIRE', KEYS[1], ARGV[2])";
        let mut command = redis::cmd("EVAL");
        command
            .arg(script)
            .arg(1)
            .arg(self.key())
            .arg(change)
            .arg(KEPT_MS)
            .arg(FIELD);
        self.redis.call(REQUEST_BUDGET, &command).await
    }

    /// Listens from now on, over a connection of its own. What was told before must be read from Postgres.
    ///
    /// Errors: no connection, or no answer.
    pub async fn listen(&self) -> Result<ChangeReader, RedisError> {
        let unavailable = |reason: String| RedisError::Unavailable(reason);
        timeout(CONNECT_BUDGET, self.start())
            .await
            .map_err(|_| unavailable("no connection in time".to_owned()))?
            .map_err(|error| unavailable(error.to_string()))
    }

    async fn start(&self) -> Result<ChangeReader, redis::RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_BUDGET))
            .set_response_timeout(None);
        let client = &self.redis.0.client;
        let mut connection = client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        let (key, life_key) = (self.key(), self.redis.key("changes:life"));
        let (life, last): (String, StreamRangeReply) = pipe()
            .cmd("SET")
            .arg(&life_key)
            .arg(Uuid::now_v7().to_string())
            .arg("NX")
            .ignore()
            .cmd("GET")
            .arg(&life_key)
            .cmd("XREVRANGE")
            .arg(&key)
            .arg("+")
            .arg("-")
            .arg("COUNT")
            .arg(1)
            .query_async(&mut connection)
            .await?;
        let last_id = last.ids.into_iter().next().map(|entry| entry.id);
        Ok(ChangeReader {
            connection,
            key,
            life_key,
            life,
            last_id: last_id.unwrap_or_else(|| "0-0".to_owned()),
            read_at: Instant::now(),
        })
    }

    fn key(&self) -> String {
        self.redis.key("changes")
    }
}

/// One process's place in the stream.
pub struct ChangeReader {
    connection: MultiplexedConnection,
    key: String,
    life_key: String,
    /// Another one: Redis was flushed, or lost what it had.
    life: String,
    last_id: String,
    read_at: Instant,
}

impl ChangeReader {
    /// The next changes, in their order; after a quarter of a second none. Everything that was told before this was
    /// called has been given out when it returns fewer than [`CHANGES_READ_MAX`].
    ///
    /// Errors: entries may be lost from here on; listen anew, and read Postgres.
    pub async fn next(&mut self) -> Result<Vec<String>, RedisError> {
        let called_at = Instant::now();
        let lost = |reason: &str| RedisError::Unavailable(reason.to_owned());
        if called_at.duration_since(self.read_at) > PAUSE_MAX {
            return Err(lost("the reader paused"));
        }
        let mut read = pipe();
        read.cmd("XREAD")
            .arg("COUNT")
            .arg(CHANGES_READ_MAX)
            .arg("BLOCK")
            .arg(BLOCK_MS)
            .arg("STREAMS")
            .arg(&self.key)
            .arg(&self.last_id)
            .cmd("GET")
            .arg(&self.life_key);
        let answer = read.query_async::<(Option<StreamReadReply>, Option<String>)>(&mut self.connection);
        let (read, life) = timeout(Duration::from_millis(BLOCK_MS) + BACKGROUND_BUDGET, answer)
            .await
            .map_err(|_| lost("no answer in time"))?
            .map_err(|error| lost(&error.to_string()))?;
        if life.as_ref() != Some(&self.life) {
            return Err(lost("Redis was flushed"));
        }
        self.read_at = called_at;
        let entries = read
            .into_iter()
            .flat_map(|read| read.keys)
            .flat_map(|key| key.ids);
        let mut changes = Vec::new();
        for entry in entries {
            // An entry without the field tells of something that only a later release knows.
            changes.push(entry.get(FIELD).unwrap_or_default());
            self.last_id = entry.id;
        }
        Ok(changes)
    }
}
