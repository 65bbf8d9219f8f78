//! A Postgres cluster of a test's own, that can be stopped, killed, copied and promoted without harm to other tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::{bin_dir, free_address, signal, until};

/// How long a start may take, recovery included.
const UP_WITHIN: Duration = Duration::from_secs(30);

/// A cluster that ends with the test.
pub struct PrivatePostgres {
    // The directory goes last: the server must not outlive it.
    server: Option<Child>,
    port: u16,
    settings: Vec<String>,
    data: PathBuf,
    directory: tempfile::TempDir,
}

impl PrivatePostgres {
    /// Makes one with settings of its own, each `name=value`, and does not start it.
    pub fn prepare(settings: &[&str]) -> Self {
        let cluster = Self::without_data(settings);
        let data = cluster.data.display().to_string();
        let fixed = [
            "-A",
            "trust",
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ];
        cluster.run("initdb", &[&["-D", data.as_str()], &fixed[..]].concat());
        cluster
    }

    /// Makes one and starts it.
    pub async fn start(settings: &[&str]) -> Self {
        let mut cluster = Self::prepare(settings);
        cluster.up().await;
        cluster
    }

    fn without_data(settings: &[&str]) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("onsale-own-")
            .tempdir()
            .expect("a directory");
        if is_root() {
            let owned = Command::new("chown")
                .arg("postgres")
                .arg(directory.path())
                .status();
            assert!(owned.expect("chown").success());
        }
        Self {
            server: None,
            port: free_address().port(),
            settings: settings.iter().map(|setting| (*setting).to_owned()).collect(),
            data: directory.path().join("data"),
            directory,
        }
    }

    /// A standby that follows this cluster, with its settings; does not start it.
    pub fn standby(&self) -> Self {
        let settings: Vec<_> = self.settings.iter().map(String::as_str).collect();
        let standby = Self::without_data(&settings);
        let (from, to) = (self.url(), standby.data.display().to_string());
        let arguments = [
            "-d",
            &from,
            "-D",
            &to,
            "-X",
            "stream",
            "-c",
            "fast",
            "-R",
            "--no-sync",
        ];
        standby.run("pg_basebackup", &arguments);
        standby
    }

    /// Where clients find it.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// Where one of its databases is.
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Has it listen where another one did, from its next start on.
    pub fn move_to(&mut self, other: &Self) {
        self.port = other.port;
    }

    /// Adds a setting, `name=value`, for its next start.
    pub fn set(&mut self, setting: &str) {
        self.settings.push(setting.to_owned());
    }

    /// Lets a role in with its password only.
    pub async fn require_password(&self, role: &str) {
        let path = self.data.join("pg_hba.conf");
        let others = fs::read_to_string(&path).expect("pg_hba.conf");
        let ours = format!("host all {role} 127.0.0.1/32 scram-sha-256\n{others}");
        fs::write(&path, ours).expect("pg_hba.conf");
        self.sql("SELECT pg_reload_conf()").await;
    }

    /// A place beside its data, for backups; Postgres may write there.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Where its files are, while it does not run.
    pub fn data(&self) -> &Path {
        assert!(self.server.is_none(), "it runs");
        &self.data
    }

    /// Starts the server; it may not answer for long.
    pub fn spawn(&mut self) {
        assert!(self.server.is_none(), "it runs already");
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.beside("log"));
        let log = log.expect("log");
        let mut command = self.program("postgres");
        command
            .arg("-D")
            .arg(&self.data)
            .args(["-p", &self.port.to_string()]);
        command.args([
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "max_connections=200",
            "-k",
            "",
        ]);
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.server = Some(command.spawn().expect("postgres"));
    }

    /// Starts the server and waits until it answers.
    pub async fn up(&mut self) {
        self.spawn();
        until("Postgres answers", UP_WITHIN, async || {
            PgConnection::connect(&self.url()).await.is_ok()
        })
        .await;
    }

    /// Ends every session and the server, in order: what a restart of the service does.
    pub fn stop(&mut self) {
        self.end("INT");
    }

    /// Ends the server without a checkpoint, as a crash of the machine would but for its page cache.
    pub fn crash(&mut self) {
        self.end("QUIT");
    }

    fn end(&mut self, name: &str) {
        let mut server = self.server.take().expect("it runs");
        signal(name, server.id());
        server.wait().expect("wait");
    }

    /// Runs a statement as the superuser.
    pub async fn sql(&self, statement: &str) {
        let mut connection = PgConnection::connect(&self.url()).await.expect("the cluster");
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
            .execute(&mut connection)
            .await
            .expect(statement);
    }

    /// Asks the superuser's question, whose answer is one text.
    pub async fn text(&self, query: &'static str) -> String {
        let mut connection = PgConnection::connect(&self.url()).await.expect("the cluster");
        sqlx::query_scalar(query)
            .fetch_one(&mut connection)
            .await
            .expect(query)
    }

    /// Runs one of the programs of Postgres to its end, as Postgres' own user.
    pub fn run(&self, name: &str, arguments: &[&str]) -> Output {
        let output = self.program(name).args(arguments).stdin(Stdio::null()).output();
        let output = output.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(
            output.status.success(),
            "{name} {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output
    }

    fn program(&self, name: &str) -> Command {
        let program = bin_dir().join(name);
        // Postgres refuses to run as root.
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
                .arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.directory.path());
        command
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").expect("proc").uid() == 0
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        if self.server.is_some() {
            // Immediate shutdown: it takes its children with it.
            self.end("QUIT");
        }
        if std::thread::panicking() {
            let log = fs::read_to_string(self.beside("log")).unwrap_or_default();
            let lines: Vec<_> = log.lines().collect();
            let tail = &lines[lines.len().saturating_sub(15)..];
            eprintln!("--- Postgres on {}\n{}", self.port, tail.join("\n"));
        }
    }
}
