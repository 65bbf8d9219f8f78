//! A private Postgres cluster from installed server binaries.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, geteuid};
use tempfile::TempDir;

use crate::process::Daemon;
use crate::{apt, private};

/// Where Debian puts the versions side by side; the server's programs are not in `PATH` there.
const DEBIAN_VERSIONS: &str = "/usr/lib/postgresql";

/// fsync stays on: the tests are about what survives.
const SETTINGS: [&str; 4] = [
    "listen_addresses=127.0.0.1",
    "max_connections=400",
    "shared_buffers=128MB",
    "fsync=on",
];

/// Fast shutdown, then immediate shutdown; SIGKILL would leave shared memory behind.
const STOP_SIGNALS: &[Signal] = &[Signal::INT, Signal::QUIT];

/// A cluster that stops when it is dropped, and its files with it unless they are to be kept.
#[derive(Debug)]
pub struct Postgres {
    // Dropped in this order: the directory must outlive the server.
    daemon: Daemon,
    _temporary: Option<TempDir>,
    port: u16,
    bin_dir: PathBuf,
}

impl Postgres {
    /// Creates and starts a cluster, after installing Postgres where that is possible.
    pub fn start() -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("onsale-pg-").tempdir()?;
        let started = Self::start_in(dir.path(), None)?;
        Ok(Self {
            _temporary: Some(dir),
            ..started
        })
    }

    /// The same in a directory of the caller's, which keeps the cluster; on the preferred port where that is free.
    pub fn start_in(dir: &Path, preferred: Option<u16>) -> Result<Self> {
        let bin_dir = if let Some(found) = find_bin_dir() {
            found
        } else {
            apt::install("postgresql", "Postgres")?;
            find_bin_dir().context("the package postgresql brought no initdb")?
        };
        let user = User::for_server()?;
        if let Some(user) = user {
            std::os::unix::fs::chown(dir, Some(user.uid), Some(user.gid))?;
        }
        let data = dir.join("data");
        if !data.join("PG_VERSION").is_file() {
            init(&bin_dir, dir, user)?;
        }
        let log = dir.join("log");
        let command = |port: u16| {
            let output = File::create(&log).context("cannot write the log of Postgres")?;
            let mut command = server_command(&bin_dir.join("postgres"), dir, user);
            command.arg("-D").arg(&data).args(["-p", &port.to_string()]);
            // No unix socket: its path may have 107 bytes at most.
            command.args(["-k", ""]);
            for setting in SETTINGS {
                command.args(["-c", setting]);
            }
            command.stdout(output.try_clone()?).stderr(output);
            Ok(command)
        };
        let is_ready = |port| accepts(&data, port);
        let (daemon, port) =
            private::start_on_free_port("Postgres", &log, STOP_SIGNALS, preferred, command, is_ready)?;
        Ok(Self {
            daemon,
            _temporary: None,
            port,
            bin_dir,
        })
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.daemon.is_running()
    }

    /// Where clients find it.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// The directory of `postgres`, `initdb` and `psql`.
    pub fn bin_dir(&self) -> &Path {
        &self.bin_dir
    }

    /// The server's process.
    pub fn pid(&self) -> Pid {
        self.daemon.pid()
    }
}

fn init(bin_dir: &Path, dir: &Path, user: Option<User>) -> Result<()> {
    let output = server_command(&bin_dir.join("initdb"), dir, user)
        .arg("-D")
        .arg(dir.join("data"))
        // The same sort order on every machine. Syncing an empty cluster buys nothing.
        .args([
            "-A",
            "trust",
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ])
        .stdin(Stdio::null())
        .process_group(0)
        .output()
        .context("cannot run initdb")?;
    ensure!(
        output.status.success(),
        "initdb failed: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}

fn server_command(program: &Path, dir: &Path, user: Option<User>) -> Command {
    let mut command = Command::new(program);
    // Not the caller's directory, which the other user may not enter.
    command.current_dir(dir);
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    command
}

/// The last line of `postmaster.pid` turns to `ready` once connections are accepted; `pg_ctl` reads the same. The port
/// tells it from one that an earlier server left behind.
fn accepts(data: &Path, port: u16) -> bool {
    fs::read_to_string(data.join("postmaster.pid")).is_ok_and(|text| {
        let line = |number| text.lines().nth(number).map_or("", str::trim);
        line(7) == "ready" && line(3) == port.to_string()
    })
}

/// `ONSALE_TEST_PG_BIN_DIR`, else `PATH`, else the newest version that Debian installed.
fn find_bin_dir() -> Option<PathBuf> {
    let named = std::env::var_os("ONSALE_TEST_PG_BIN_DIR").map(PathBuf::from);
    let versions = fs::read_dir(DEBIAN_VERSIONS)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    named
        .into_iter()
        .chain(apt::directory_in_path("initdb").and_then(|dir| behind_link(&dir.join("initdb"))))
        .chain(
            newest_first(versions.collect())
                .into_iter()
                .map(|version| version.join("bin")),
        )
        .find(|dir| {
            ["initdb", "postgres"]
                .iter()
                .all(|program| dir.join(program).is_file())
        })
}

/// The directory of the program itself: where only links to some programs are in `PATH`, psql may be missing.
fn behind_link(program: &Path) -> Option<PathBuf> {
    Some(program.canonicalize().ok()?.parent()?.to_path_buf())
}

fn newest_first(mut versions: Vec<PathBuf>) -> Vec<PathBuf> {
    versions.sort_by_key(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let parts: Vec<u32> = name.split('.').map(|part| part.parse().unwrap_or(0)).collect();
        std::cmp::Reverse(parts)
    });
    versions
}

/// Postgres refuses to run as root, so root lends the cluster to another user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct User {
    uid: u32,
    gid: u32,
}

impl User {
    /// `None` where we are not root and the server may simply run as us.
    fn for_server() -> Result<Option<Self>> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        let passwd = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        let user = Self::in_passwd(&passwd, "postgres").or_else(|| Self::in_passwd(&passwd, "nobody"));
        user.map(Some)
            .context("Postgres cannot run as root, and there is no user `postgres` or `nobody`")
    }

    fn in_passwd(passwd: &str, name: &str) -> Option<Self> {
        let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2).map(str::parse);
        let (Some(Ok(uid)), Some(Ok(gid))) = (numbers.next(), numbers.next()) else {
            return None;
        };
        Some(Self { uid, gid })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_versions_come_first_by_number() {
        let versions = ["/pg/9.6", "/pg/15", "/pg/17", "/pg/10"]
            .map(PathBuf::from)
            .to_vec();
        let expected = ["/pg/17", "/pg/15", "/pg/10", "/pg/9.6"].map(PathBuf::from);
        assert_eq!(newest_first(versions), expected);
    }

    #[test]
    fn users_are_found_by_their_whole_name() {
        let passwd = "postgres2:x:1:1::/:\npostgres:x:101:104:PostgreSQL:/var/lib/postgresql:/bin/bash\n";
        assert_eq!(
            User::in_passwd(passwd, "postgres"),
            Some(User { uid: 101, gid: 104 })
        );
        assert_eq!(User::in_passwd(passwd, "nobody"), None);
    }
}
