//! The S3 server: an example of the persistence crate, which has what it needs among its test dependencies.

use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;

use anyhow::{Result, ensure};
use rustix::process::Signal;

use super::place::Place;
use crate::private;
use crate::process::Daemon;

pub(super) const BUCKET: &str = "onsale-dev";
/// A key that opens nothing but this bucket on this machine.
pub(super) const ACCESS_KEY: (&str, &str) = ("onsale-dev", "a key for development alone");
const PROGRAM: &str = "examples/s3_server";
const PORT: u16 = 9000;

/// It stops when it is dropped.
pub(super) struct S3 {
    daemon: Daemon,
    port: u16,
}

impl S3 {
    pub(super) fn start(place: &Place) -> Result<Self> {
        let program = place.programs().join(PROGRAM);
        ensure!(program.is_file(), "{} was not built", program.display());
        let command = |port: u16| {
            let log = place.log("s3.log")?;
            let mut command = Command::new(&program);
            command
                .arg(place.directory("s3")?)
                .args([BUCKET, &format!("127.0.0.1:{port}")])
                .env("AWS_ACCESS_KEY_ID", ACCESS_KEY.0)
                .env("AWS_SECRET_ACCESS_KEY", ACCESS_KEY.1)
                .stdout(log.try_clone()?)
                .stderr(log);
            Ok(command)
        };
        let (daemon, port) = private::start_on_free_port(
            "the S3 server",
            &place.path("s3.log"),
            &[Signal::TERM],
            Some(PORT),
            command,
            |port| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok(),
        )?;
        Ok(Self { daemon, port })
    }

    pub(super) fn is_running(&mut self) -> bool {
        self.daemon.is_running()
    }

    /// Where clients find it.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}
