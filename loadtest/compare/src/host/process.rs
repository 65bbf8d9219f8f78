//! A server as a child process that can be killed and started again where clients know it.

use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::Usage;
use crate::load::Connection;

const READY_WITHIN: Duration = Duration::from_mins(1);
const STOP_WITHIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(10);

/// How to tell that a process serves.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ready {
    /// `GET /readyz` there answers 200.
    Http(SocketAddr),
    /// `PING` there answers `+PONG`.
    Redis(SocketAddr),
}

/// A process, and how to start it.
#[derive(Debug)]
pub(super) struct Process {
    child: Option<Child>,
    program: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
    ready: Ready,
    log: PathBuf,
}

impl Process {
    /// Does not start it. It gets this environment and nothing else of ours but the path.
    pub(super) fn new(
        program: impl Into<PathBuf>,
        arguments: &[&str],
        environment: Vec<(&'static str, String)>,
        ready: Ready,
        log: PathBuf,
    ) -> Self {
        Self {
            child: None,
            program: program.into(),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            environment,
            ready,
            log,
        }
    }

    /// Starts it and waits until it serves.
    pub(super) async fn start(&mut self) -> anyhow::Result<()> {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        // The servers end when this pipe does, so that nothing is left running, however the comparison ends.
        let child = self.command(&arguments)?.stdin(Stdio::piped()).spawn();
        self.child = Some(child.with_context(|| format!("cannot start {}", self.program.display()))?);
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            if let Some(child) = &mut self.child
                && let Some(status) = child.try_wait()?
            {
                self.child = None;
                bail!("{} ended with {status}\n{}", self.program.display(), self.tail());
            }
            if self.ready.is_ready().await {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!(
                    "{} was not ready within {READY_WITHIN:?}\n{}",
                    self.program.display(),
                    self.tail()
                );
            }
            sleep(POLL).await;
        }
    }

    /// Runs the program with other arguments, to its end; what it prints.
    pub(super) async fn run(&self, arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
        let mut command = self.command(arguments)?;
        let output = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .output()
            .await?;
        if !output.status.success() {
            bail!(
                "{} {} ended with {}\n{}",
                self.program.display(),
                arguments.join(" "),
                output.status,
                self.tail()
            );
        }
        Ok(output.stdout)
    }

    /// kill -9.
    pub(super) async fn kill(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().context("it does not run")?;
        child.kill().await.context("cannot kill it")
    }

    /// Asks it to end, by closing its stdin, and waits for it.
    pub(super) async fn stop(&mut self) -> anyhow::Result<()> {
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        drop(child.stdin.take());
        if timeout(STOP_WITHIN, child.wait()).await.is_err() {
            bail!("{} did not stop\n{}", self.program.display(), self.tail());
        }
        Ok(())
    }

    /// What it has used so far.
    pub(super) fn usage(&self) -> anyhow::Result<Usage> {
        let pid = self
            .child
            .as_ref()
            .and_then(Child::id)
            .context("it does not run")?;
        Usage::of(pid)
    }

    fn command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.with_context(|| format!("cannot write {}", self.log.display()))?;
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(self.environment.iter().map(|(name, value)| (*name, value)))
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            // Ctrl-C in the terminal is ours to handle.
            .process_group(0);
        Ok(command)
    }

    /// The last lines of its log.
    fn tail(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }
}

impl Ready {
    async fn is_ready(self) -> bool {
        match self {
            Self::Http(address) => matches!(status(address, "/readyz").await, Ok(200)),
            Self::Redis(address) => matches!(super::redis::pings(address).await, Ok(true)),
        }
    }
}

async fn status(address: SocketAddr, path: &str) -> anyhow::Result<u16> {
    let mut connection = Connection::open(address).await?;
    connection
        .ask(&format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n"))
        .await
}
