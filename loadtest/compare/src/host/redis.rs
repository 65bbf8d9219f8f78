//! A private Redis that keeps what its settings keep.

use std::net::SocketAddr;
use std::path::Path;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::free_address;
use super::process::{Process, Ready};
use crate::contender::RedisSettings;

const PROGRAM: &str = "redis-server";
/// What Redis does where nobody tells it otherwise.
const SNAPSHOTS: &str = "3600 1 300 100 60 10000";

/// A Redis that is not started yet, and its URL.
pub(super) fn prepare(settings: RedisSettings, directory: &Path) -> anyhow::Result<(Process, String)> {
    let address = free_address()?;
    let port = address.port().to_string();
    let (append, sync, snapshots) = match settings {
        RedisSettings::Always => ("yes", "always", ""),
        RedisSettings::EverySecond => ("yes", "everysec", ""),
        RedisSettings::Snapshots => ("no", "everysec", SNAPSHOTS),
    };
    let directory_text = directory.display().to_string();
    let arguments = [
        "--bind",
        "127.0.0.1",
        "--port",
        &port,
        "--dir",
        &directory_text,
        "--appendonly",
        append,
        "--appendfsync",
        sync,
        "--save",
        snapshots,
    ];
    let log = directory.join("redis.log");
    let process = Process::new(PROGRAM, &arguments, Vec::new(), Ready::Redis(address), log);
    Ok((process, format!("redis://{address}")))
}

/// Whether a Redis answers there that has read what it kept.
pub(super) async fn pings(address: SocketAddr) -> anyhow::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"PING\r\n").await?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await?;
    // While it reads its files it answers -LOADING.
    Ok(&answer == b"+PONG")
}
