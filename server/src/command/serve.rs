//! `onsale serve`: serves the API until told to stop.

use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::cli::{Common, DataArguments};
use crate::configuration::{Settings, cannot_listen};
use crate::exit::Failure;
use crate::internal::{self, Internal};
use crate::metrics::{self, Scraper};
use crate::peers::PeerEndpoint;
use crate::readiness::{Phase, Readiness};
use crate::retry::pause_after;
use crate::wiring::{self, Core, Prepared, StartError};
use crate::{signals, telemetry};

/// Arguments of `onsale serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  DATABASE_URL=postgres://onsale@localhost/onsale ONSALE_TOKEN_SECRET_FILE=/run/secrets/token onsale serve
  onsale serve --config /etc/onsale.toml --listen 0.0.0.0:8080
  onsale serve --journal local --journal-directory /var/lib/onsale

While Postgres is away at the start, it waits: /readyz on the internal port says not ready.
SIGTERM or SIGINT: not ready, drain, flush, exit 0. A second signal ends the process at once.")]
pub(crate) struct Arguments {
    /// Address of the API [env: `ONSALE_LISTEN`] [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Address of metrics and health [env: `ONSALE_INTERNAL_LISTEN`] [default: 127.0.0.1:9464]
    #[arg(long, value_name = "ADDRESS")]
    internal_listen: Option<String>,
    #[command(flatten)]
    data: DataArguments,
    /// Seconds that requests under way have after SIGTERM [env: `ONSALE_SHUTDOWN_GRACE_SECONDS`] [default: 25]
    #[arg(long, value_name = "SECONDS")]
    shutdown_grace_seconds: Option<String>,
    /// End gracefully when stdin ends: for a parent that must leave nothing running behind
    #[arg(long, hide = true)]
    stop_with_stdin: bool,
}

/// Serves until a signal.
pub(crate) async fn run(common: &Common, arguments: Arguments) -> Result<(), Failure> {
    let sources = arguments
        .data
        .onto(common.sources())
        .flag("listen", arguments.listen)
        .flag("internal_listen", arguments.internal_listen)
        .flag("shutdown_grace_seconds", arguments.shutdown_grace_seconds);
    let settings = Settings::load(&sources)?;
    settings.required_database_url()?;
    settings.tokens()?;
    settings.files.ticket_keys()?;
    telemetry::log_to_stderr(&settings)?;
    for stranger in sources.strangers() {
        tracing::warn!("{stranger}");
    }
    let stop = signals::stop_token()?;
    if arguments.stop_with_stdin {
        signals::stop_with_stdin(stop.clone());
    }

    let internal = Internal {
        metrics: Scraper::new(metrics::record()?),
        readiness: Readiness::starting(),
        drills: settings.drills,
        peers: settings
            .peers()
            .map(|peers| Arc::new(PeerEndpoint::new(peers.seals()))),
        engine: Arc::new(OnceLock::new()),
    };
    let internal_listener = TcpListener::bind(settings.internal_listen)
        .await
        .map_err(|error| settings.located(cannot_listen(true, &error)))?;
    // Bound early, so that a taken port is told at once; connections queue until the engine runs.
    let listener = TcpListener::bind(settings.listen)
        .await
        .map_err(|error| settings.located(cannot_listen(false, &error)))?;
    tokio::spawn(internal::serve(internal_listener, internal.clone()));
    let prepared = Prepared::open(&settings).await?;

    let Some(core) = connect(&settings, &prepared, &internal.readiness, &stop).await? else {
        return Ok(());
    };
    internal.readiness.enter(Phase::Recovering);
    let mut running = wiring::start(&settings, core, prepared, listener)
        .await
        .context("cannot start")?;
    // Set once, here.
    let _ = internal.engine.set(running.engine());
    if let Some(peers) = &internal.peers {
        peers.open(running.engine());
    }
    internal.metrics.watch(running.sources());
    internal.readiness.enter(Phase::Ready);
    tracing::info!(
        listen = %settings.listen,
        internal = %settings.internal_listen,
        journal = settings.journal.as_str(),
        "serving"
    );

    let failed = tokio::select! {
        () = stop.cancelled() => None,
        error = running.failed() => Some(error),
    };
    internal.readiness.enter(Phase::Draining);
    let stopped = running.stop(settings.shutdown_grace).await;
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(stopped.context("stopped, but not cleanly")?),
    }
}

/// Connects, waiting for as long as Postgres is away. `None` when told to stop meanwhile.
async fn connect(
    settings: &Settings,
    prepared: &Prepared,
    readiness: &Readiness,
    stop: &CancellationToken,
) -> Result<Option<Core>, Failure> {
    for failures in 0.. {
        // Nothing is acknowledged yet, so an attempt may be dropped halfway.
        let Some(attempt) = stop
            .run_until_cancelled(wiring::connect(settings, prepared))
            .await
        else {
            return Ok(None);
        };
        let (phase, problem) = match attempt {
            Ok(core) => return Ok(Some(core)),
            Err(StartError::Configuration(error)) => return Err(error.into()),
            Err(StartError::Internal(error)) => return Err(error.into()),
            Err(error @ StartError::NotMigrated) => (Phase::AwaitingMigration, error.to_string()),
            Err(StartError::Unavailable(problem)) => (
                Phase::AwaitingDatabase,
                format!("Postgres must run where DATABASE_URL says ({problem})"),
            ),
        };
        readiness.enter(phase);
        let pause = pause_after(failures);
        tracing::warn!(
            retry_in_ms = pause.as_millis(),
            "waiting for the database: {problem}"
        );
        tokio::select! {
            () = stop.cancelled() => return Ok(None),
            () = tokio::time::sleep(pause) => {}
        }
    }
    Ok(None)
}
