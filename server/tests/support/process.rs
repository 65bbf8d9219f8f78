//! The real binary as a child, that can be killed, stopped, frozen and started again on the same storage.

use std::fs::File;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::sleep;

use super::{Reply, SECRET, TICKET_KEYS, get};

const READY_WITHIN: Duration = Duration::from_secs(40);
const STOP_WITHIN: Duration = Duration::from_secs(40);
/// Tries to find two ports that nobody else takes meanwhile.
const PORT_TRIES: u32 = 5;

/// Where records become durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Journal {
    Local,
    Postgres,
}

impl Journal {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Postgres => "postgres",
        }
    }
}

/// A serving process and how to start it again.
pub struct Server {
    binary: PathBuf,
    file_bytes_max: Option<u64>,
    child: Option<Child>,
    environment: Vec<(String, String)>,
    log: PathBuf,
    /// Where its API is.
    pub api: SocketAddr,
    /// Where its internal port is.
    pub internal: SocketAddr,
}

impl Server {
    /// Prepares a process that keeps its journal and log below `directory`; does not start it. Later settings win.
    pub fn prepare(
        name: &str,
        directory: &Path,
        database_url: &str,
        journal: Journal,
        settings: &[(&str, &str)],
    ) -> Self {
        let journal_directory = directory.join("journal").display().to_string();
        let files = directory.join("files").display().to_string();
        let mut environment: Vec<(String, String)> = [
            ("DATABASE_URL", database_url),
            ("ONSALE_DATABASE_CONNECTIONS_MAX", "8"),
            ("ONSALE_JOURNAL", journal.as_str()),
            ("ONSALE_JOURNAL_DIRECTORY", &journal_directory),
            ("ONSALE_TOKEN_SECRET", SECRET),
            ("ONSALE_TICKET_KEYS", TICKET_KEYS),
            ("ONSALE_FILES_FOLDER", &files),
            ("ONSALE_NODE_NAME", name),
            ("ONSALE_RATE_LIMIT_PER_SECOND", "0"),
            ("ONSALE_AUTH_RATE_LIMIT_ACCOUNT_PER_MINUTE", "0"),
            ("ONSALE_AUTH_RATE_LIMIT_ADDRESS_PER_MINUTE", "0"),
            ("ONSALE_SHUTDOWN_GRACE_SECONDS", "20"),
            ("ONSALE_DRILLS", "true"),
            ("ONSALE_LOG_LEVEL", "info"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        environment.extend(
            settings
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let (api, internal) = two_free_addresses();
        Self {
            binary: onsale_binary(),
            file_bytes_max: None,
            child: None,
            environment,
            log: directory.join(format!("{name}.log")),
            api,
            internal,
        }
    }

    /// Brings the schema up to date.
    pub fn migrate(&self) {
        let output = self.run(&["migrate"]);
        assert!(output.status.success(), "{}", told(&output));
    }

    /// Runs another subcommand of the binary with the same settings, to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("onsale")
    }

    /// Runs another subcommand of the binary with the same settings and something on stdin, to its end.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("onsale");
        let mut stdin = child.stdin.take().expect("its stdin");
        stdin.write_all(input.as_bytes()).expect("it reads");
        drop(stdin);
        child.wait_with_output().expect("onsale")
    }

    /// Has another release of the program started from now on.
    pub fn install(&mut self, binary: PathBuf) {
        self.binary = binary;
    }

    /// Has writes fail from now on that would make a file larger than this.
    pub fn limit_files(&mut self, bytes_max: Option<u64>) {
        self.file_bytes_max = bytes_max;
    }

    /// Changes a setting for the next start.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Starts the process; it may not be ready for long.
    pub fn spawn(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let log = File::options()
            .create(true)
            .append(true)
            .open(&self.log)
            .expect("log");
        let mut command = self.command(&["serve", "--stop-with-stdin"]);
        // It ends when this pipe does, so that nothing is left running however the test ends.
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.child = Some(child.expect("onsale serve"));
    }

    /// Starts the process and waits until it is ready; on other ports where the first are taken.
    pub async fn start(&mut self) {
        for _ in 1..PORT_TRIES {
            self.spawn();
            if self.ready_or_port_taken().await {
                return;
            }
            (self.api, self.internal) = two_free_addresses();
        }
        panic!("no free ports");
    }

    /// Starts the process again where clients know it, and waits until it is ready.
    pub async fn restart(&mut self) {
        self.spawn();
        assert!(self.ready_or_port_taken().await, "{}", self.stderr());
    }

    async fn ready_or_port_taken(&mut self) -> bool {
        let started = Instant::now();
        loop {
            if let Some(status) = self.exited() {
                let log = self.stderr();
                assert!(log.contains("cannot listen"), "ended with {status}: {log}");
                return false;
            }
            if self.is_ready().await {
                return true;
            }
            assert!(started.elapsed() < READY_WITHIN, "not ready: {}", self.stderr());
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Whether the internal port says so.
    pub async fn is_ready(&self) -> bool {
        matches!(
            get("/readyz").try_send(self.internal).await,
            Ok(Reply { status: 200, .. })
        )
    }

    /// What the internal port says about readiness.
    pub async fn readiness(&self) -> Value {
        let reply = get("/readyz?verbose").try_send(self.internal).await;
        reply.map(|reply| reply.json()).unwrap_or_default()
    }

    /// Takes the status of a process that has ended.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        let status = self.child.as_mut()?.try_wait().expect("wait")?;
        self.child = None;
        Some(status)
    }

    /// Waits for a process that should end by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.exited() {
                return status;
            }
            assert!(
                started.elapsed() < STOP_WITHIN,
                "still running: {}",
                self.stderr()
            );
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// kill -9.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("kill");
            child.wait().expect("wait");
        }
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        signal(name, self.child.as_ref().expect("it runs").id());
    }

    /// SIGTERM; it must end with 0.
    pub async fn stop(&mut self) {
        self.signal("TERM");
        let status = self.ended().await;
        assert!(status.success(), "{status}: {}", self.stderr());
    }

    /// All that it has logged.
    pub fn stderr(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Nothing in the log is a panic.
    #[track_caller]
    pub fn assert_no_panic(&self) {
        let log = self.stderr();
        let panic = log.lines().find(|line| line.contains("panicked"));
        assert_eq!(panic, None, "{log}");
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = match self.file_bytes_max {
            None => Command::new(&self.binary),
            Some(bytes) => {
                // In blocks of 512 bytes. A process that does not ignore the signal would be killed by it.
                let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", bytes / 512);
                let mut command = Command::new("/bin/sh");
                command.args(["-c", &script]).arg(&self.binary);
                command
            }
        };
        command.args(arguments).env_clear().stdin(Stdio::null());
        command.env("ONSALE_LISTEN", self.api.to_string());
        command.env("ONSALE_INTERNAL_LISTEN", self.internal.to_string());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let log = self.stderr();
            let lines: Vec<_> = log.lines().collect();
            let tail = &lines[lines.len().saturating_sub(30)..];
            eprintln!("--- {}\n{}", self.log.display(), tail.join("\n"));
        }
    }
}

/// The program under test: what `ONSALE_BINARY` names, or the one that was built with the tests.
pub fn onsale_binary() -> PathBuf {
    std::env::var_os("ONSALE_BINARY").map_or_else(|| env!("CARGO_BIN_EXE_onsale").into(), PathBuf::from)
}

/// The release to upgrade from: what `ONSALE_OLD_BINARY` names, or the program under test.
pub fn old_onsale_binary() -> PathBuf {
    std::env::var_os("ONSALE_OLD_BINARY").map_or_else(onsale_binary, PathBuf::from)
}

/// What a program said.
fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Sends a signal to a process that we started.
pub fn signal(name: &str, pid: u32) {
    let status = Command::new("kill").args(["-s", name, &pid.to_string()]).status();
    assert!(status.expect("kill").success(), "kill -s {name} {pid}");
}

/// Two that differ, which drawing twice does not promise.
fn two_free_addresses() -> (SocketAddr, SocketAddr) {
    let first = free_address();
    loop {
        let second = free_address();
        if second != first {
            return (first, second);
        }
    }
}

/// An address of the loopback that nobody listens on now, below the ports that the kernel gives to clients: they
/// knock while the process is down, and one of them must not sit on its port when it comes back.
pub fn free_address() -> SocketAddr {
    loop {
        let random = getrandom::u32().expect("random numbers") % 22_000;
        let port = 10_000 + u16::try_from(random).expect("below 22,000");
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            return listener.local_addr().expect("address");
        }
    }
}
