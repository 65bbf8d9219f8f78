//! Puts the crates together: database → journal → projection → engine → services → router → listener, and takes
//! them down in the order in which nothing acknowledged can be lost.
//!
//! This is the only file of the server that knows how the other crates are built up.

mod audited;
mod error;
mod files;
mod gateways;
mod mail;
mod peers;
mod prepared;
mod traces;

use std::sync::Arc;
use std::time::{Duration, Instant};

use onsale_engine::port::{Clock, Journal, JournalError};
use onsale_engine::{Engine, EngineConfig, EngineError};
use onsale_http::{Gate, Rate, RateLimitConfig, ServeLimits};
use onsale_persistence::{
    Database, DatabaseConfig, LocalJournal, PostgresJournal, PostgresProjection, Redis, SharedRates,
};
use onsale_services::{
    AccessSync, AuditWriter, Dependencies, Housekeeping, JobHandler, JobRunner, MailHandler, Mailer,
    PackageJobs, PaymentWorker, Services, ServicesConfig, TicketFiles,
};
use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) use audited::{open_audited, open_audited_database};
pub(crate) use error::StartError;
pub(crate) use files::open_files;
pub(crate) use gateways::payment_gateways;
pub(crate) use mail::mailer;
pub(crate) use prepared::Prepared;

use crate::configuration::{JournalKind, Settings, journal_directory_in_use};
use crate::metrics::Sources;
use traces::Telling;

/// The journal, kept by its kind because the two end differently.
enum OpenJournal {
    Postgres(Arc<PostgresJournal>),
    Local(Arc<LocalJournal>),
}

impl OpenJournal {
    /// Others ask about its events at the address.
    async fn open(
        settings: &Settings,
        database: &Database,
        address: Option<&str>,
    ) -> Result<Self, JournalError> {
        let database = database.clone();
        Ok(match settings.journal {
            JournalKind::Postgres => Self::Postgres(Arc::new(
                PostgresJournal::start_reachable(database, &settings.node_name, address).await?,
            )),
            JournalKind::Local => Self::Local(Arc::new(
                LocalJournal::open(&settings.journal_directory, database).await?,
            )),
        })
    }

    fn journal(&self) -> Arc<dyn Journal> {
        match self {
            Self::Postgres(journal) => Arc::clone(journal) as Arc<dyn Journal>,
            Self::Local(journal) => Arc::clone(journal) as Arc<dyn Journal>,
        }
    }

    /// Lets a successor take over at once. Closing the files of a local journal unlocks its directory.
    async fn close(self) {
        match self {
            Self::Postgres(journal) => journal.shutdown().await,
            Self::Local(_) => {}
        }
    }
}

/// The engine over its storage: everything below the use cases.
pub(crate) struct Core {
    database: Database,
    redis: Option<Redis>,
    journal: OpenJournal,
    engine: Engine,
    clock: Arc<dyn Clock>,
}

/// Connects to Postgres, without looking at the schema.
pub(crate) async fn connect_database(settings: &Settings) -> Result<Database, StartError> {
    let url = settings.required_database_url()?.expose_secret();
    let config = DatabaseConfig {
        connections_max: settings.database_connections_max,
        ..DatabaseConfig::new(url)
    };
    Database::connect(&config)
        .await
        .map_err(|error| StartError::from(error).located(settings))
}

/// Connects to everything that is stored and starts the engine over it. Safe to try again.
pub(crate) async fn connect(settings: &Settings, prepared: &Prepared) -> Result<Core, StartError> {
    let database = connect_database(settings).await?;
    if !database.is_migrated().await? {
        return Err(StartError::NotMigrated);
    }
    let address = peers::address(settings, &database).await?;
    let journal = OpenJournal::open(settings, &database, address.as_deref())
        .await
        .map_err(|error| match error {
            JournalError::OwnedElsewhere { .. } => {
                let in_use = journal_directory_in_use(&settings.journal_directory);
                StartError::Configuration(settings.located(in_use))
            }
            error => error.into(),
        })?;
    let clock = Arc::clone(&prepared.clock);
    let projection = Arc::new(PostgresProjection::new(database.clone()));
    let started = Engine::start_among(
        EngineConfig::default(),
        journal.journal(),
        projection,
        Arc::clone(&clock),
        peers::peers(settings),
    );
    let engine = started.await.map_err(|error| match error {
        EngineError::Unavailable { reason } => StartError::Unavailable(reason),
        error => StartError::Internal(error.into()),
    })?;
    Ok(Core {
        database,
        redis: prepared.redis.clone(),
        journal,
        engine,
        clock,
    })
}

/// The handle on Redis, which may be away: then each process works on its own until it is back.
pub(crate) async fn open_redis(settings: &Settings) -> Result<Option<Redis>, StartError> {
    let Some(url) = &settings.redis_url else {
        tracing::info!(
            "no Redis is configured: sessions, roles and limits are kept by this process alone; run one process, or set REDIS_URL"
        );
        return Ok(None);
    };
    let redis = Redis::open(url.expose_secret(), &settings.redis_prefix).await?;
    Ok(Some(redis))
}

/// What serves.
pub(crate) struct Running {
    core: Core,
    /// Ends the listener first.
    stop_serving: CancellationToken,
    serving: JoinHandle<bool>,
    /// Ends the background work last.
    stop_working: CancellationToken,
    working: Vec<JoinHandle<()>>,
    telling: Option<Telling>,
}

/// Starts the use cases, their background work and the public listener.
pub(crate) async fn start(
    settings: &Settings,
    core: Core,
    prepared: Prepared,
    listener: TcpListener,
) -> anyhow::Result<Running> {
    let (audit, writing_audit) = AuditWriter::new(core.database.clone());
    let dependencies = Dependencies {
        engine: core.engine.clone(),
        database: core.database.clone(),
        redis: core.redis.clone(),
        gateways: prepared.gateways,
        tokens: prepared.tokens,
        audit,
        ticket_keys: prepared.ticket_keys,
        objects: prepared.objects,
    };
    let config = ServicesConfig {
        gateway_timeout: gateways::patience(settings),
        breached_passwords: prepared.breached_passwords,
    };
    let services = Services::new(dependencies, config)?;
    services.load_access().await?;
    let gate = Gate::new(
        &rate_limits(settings),
        core.redis.clone().map(SharedRates::new),
        settings.trusted_proxies.clone(),
        Arc::clone(&core.clock),
    );
    let stop_serving = CancellationToken::new();
    let stop_working = CancellationToken::new();
    let handlers = job_handlers(prepared.mailer, &services)?;
    let working = vec![
        tokio::spawn(writing_audit.run(stop_working.clone())),
        tokio::spawn(AccessSync::new(services.clone()).run(stop_working.clone())),
        tokio::spawn(gate.clone().upkeep(stop_working.clone())),
        tokio::spawn(Housekeeping::new(services.clone()).run(stop_working.clone())),
        tokio::spawn(JobRunner::new(services.clone(), handlers).run(stop_working.clone())),
    ];
    let limits = ServeLimits {
        connections_max: usize::try_from(settings.connections_max)?,
        idle_timeout: settings.idle_timeout,
        grace_period: draining(settings.shutdown_grace),
        ..ServeLimits::default()
    };
    let (tracing, telling) = traces::open(settings, &core.clock)?;
    let router = onsale_http::router(services, gate, &settings.cors_origins, tracing);
    let serving = onsale_http::serve(listener, router, limits, stop_serving.clone());
    Ok(Running {
        core,
        serving: tokio::spawn(serving),
        stop_serving,
        stop_working,
        working,
        telling,
    })
}

/// What works on background jobs, by kind.
fn job_handlers(
    mailer: Option<Arc<dyn Mailer>>,
    services: &Services,
) -> anyhow::Result<Vec<Arc<dyn JobHandler>>> {
    let mut handlers: Vec<Arc<dyn JobHandler>> = vec![
        Arc::new(PaymentWorker::new(services.clone())),
        Arc::new(TicketFiles::new(services.clone())),
    ];
    if let Some(mailer) = mailer {
        handlers.push(Arc::new(MailHandler::new(services.clone(), mailer)?));
    }
    handlers.push(Arc::new(PackageJobs::new(services.clone())));
    Ok(handlers)
}

fn rate_limits(settings: &Settings) -> RateLimitConfig {
    let others = match settings.rate_limit_per_second {
        Some(per_second) => RateLimitConfig {
            sale: Rate::per_second(per_second, settings.rate_limit_burst),
            ..RateLimitConfig::default()
        },
        None => RateLimitConfig::NONE,
    };
    RateLimitConfig {
        auth: Rate::per_minute(settings.auth_rate_limit_address_per_minute),
        auth_account: Rate::per_minute(settings.auth_rate_limit_account_per_minute),
        ..others
    }
}

impl Running {
    /// The engine, for the internal port.
    pub(crate) fn engine(&self) -> Engine {
        self.core.engine.clone()
    }

    /// What metrics are read from, for the internal port.
    pub(crate) fn sources(&self) -> Sources {
        Sources {
            engine: self.core.engine.clone(),
            database: self.core.database.clone(),
            redis: self.core.redis.clone(),
        }
    }

    /// Waits for a listener that ends by itself, which it should not.
    pub(crate) async fn failed(&mut self) -> anyhow::Error {
        match (&mut self.serving).await {
            Ok(_) => anyhow::anyhow!("the listener ended by itself"),
            Err(error) => anyhow::Error::new(error).context("the listener failed"),
        }
    }

    /// Stops accepting and drains, then flushes commits and projects them, then ends what works in the background.
    /// All of it within one deadline, of which each step gets what the ones before it left.
    pub(crate) async fn stop(self, grace: Duration) -> anyhow::Result<()> {
        let deadline = Deadline::after(grace);
        self.stop_serving.cancel();
        if !self.serving.is_finished() && !self.serving.await? {
            tracing::warn!("some requests were cut off at the end of the grace period");
        }
        self.core.engine.shutdown(deadline.left()).await;
        self.stop_working.cancel();
        for mut work in self.working {
            let ended = tokio::time::timeout(deadline.left(), &mut work).await;
            if let Ok(ended) = ended {
                ended?;
            } else {
                // What it was at is repeated by the next process.
                tracing::warn!("background work was cut off at the end of the grace period");
                work.abort();
            }
        }
        deadline.at_most("the journal", self.core.journal.close()).await;
        deadline.at_most("the database", self.core.database.close()).await;
        if let Some(telling) = self.telling {
            deadline.at_most("the export of traces", telling.stop()).await;
        }
        Ok(())
    }
}

/// Part of the grace period in which requests under way may end. The rest is for what they led to: commits, their
/// projection, payments.
fn draining(grace: Duration) -> Duration {
    grace * 4 / 5
}

/// The instant at which a shutdown must be over.
#[derive(Clone, Copy)]
struct Deadline(Instant);

impl Deadline {
    fn after(grace: Duration) -> Self {
        Self(Instant::now() + grace)
    }

    fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Waits for a farewell that is a courtesy: leaving without it is safe.
    async fn at_most(self, whose: &'static str, farewell: impl Future<Output = ()>) {
        if tokio::time::timeout(self.left(), farewell).await.is_err() {
            tracing::warn!("{whose} did not close within the grace period");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_step_that_hangs_takes_no_more_than_what_is_left() {
        let began = Instant::now();
        let deadline = Deadline::after(Duration::from_millis(50));
        for _ in 0..3 {
            deadline.at_most("a step", std::future::pending()).await;
        }
        assert!(deadline.left().is_zero());
        assert!((50..1_000).contains(&began.elapsed().as_millis()));
    }

    #[test]
    fn requests_under_way_never_use_up_the_whole_grace() {
        for seconds in [1, 25, 600] {
            let grace = Duration::from_secs(seconds);
            assert!(draining(grace) < grace);
        }
    }
}
