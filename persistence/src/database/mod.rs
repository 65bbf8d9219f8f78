//! The handle on Postgres.

mod error;
mod inspect;
mod migration;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool, Postgres, Transaction};

use tokio::net::UdpSocket;

pub use error::DatabaseError;
pub use inspect::{DatabaseFacts, DatabaseProbe, SchemaState};

/// How long a connection is taken to be there after its last use.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// How to reach Postgres.
#[derive(Clone)]
pub struct DatabaseConfig {
    /// `postgres://user:password@host:port/database`. Holds a password: never log it.
    pub url: String,
    /// Most connections of the pool; at least 1. Commit lanes of the `postgres` journal come on top.
    pub connections_max: u32,
    /// Longest wait for a connection of the pool.
    pub acquire_timeout_ms: u64,
    /// Longest run of one statement; the server cancels it then. 0: no limit.
    pub statement_timeout_ms: u64,
    /// What `pg_stat_activity` shows.
    pub application_name: String,
    /// What a server must be able to do to be stayed with.
    pub purpose: Purpose,
}

/// What a database is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A server that takes no writes is left at once, so that nobody is stuck with a standby after a failover.
    Writing,
    /// A standby will do.
    Reading,
}

impl DatabaseConfig {
    /// The defaults for a URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            connections_max: 10,
            acquire_timeout_ms: 5_000,
            statement_timeout_ms: 15_000,
            application_name: "onsale".to_owned(),
            purpose: Purpose::Writing,
        }
    }
}

impl std::fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseConfig")
            .field("connections_max", &self.connections_max)
            .field("application_name", &self.application_name)
            .finish_non_exhaustive()
    }
}

/// Connections of the pool. Those of the `postgres` journal's lanes are apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolConnections {
    /// Somebody works with them.
    pub in_use: u32,
    /// They wait for somebody.
    pub idle: u32,
    /// The most that there may be.
    pub max: u32,
}

/// A cloneable handle on one Postgres database. No method holds one connection while it waits for another, so a
/// pool of one is enough.
#[derive(Clone, Debug)]
pub struct Database {
    pool: PgPool,
    options: PgConnectOptions,
    session: Session,
}

/// What every session begins with.
#[derive(Clone, Copy, Debug)]
struct Session {
    statement_timeout_ms: u64,
    purpose: Purpose,
}

impl Database {
    /// Opens the pool and checks that the server answers.
    ///
    /// Errors: [`DatabaseError::Misconfigured`] for a bad URL, [`DatabaseError::Unavailable`] for no answer.
    pub async fn connect(config: &DatabaseConfig) -> Result<Self, DatabaseError> {
        let database = Self::connect_lazy(config)?;
        database.ping().await?;
        Ok(database)
    }

    /// Opens the pool without a connection, for a process that must start while Postgres is away. Must be called
    /// within a tokio runtime.
    ///
    /// Errors: [`DatabaseError::Misconfigured`] for a bad URL.
    pub fn connect_lazy(config: &DatabaseConfig) -> Result<Self, DatabaseError> {
        let options = PgConnectOptions::from_str(&config.url)
            .map_err(|_| DatabaseError::Misconfigured("the database URL cannot be read".to_owned()))?
            .application_name(&config.application_name)
            .disable_statement_logging();
        let session = Session {
            statement_timeout_ms: config.statement_timeout_ms,
            purpose: config.purpose,
        };
        let pool = PgPoolOptions::new()
            .max_connections(config.connections_max.max(1))
            .acquire_timeout(Duration::from_millis(config.acquire_timeout_ms))
            .after_connect(move |connection, _| Box::pin(session.set_up(connection)))
            .test_before_acquire(false)
            .before_acquire(|connection, meta| Box::pin(is_alive(connection, meta.idle_for)))
            .connect_lazy_with(options.clone());
        Ok(Self {
            pool,
            options,
            session,
        })
    }

    /// Asks the server for a sign of life.
    pub async fn ping(&self) -> Result<(), DatabaseError> {
        sqlx::query_scalar!(r#"SELECT 1 AS "one!""#)
            .fetch_one(&self.pool)
            .await?;
        Ok(())
    }

    /// The address of this machine on the way to Postgres, which is mostly the one at which neighbours reach it too.
    /// Nothing is sent. On Postgres' own machine it is the loopback's.
    ///
    /// Errors: the server's name is not known, or no way leads there.
    pub async fn local_address(&self) -> io::Result<IpAddr> {
        if self.options.get_socket().is_some() || self.options.get_host().starts_with('/') {
            return Ok(Ipv4Addr::LOCALHOST.into());
        }
        let server = (self.options.get_host(), self.options.get_port());
        let mut failed = io::Error::from(io::ErrorKind::NotFound);
        for server in tokio::net::lookup_host(server).await? {
            match address_towards(server).await {
                Ok(address) => return Ok(address),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    /// How the pool is at the moment.
    pub fn connections(&self) -> PoolConnections {
        let open = self.pool.size();
        let idle = u32::try_from(self.pool.num_idle()).unwrap_or(open).min(open);
        PoolConnections {
            in_use: open - idle,
            idle,
            max: self.pool.options().get_max_connections(),
        }
    }

    /// Closes the pool's connections, waiting for those in use.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub(crate) const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Begins a transaction, in a task that nobody drops. A future that is dropped inside sqlx's `begin`, as when work
    /// passes its time limit, gives its connection back with the transaction open and sqlx unaware of it
    /// (transact-rs/sqlx#4393); what the next holder writes would be answered and then undone with it.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        let pool = self.pool.clone();
        let begun = tokio::spawn(async move { pool.begin().await }).await;
        // It does not panic; the runtime is shutting down.
        begun.unwrap_or(Err(sqlx::Error::WorkerCrashed))
    }

    /// A connection of its own, outside the pool, for a task that nothing cancels.
    pub(crate) async fn dedicated(&self) -> Result<PgConnection, DatabaseError> {
        let mut connection = PgConnection::connect_with(&self.options).await?;
        self.session.set_up(&mut connection).await?;
        Ok(connection)
    }
}

/// A datagram socket that is connected knows its own address, and has sent nothing.
async fn address_towards(server: SocketAddr) -> io::Result<IpAddr> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(server).await?;
    Ok(socket.local_addr()?.ip())
}

/// Whether a connection may be handed out: one that was just used is taken to be there still, which spares most uses a
/// round trip.
async fn is_alive(connection: &mut PgConnection, idle_for: Duration) -> Result<bool, sqlx::Error> {
    if idle_for >= TRUSTED_FOR {
        connection.ping().await?;
    }
    Ok(true)
}

impl Session {
    /// Bounds what a session can cost the server when its client hangs or is cut off, and has it wait for the disk: a
    /// default of the role or database must not make what is acknowledged, or an epoch, a matter of luck. A stronger
    /// `remote_apply` stays. The projection relaxes its own transactions (`relax_commit`).
    ///
    /// Errors: also for a server that takes no writes, where they are wanted.
    async fn set_up(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let set = sqlx::query!(
            r#"SELECT set_config('statement_timeout', $1, false) AS statement,
                      set_config('idle_in_transaction_session_timeout', '30000', false) AS idle,
                      set_config('synchronous_commit',
                          CASE current_setting('synchronous_commit')
                              WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END,
                          false) AS synchronous,
                      current_setting('transaction_read_only') = 'on' AS "is_read_only!""#,
            self.statement_timeout_ms.to_string()
        )
        .fetch_one(connection)
        .await?;
        match self.purpose {
            Purpose::Writing if set.is_read_only => Err(sqlx::Error::Io(std::io::Error::other(
                "the server takes no writes: it is a standby, or the database is read-only",
            ))),
            Purpose::Writing | Purpose::Reading => Ok(()),
        }
    }
}
