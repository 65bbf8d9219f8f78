//! The server itself: migrated, with keys and an admin, and ready.

use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::Signal;

use super::place::Place;
use super::s3::{ACCESS_KEY, BUCKET, S3};
use crate::postgres::Postgres;
use crate::private;
use crate::process::{self, Daemon};
use crate::redis::Redis;

/// The account that may do everything but buy.
pub(super) const ADMIN: &str = "admin@dev.example";
const PROGRAM: &str = "onsale";
const INTERNAL_PORT: u16 = 9464;
const READY_WITHIN: Duration = Duration::from_mins(1);
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Less than a daemon is given to stop.
const SHUTDOWN_GRACE_SECONDS: &str = "4";
/// How the names of the server's settings begin. Those of the shell are for another deployment, and half of them beside ours
/// would be refused: a secret is given as text or in a file, not both.
pub(super) const PREFIXES: [&str; 3] = ["ONSALE_", "DATABASE_URL", "REDIS_URL"];

/// It stops gracefully when it is dropped.
pub(super) struct Server {
    daemon: Daemon,
    settings: Vec<(&'static str, String)>,
    internal: String,
    api: String,
    password: String,
    directory: PathBuf,
}

impl Server {
    pub(super) fn start(
        place: &Place,
        postgres: &Postgres,
        redis: &Redis,
        s3: &S3,
        preferred: u16,
    ) -> Result<Self> {
        let api = format!("127.0.0.1:{}", private::free_port(Some(preferred))?);
        let internal = format!("127.0.0.1:{}", private::free_port(Some(INTERNAL_PORT))?);
        for (file, id) in [("token-keys", "dev"), ("ticket-keys", "dev-tickets")] {
            place.secret(file, || {
                output(onsale(place, &[]).args(["token-key", "--id", id]))
            })?;
        }
        let settings = settings(place, postgres, redis, s3, &api, &internal);
        output(onsale(place, &settings).arg("migrate"))?;
        let admin = place.secret("admin.json", || {
            let mut create = onsale(place, &settings);
            output(create.args(["admin", "create", "--email", ADMIN, "--json"]))
        })?;
        let admin: serde_json::Value =
            serde_json::from_str(&admin).context("admin.json is damaged: use --fresh")?;
        let log = place.log("server.log")?;
        let mut serve = onsale(place, &settings);
        serve.arg("serve").stdout(Stdio::null()).stderr(log);
        let mut server = Self {
            daemon: Daemon::start(&mut serve, &[Signal::TERM])?,
            settings,
            internal,
            api,
            password: admin["password"].as_str().unwrap_or_default().to_owned(),
            directory: place.path(""),
        };
        server.wait_until_ready()?;
        Ok(server)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + READY_WITHIN;
        while !answers(&self.internal, "/readyz") {
            if process::interrupted() {
                bail!("interrupted");
            }
            let log = self.place_of("server.log");
            ensure!(
                self.is_running(),
                "onsale does not start:\n{}",
                private::tail(&log)
            );
            ensure!(
                Instant::now() < deadline,
                "onsale is not ready within {} s; its log ends with:\n{}",
                READY_WITHIN.as_secs(),
                private::tail(&log)
            );
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    pub(super) fn is_running(&mut self) -> bool {
        self.daemon.is_running()
    }

    /// Address of the internal port.
    pub(super) fn internal(&self) -> &str {
        &self.internal
    }

    /// Address of the API.
    pub(super) fn api(&self) -> &str {
        &self.api
    }

    /// Password of the admin.
    pub(super) fn password(&self) -> &str {
        &self.password
    }

    /// The environment that it was given.
    pub(super) fn settings(&self) -> &[(&'static str, String)] {
        &self.settings
    }

    /// A file beside its log.
    pub(super) fn place_of(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

fn settings(
    place: &Place,
    postgres: &Postgres,
    redis: &Redis,
    s3: &S3,
    api: &str,
    internal: &str,
) -> Vec<(&'static str, String)> {
    vec![
        ("DATABASE_URL", postgres.url()),
        ("REDIS_URL", redis.url()),
        ("ONSALE_LISTEN", api.to_owned()),
        ("ONSALE_INTERNAL_LISTEN", internal.to_owned()),
        ("ONSALE_NODE_NAME", "dev".to_owned()),
        ("ONSALE_JOURNAL_DIRECTORY", place.text("journal")),
        ("ONSALE_TOKEN_KEYS_FILE", place.text("token-keys")),
        ("ONSALE_TICKET_KEYS_FILE", place.text("ticket-keys")),
        ("ONSALE_S3_BUCKET", BUCKET.to_owned()),
        ("ONSALE_S3_ENDPOINT", s3.url()),
        ("ONSALE_S3_PATH_STYLE", "true".to_owned()),
        ("ONSALE_S3_ACCESS_KEY_ID", ACCESS_KEY.0.to_owned()),
        ("ONSALE_S3_SECRET_ACCESS_KEY", ACCESS_KEY.1.to_owned()),
        ("ONSALE_MAILER", "folder".to_owned()),
        ("ONSALE_MAIL_FOLDER", place.text("mail")),
        ("ONSALE_MAIL_FROM", "Onsale <tickets@dev.example>".to_owned()),
        ("ONSALE_SHUTDOWN_GRACE_SECONDS", SHUTDOWN_GRACE_SECONDS.to_owned()),
        ("ONSALE_DRILLS", "true".to_owned()),
    ]
}

/// A command of the server with these settings and no others.
fn onsale(place: &Place, settings: &[(&'static str, String)]) -> Command {
    let mut command = Command::new(place.programs().join(PROGRAM));
    for (name, _) in std::env::vars_os() {
        if is_setting(&name) {
            command.env_remove(name);
        }
    }
    command
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null());
    command
}

/// Whether a variable is one of the server's settings.
fn is_setting(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    PREFIXES.iter().any(|prefix| name.starts_with(prefix.as_bytes()))
}

/// Runs a command to its end; what it printed.
fn output(command: &mut Command) -> Result<String> {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().context("cannot run onsale")?;
    ensure!(
        status.success(),
        "onsale failed: {}",
        String::from_utf8_lossy(&stderr).trim()
    );
    Ok(String::from_utf8_lossy(&stdout).trim().to_owned())
}

/// Whether a path of a server on this machine is answered with 200.
pub(super) fn answers(address: &str, path: &str) -> bool {
    let ask = || -> Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address.parse()?, ANSWER_WITHIN)?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        )?;
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        Ok(head.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}
