//! Puts the crates together: database → journal → projection → engine → services → routers → listener, and takes
//! them down in the order in which nothing acknowledged can be lost.
//!
//! This is the only file of the server that knows how the other crates are built up.

use std::sync::Arc;
use std::time::Duration;

use onsale_engine::port::Journal;
use thiserror::Error;
use tokio::net::TcpListener;

use crate::configuration::{ConfigurationError, Settings};
use crate::exit::Failure;
use crate::internal::Engine;

/// Why the process cannot serve yet, or at all.
#[derive(Debug, Error)]
pub(crate) enum StartError {
    /// Postgres does not answer; waiting helps.
    #[error("{0}")]
    Unavailable(String),
    /// Somebody has to run `onsale migrate`; waiting helps.
    #[error("the schema is older than this release")]
    NotMigrated,
    /// A setting cannot work; waiting does not help.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// Anything else; waiting does not help.
    #[error(transparent)]
    Internal(#[from] anyhow::Error),
}

/// The pool, connected.
#[derive(Debug)]
pub(crate) struct Database {
    /// Keeps the stand-in from being made elsewhere.
    _waits_for_persistence: (),
}

/// Everything that outlives the engine: database, journal, projection.
#[derive(Debug)]
pub(crate) struct Storage {
    _database: Database,
}

fn not_wired(what: &str) -> anyhow::Error {
    anyhow::anyhow!("{what} waits for the wiring")
}

/// Connects to Postgres, without looking at the schema.
#[expect(clippy::unused_async, reason = "the shape that the wiring fills")]
pub(crate) async fn connect_database(settings: &Settings) -> Result<Database, Failure> {
    settings.required_database_url()?;
    Err(not_wired("the database").into())
}

/// Brings the schema up to this release.
#[expect(clippy::unused_async, reason = "the shape that the wiring fills")]
pub(crate) async fn migrate(_database: &Database) -> anyhow::Result<()> {
    Err(not_wired("migrate"))
}

/// Whether the schema is this release's.
#[expect(clippy::unused_async, reason = "the shape that the wiring fills")]
pub(crate) async fn is_migrated(_database: &Database) -> anyhow::Result<bool> {
    Err(not_wired("is_migrated"))
}

/// Connects to everything that is stored; the schema must be this release's.
#[expect(clippy::unused_async, reason = "the shape that the wiring fills")]
pub(crate) async fn connect(_settings: &Settings) -> Result<Storage, StartError> {
    Err(not_wired("the storage").into())
}

/// What serves.
pub(crate) struct Running {
    engine: Arc<dyn Engine>,
}

/// Starts engine, services and the public listener.
#[expect(clippy::unused_async, reason = "the shape that the wiring fills")]
pub(crate) async fn start(
    _settings: &Settings,
    _storage: Storage,
    _listener: TcpListener,
) -> anyhow::Result<Running> {
    Err(not_wired("start"))
}

impl Running {
    /// The engine, for the internal port.
    pub(crate) fn engine(&self) -> Arc<dyn Engine> {
        Arc::clone(&self.engine)
    }

    /// Waits for a part that ended by itself, which none should.
    pub(crate) async fn failed(&self) -> anyhow::Error {
        std::future::pending().await
    }

    /// Stops accepting and drains, then flushes commits, then the projector.
    #[expect(clippy::unused_async, reason = "the shape that the wiring fills")]
    pub(crate) async fn stop(self, _grace: Duration) -> anyhow::Result<()> {
        Err(not_wired("stop"))
    }
}

/// The journal of the settings, opened for reading only. A local journal must not be open elsewhere.
#[expect(clippy::unused_async, reason = "the shape that the wiring fills")]
pub(crate) async fn open_journal(_settings: &Settings) -> Result<Arc<dyn Journal>, Failure> {
    Err(not_wired("the journal").into())
}

/// The `OpenAPI` document, pretty-printed.
pub(crate) fn openapi_document() -> anyhow::Result<String> {
    Err(not_wired("the OpenAPI document"))
}
