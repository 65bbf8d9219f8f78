//! A private Postgres and Redis, programs of others, and the environment that points to them.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::Pid;

use crate::postgres::Postgres;
use crate::process::{self, Daemon};
use crate::redis::Redis;
use crate::{cargo, poppler, prometheus, python, reaper};

/// Somebody else may take a free port before our server does; then we try the next one.
const ATTEMPTS: u32 = 5;
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// The servers; they stop when this is dropped.
#[derive(Debug)]
pub struct Servers {
    postgres: Postgres,
    redis: Option<Redis>,
    python: Option<PathBuf>,
}

impl Servers {
    /// Starts Postgres and Redis. From here on signals are caught: check [`process::interrupted`].
    pub fn start() -> Result<Self> {
        process::catch_signals()?;
        // Before the servers: whatever a command leaves running is ended with it.
        let python = python::interpreter()
            .inspect_err(|error| eprintln!("xtask: tests with programs in Python will fail: {error:#}"));
        if let Err(error) = poppler::ensure() {
            eprintln!("xtask: tests that look at PDFs will fail: {error:#}");
        }
        if let Err(error) = prometheus::ensure() {
            eprintln!("xtask: tests of dashboards and alerts will fail: {error:#}");
        }
        let mut servers = Self::start_postgres()?;
        servers.redis = Some(Redis::start()?);
        servers.python = python.ok();
        Ok(servers)
    }

    /// Starts Postgres alone.
    pub fn start_postgres() -> Result<Self> {
        process::catch_signals()?;
        reaper::adopt_orphans();
        Ok(Self {
            postgres: Postgres::start()?,
            redis: None,
            python: None,
        })
    }

    /// The private cluster.
    pub fn postgres(&self) -> &Postgres {
        &self.postgres
    }

    /// The processes that [`process::run`] must leave alone.
    pub fn pids(&self) -> Vec<Pid> {
        let redis = self.redis.as_ref().map(Redis::pid);
        std::iter::once(self.postgres.pid()).chain(redis).collect()
    }

    /// A cargo command in `root` that finds the servers and builds from the checked-in query data.
    pub fn cargo(&self, root: &Path) -> Command {
        let mut command = cargo::command(root);
        self.point(&mut command);
        command
    }

    /// Lets a command find the servers.
    pub fn point(&self, command: &mut Command) {
        command
            .env("DATABASE_URL", self.postgres.url())
            .env("ONSALE_TEST_PG_BIN_DIR", self.postgres.bin_dir())
            .env("SQLX_OFFLINE", "true");
        if let Some(redis) = &self.redis {
            command.env("REDIS_URL", redis.url());
        }
        if let Some(python) = &self.python {
            command.env("ONSALE_TEST_PYTHON", python);
        }
    }
}

/// Starts a server and waits until it answers, on the preferred port where that is free, else on one that is.
///
/// `command` makes the command for a port, `is_ready` asks once whether the server on it answers, and `log`
/// is shown when it does not come up.
pub(crate) fn start_on_free_port(
    name: &str,
    log: &Path,
    stop_signals: &'static [rustix::process::Signal],
    preferred: Option<u16>,
    mut command: impl FnMut(u16) -> Result<Command>,
    mut is_ready: impl FnMut(u16) -> bool,
) -> Result<(Daemon, u16)> {
    for attempt in 0..ATTEMPTS {
        let port = free_port(preferred.filter(|_| attempt == 0))?;
        let mut daemon = Daemon::start(&mut command(port)?, stop_signals)?;
        let deadline = Instant::now() + START_TIMEOUT;
        while daemon.is_running() && Instant::now() < deadline {
            if process::interrupted() {
                bail!("interrupted");
            }
            if is_ready(port) && daemon.is_running() {
                return Ok((daemon, port));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
    bail!("{name} does not start:\n{}", tail(log))
}

/// The last lines of a log.
pub(crate) fn tail(log: &Path) -> String {
    let log = std::fs::read_to_string(log).unwrap_or_default();
    let tail: Vec<_> = log.lines().rev().take(20).collect();
    tail.into_iter().rev().collect::<Vec<_>>().join("\n")
}

/// The preferred port of the loopback where that is free, else one that is.
pub(crate) fn free_port(preferred: Option<u16>) -> Result<u16> {
    let preferred = preferred.and_then(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok());
    let listener = match preferred {
        Some(listener) => listener,
        None => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("127.0.0.1 has no free port")?,
    };
    Ok(listener.local_addr()?.port())
}
