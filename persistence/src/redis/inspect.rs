//! What somebody's Redis is like, for who has to find out why processes do not agree.

use std::time::Duration;

use onsale_domain::UnixMillis;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, FromRedisValue};
use tokio::time::timeout;

use super::{RedisError, client};

/// Longest wait for a connection, and for each answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// What decides whether a Redis can be used. A server that leaves something out of `INFO` has it empty or zero here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisFacts {
    /// As Redis writes it.
    pub version: String,
    /// It follows another one and takes no writes.
    pub is_replica: bool,
    /// What it throws away when it is full.
    pub eviction_policy: String,
    /// Bytes that it may use; 0 for no limit.
    pub memory_max: u64,
    /// Bytes that it uses.
    pub memory_used: u64,
}

/// One connection of its own, for looking around. Every answer is waited for three seconds at most.
#[derive(Clone)]
pub struct RedisProbe(MultiplexedConnection);

impl RedisProbe {
    /// Connects once.
    ///
    /// Errors: [`RedisError::Misconfigured`] for a bad URL, [`RedisError::Unavailable`] with the reason.
    pub async fn open(url: &str) -> Result<Self, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANSWER_WITHIN))
            .set_response_timeout(Some(ANSWER_WITHIN));
        let client = client(url)?;
        let connecting = client.get_multiplexed_async_connection_with_config(&config);
        in_time(connecting).await.map(Self)
    }

    /// What it is like.
    pub async fn facts(&mut self) -> Result<RedisFacts, RedisError> {
        let info: String = self.ask(&redis::cmd("INFO")).await?;
        let field = |name: &str| {
            let lines = info.lines().filter_map(|line| line.trim_end().split_once(':'));
            lines
                .filter(|(found, _)| *found == name)
                .map(|(_, value)| value.to_owned())
                .next()
                .unwrap_or_default()
        };
        Ok(RedisFacts {
            version: field("redis_version"),
            is_replica: field("role") == "slave",
            eviction_policy: field("maxmemory_policy"),
            memory_max: field("maxmemory").parse().unwrap_or_default(),
            memory_used: field("used_memory").parse().unwrap_or_default(),
        })
    }

    /// What its clock says.
    pub async fn clock(&mut self) -> Result<UnixMillis, RedisError> {
        let (seconds, micros): (i64, i64) = self.ask(&redis::cmd("TIME")).await?;
        Ok(UnixMillis(seconds.saturating_mul(1_000)).plus_ms(micros / 1_000))
    }

    async fn ask<T: FromRedisValue>(&mut self, command: &Cmd) -> Result<T, RedisError> {
        in_time(command.query_async(&mut self.0)).await
    }
}

async fn in_time<T>(asked: impl Future<Output = redis::RedisResult<T>>) -> Result<T, RedisError> {
    match timeout(ANSWER_WITHIN, asked).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(RedisError::Unavailable(error.to_string())),
        Err(_) => Err(RedisError::Unavailable("no answer in time".to_owned())),
    }
}
