//! The handle on Redis, which everything here can do without.
//!
//! Redis only makes several processes behave as one. Nothing waits for it longer than a budget, and after the first
//! call that failed nobody asks again until a fresh connection has answered: a Redis that hangs costs a few requests
//! their budget once, and not every request. A connection is never repaired: one that timed out may be cut off without
//! knowing, so it is dropped and another is made.

mod access_cache;
mod changes;
mod inspect;
mod rate_limit;

use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ErrorKind, FromRedisValue, IntoConnectionInfo,
    ServerErrorKind,
};
use thiserror::Error;
use tokio::time::{sleep, timeout};

pub use access_cache::{AccessCache, AccessLookup, AccessMarks};
pub use changes::{CHANGES_READ_MAX, ChangeReader, ChangeStream};
pub use inspect::{RedisFacts, RedisProbe};
pub use rate_limit::{SharedRate, SharedRates, Spent};

/// Longest wait on the way of a request.
pub(crate) const REQUEST_BUDGET: Duration = Duration::from_millis(50);
/// Longest wait of work in the background.
pub(crate) const BACKGROUND_BUDGET: Duration = Duration::from_millis(500);
/// Longest wait for a new connection to be made and to answer.
const CONNECT_BUDGET: Duration = Duration::from_secs(1);
/// Pause before a new connection, so that a Redis that hangs or is away is left alone meanwhile.
const RECONNECT_EVERY: Duration = Duration::from_secs(1);
/// Commands that may wait for the connection's writer; more wait in their callers, within their budgets.
const COMMANDS_QUEUED_MAX: usize = 1_024;

/// Why Redis did not do as asked. The texts are for operators, not for clients.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RedisError {
    /// No answer within the budget, or no connection: go on without.
    #[error("Redis unavailable: {0}")]
    Unavailable(String),
    /// Redis answered that it will not.
    #[error("Redis refused: {0}")]
    Refused(String),
    /// Redis does not know the script of this digest.
    #[error("Redis does not know the script")]
    UnknownScript,
    /// The URL cannot work.
    #[error("misconfigured: {0}")]
    Misconfigured(String),
}

/// A cloneable handle on one Redis. Its keys share a prefix, so that several deployments may use one Redis.
#[derive(Clone)]
pub struct Redis(Arc<Inner>);

struct Inner {
    client: Client,
    prefix: Box<str>,
    link: RwLock<Link>,
}

/// The connection of the moment.
#[derive(Default)]
struct Link {
    /// Nothing while Redis does not answer.
    connection: Option<MultiplexedConnection>,
    /// Which connection it is: a call that fails late must not cost us a later one.
    number: u64,
}

impl Redis {
    /// Opens a handle and waits a moment for Redis to answer. Where it does not, the handle keeps trying in the
    /// background: a process must start while Redis is away. Must be called within a tokio runtime.
    ///
    /// Errors: [`RedisError::Misconfigured`] for a URL that cannot be used.
    pub async fn open(url: &str, prefix: &str) -> Result<Self, RedisError> {
        let inner = Arc::new(Inner {
            client: client(url)?,
            prefix: prefix.into(),
            link: RwLock::default(),
        });
        if let Err(error) = inner.connect().await {
            tracing::warn!(%error, "Redis does not answer; going on without it");
            tokio::spawn(reconnect(Arc::downgrade(&inner)));
        }
        Ok(Self(inner))
    }

    /// Asks for a sign of life.
    pub async fn ping(&self) -> Result<(), RedisError> {
        self.call::<()>(REQUEST_BUDGET, &redis::cmd("PING")).await
    }

    /// Whether there is a connection, as far as is known without asking.
    pub fn is_connected(&self) -> bool {
        let link = self.0.link.read().unwrap_or_else(PoisonError::into_inner);
        link.connection.is_some()
    }

    /// How many connections were made since the start: more than one tells of failures.
    pub fn connections_made(&self) -> u64 {
        let link = self.0.link.read().unwrap_or_else(PoisonError::into_inner);
        link.number
    }

    /// The key of this name, with the prefix.
    pub(crate) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.0.prefix)
    }

    /// Runs one command within a budget.
    ///
    /// Errors: [`RedisError::Unavailable`], at once while there is no connection; [`RedisError::Refused`].
    pub(crate) async fn call<T: FromRedisValue>(
        &self,
        budget: Duration,
        command: &Cmd,
    ) -> Result<T, RedisError> {
        let (mut connection, number) = self.0.connection()?;
        match timeout(budget, command.query_async(&mut connection)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.failed(number, &error)),
            Err(_) => {
                self.lose(number, "it did not answer in time");
                Err(RedisError::Unavailable("no answer in time".to_owned()))
            }
        }
    }

    /// Tells an answer that refuses from a connection that is of no use any more, which is dropped.
    fn failed(&self, number: u64, error: &redis::RedisError) -> RedisError {
        match error.kind() {
            ErrorKind::Server(ServerErrorKind::NoScript) => RedisError::UnknownScript,
            ErrorKind::Server(_) | ErrorKind::Extension | ErrorKind::UnexpectedReturnType => {
                RedisError::Refused(error.to_string())
            }
            _ => {
                self.lose(number, &error.to_string());
                RedisError::Unavailable(error.to_string())
            }
        }
    }

    /// Drops a connection and has another made, unless somebody did so already.
    fn lose(&self, number: u64, reason: &str) {
        let mut link = self.0.link.write().unwrap_or_else(PoisonError::into_inner);
        if link.number == number && link.connection.take().is_some() {
            tracing::warn!(reason, "Redis failed; going on without it");
            tokio::spawn(reconnect(Arc::downgrade(&self.0)));
        }
    }
}

impl Inner {
    fn connection(&self) -> Result<(MultiplexedConnection, u64), RedisError> {
        let link = self.link.read().unwrap_or_else(PoisonError::into_inner);
        match &link.connection {
            Some(connection) => Ok((connection.clone(), link.number)),
            None => Err(RedisError::Unavailable("not connected".to_owned())),
        }
    }

    /// Makes a connection and has it answer before anybody gets it.
    async fn connect(&self) -> Result<(), RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_BUDGET))
            // Each call has its own budget, and none is longer.
            .set_response_timeout(Some(CONNECT_BUDGET))
            .set_pipeline_buffer_size(COMMANDS_QUEUED_MAX);
        let unavailable = |reason: String| RedisError::Unavailable(reason);
        let attempt = async {
            let mut connection = self
                .client
                .get_multiplexed_async_connection_with_config(&config)
                .await?;
            redis::cmd("PING").query_async::<()>(&mut connection).await?;
            Ok::<_, redis::RedisError>(connection)
        };
        let connection = timeout(CONNECT_BUDGET, attempt)
            .await
            .map_err(|_| unavailable("no connection in time".to_owned()))?
            .map_err(|error| unavailable(error.to_string()))?;
        let mut link = self.link.write().unwrap_or_else(PoisonError::into_inner);
        link.number += 1;
        link.connection = Some(connection);
        Ok(())
    }
}

/// Tries to connect until it succeeds or nobody has a handle any more.
async fn reconnect(inner: Weak<Inner>) {
    loop {
        sleep(RECONNECT_EVERY).await;
        let Some(inner) = inner.upgrade() else {
            return;
        };
        match inner.connect().await {
            Ok(()) => return tracing::info!("Redis answers again"),
            Err(error) => tracing::debug!(%error, "Redis still does not answer"),
        }
    }
}

/// A client for a URL, of which no message shows more than what is wrong with it: it may hold a password.
fn client(url: &str) -> Result<Client, RedisError> {
    let misconfigured = |reason: &str| RedisError::Misconfigured(reason.to_owned());
    let info = url
        .into_connection_info()
        .map_err(|_| misconfigured("the Redis URL cannot be read"))?;
    if let ConnectionAddr::TcpTls { insecure: true, .. } = info.addr() {
        return Err(misconfigured(
            "the Redis URL asks for TLS without checking certificates",
        ));
    }
    let settings = info.tcp_settings().clone().set_nodelay(true);
    Client::open(info.set_tcp_settings(settings)).map_err(|_| misconfigured("the Redis URL cannot be used"))
}
