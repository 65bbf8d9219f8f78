//! The serving process: a child of the demo, so that it can be killed and started again while buyers go on.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use onsale_services::TicketKeys;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::database::Postgres;
use super::plan::Plan;
use crate::request;

/// How long a start may take until it is ready.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// How long a graceful end may take.
const STOP_WITHIN: Duration = Duration::from_secs(30);
/// Who the demo's tokens say issued them, and for whom.
pub(crate) const TOKEN_ISSUER: &str = "onsale-demo";
/// See [`TOKEN_ISSUER`].
pub(crate) const TOKEN_AUDIENCE: &str = "onsale-demo-api";

/// Who may make the demo's event.
#[derive(serde::Deserialize)]
pub(crate) struct Admin {
    pub(crate) email: String,
    pub(crate) password: String,
}

/// The serving process and how to start it again.
pub(crate) struct Server {
    child: Option<Child>,
    program: PathBuf,
    environment: Vec<(&'static str, String)>,
    log: PathBuf,
    /// Address of the API.
    pub(crate) api: SocketAddr,
    /// Address of metrics, health and drills.
    pub(crate) internal: SocketAddr,
}

impl Server {
    /// Prepares a serving process on free ports; does not start it.
    pub(crate) fn prepare(plan: &Plan, postgres: &Postgres, secret: &str) -> anyhow::Result<Self> {
        let ticket_keys = TicketKeys::generate("demo").context("the demo's ticket key")?;
        let api = free_address()?;
        let internal = free_address()?;
        let journal_directory = plan.directory.join("journal");
        let environment = vec![
            ("DATABASE_URL", postgres.url().to_owned()),
            (
                "ONSALE_DATABASE_CONNECTIONS_MAX",
                postgres.connections_max.to_string(),
            ),
            ("ONSALE_LISTEN", api.to_string()),
            ("ONSALE_INTERNAL_LISTEN", internal.to_string()),
            ("ONSALE_JOURNAL", plan.journal.as_str().to_owned()),
            (
                "ONSALE_JOURNAL_DIRECTORY",
                journal_directory.display().to_string(),
            ),
            ("ONSALE_TOKEN_SECRET", secret.to_owned()),
            ("ONSALE_TICKET_KEYS", ticket_keys),
            (
                "ONSALE_FILES_FOLDER",
                plan.directory.join("files").display().to_string(),
            ),
            ("ONSALE_TOKEN_ISSUER", TOKEN_ISSUER.to_owned()),
            ("ONSALE_TOKEN_AUDIENCE", TOKEN_AUDIENCE.to_owned()),
            ("ONSALE_RATE_LIMIT_PER_SECOND", "0".to_owned()),
            ("ONSALE_AUTH_RATE_LIMIT_ACCOUNT_PER_MINUTE", "0".to_owned()),
            ("ONSALE_AUTH_RATE_LIMIT_ADDRESS_PER_MINUTE", "0".to_owned()),
            ("ONSALE_SHUTDOWN_GRACE_SECONDS", "15".to_owned()),
            ("ONSALE_DRILLS", "true".to_owned()),
            ("ONSALE_MAILER", "folder".to_owned()),
            (
                "ONSALE_MAIL_FOLDER",
                plan.directory.join("mail").display().to_string(),
            ),
            ("ONSALE_LOG_LEVEL", plan.log.clone()),
        ];
        Ok(Self {
            child: None,
            program: std::env::current_exe().context("cannot find this program")?,
            environment,
            log: plan.directory.join("serve.log"),
            api,
            internal,
        })
    }

    /// Brings the schema up to date, by the same program.
    pub(crate) async fn migrate(&self) -> anyhow::Result<()> {
        let status = self
            .command("migrate")?
            .status()
            .await
            .context("onsale migrate")?;
        if status.success() {
            Ok(())
        } else {
            Err(self.ended("onsale migrate", status))
        }
    }

    /// Makes an admin of the demo's own, by the same program, under a password that nobody else learns.
    pub(crate) async fn create_admin(&self) -> anyhow::Result<Admin> {
        let email = format!("{}@demo.example", uuid::Uuid::now_v7().simple());
        let output = self
            .command("admin")?
            .args(["create", "--json", "--email", &email])
            .stdout(Stdio::piped())
            .output()
            .await
            .context("onsale admin create")?;
        if !output.status.success() {
            return Err(self.ended("onsale admin create", output.status));
        }
        serde_json::from_slice(&output.stdout).context("what onsale admin create prints")
    }

    /// Starts the process and waits until it is ready.
    pub(crate) async fn start(&mut self) -> anyhow::Result<()> {
        let mut command = self.command("serve")?;
        // It ends when this pipe does: nothing is left running, however the demo ends.
        command.arg("--stop-with-stdin").stdin(Stdio::piped());
        self.child = Some(command.spawn().context("cannot start onsale serve")?);
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            if let Some(child) = &mut self.child
                && let Some(status) = child.try_wait().context("onsale serve")?
            {
                self.child = None;
                return Err(self.ended("onsale serve", status));
            }
            if matches!(request::get(self.internal, "/readyz").await, Ok((200, _))) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!(
                    "onsale serve was not ready within {READY_WITHIN:?}\n{}",
                    tail(&self.log)
                );
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// kill -9, at once.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().context("onsale serve does not run")?;
        child.kill().await.context("cannot kill onsale serve")
    }

    /// Asks the process to end gracefully, by closing its stdin, and waits for it.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<()> {
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        drop(child.stdin.take());
        let Ok(status) = timeout(STOP_WITHIN, child.wait()).await else {
            bail!(
                "onsale serve did not stop within {STOP_WITHIN:?}\n{}",
                tail(&self.log)
            );
        };
        let status = status.context("onsale serve")?;
        if status.success() {
            Ok(())
        } else {
            Err(self.ended("onsale serve", status))
        }
    }

    fn command(&self, subcommand: &str) -> anyhow::Result<Command> {
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.with_context(|| format!("cannot write {}", self.log.display()))?;
        let mut command = Command::new(&self.program);
        command
            .arg(subcommand)
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("log file")?)
            .stderr(log)
            .kill_on_drop(true)
            // Ctrl-C in the terminal is the demo's to handle.
            .process_group(0);
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy();
            if name_text.starts_with("ONSALE_")
                || name_text.starts_with("REDIS_URL")
                || name_text.starts_with("DATABASE_URL")
            {
                command.env_remove(&name);
            }
        }
        command.envs(self.environment.iter().map(|(name, value)| (*name, value)));
        Ok(command)
    }

    fn ended(&self, what: &str, status: ExitStatus) -> anyhow::Error {
        anyhow::anyhow!("{what} ended with {status}\n{}", tail(&self.log))
    }
}

/// A port of the loopback that nobody listens on now. The serving process takes it again after a crash, so it must
/// be known beforehand.
fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no free port")?;
    listener.local_addr().context("no free port")
}

/// The last lines of the process's log.
fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    let from = lines.len().saturating_sub(12);
    lines[from..].join("\n")
}
