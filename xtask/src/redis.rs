//! A private Redis without persistence.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal};
use tempfile::TempDir;

use crate::process::Daemon;
use crate::{apt, private};

const PROGRAM: &str = "redis-server";

/// A Redis that stops when it is dropped.
#[derive(Debug)]
pub struct Redis {
    // Dropped in this order: the directory must outlive the server.
    daemon: Daemon,
    _temporary: Option<TempDir>,
    port: u16,
}

impl Redis {
    /// Starts it, after installing it where that is possible.
    pub fn start() -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("onsale-redis-").tempdir()?;
        let started = Self::start_in(dir.path(), None)?;
        Ok(Self {
            _temporary: Some(dir),
            ..started
        })
    }

    /// The same with its log in a directory of the caller's; on the preferred port where that is free.
    pub fn start_in(dir: &Path, preferred: Option<u16>) -> Result<Self> {
        if apt::directory_in_path(PROGRAM).is_none() {
            apt::install(PROGRAM, "Redis")?;
        }
        let log = dir.join("log");
        let command = |port: u16| {
            let output = File::create(&log).context("cannot write the log of Redis")?;
            let mut command = Command::new(PROGRAM);
            command
                .current_dir(dir)
                .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
                .args(["--save", "", "--appendonly", "no"])
                .stdout(output.try_clone()?)
                .stderr(output);
            Ok(command)
        };
        let (daemon, port) =
            private::start_on_free_port("Redis", &log, &[Signal::TERM], preferred, command, answers_ping)?;
        Ok(Self {
            daemon,
            _temporary: None,
            port,
        })
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.daemon.is_running()
    }

    /// Where clients find it.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The server's process.
    pub fn pid(&self) -> Pid {
        self.daemon.pid()
    }
}

fn answers_ping(port: u16) -> bool {
    let ping = || -> std::io::Result<[u8; 5]> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"PING\r\n")?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer)?;
        Ok(answer)
    };
    ping().is_ok_and(|answer| &answer == b"+PONG")
}
