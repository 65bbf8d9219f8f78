//! The processes of a comparison: contenders, each with a database of its own, and the Redis of those that need one.

mod contender;
mod database;
mod onsale;
mod process;
mod redis;
mod staff;
mod usage;

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use anyhow::Context as _;

pub use contender::{Host, Used};
pub use usage::{PostgresUsage, Usage, open_files_max};

/// Secret of all tokens of a comparison; it guards nothing.
pub const TOKEN_SECRET: &str = "the-secret-of-a-comparison-0123456789";
/// Who the tokens say issued them, and for whom.
pub const TOKEN_ISSUER: &str = "onsale-compare";
/// See [`TOKEN_ISSUER`].
pub const TOKEN_AUDIENCE: &str = "onsale-compare-api";

/// What the contenders are made of.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The server of Onsale.
    pub onsale: PathBuf,
    /// This program, which also serves the peers.
    pub compare: PathBuf,
    /// A cluster of Postgres on this machine, on which databases may be made.
    pub cluster_url: String,
}

/// A port of the loopback that nobody listens on now. Whoever takes it is killed and takes it again, so it must be
/// known beforehand, and below the ports that the kernel gives to clients.
fn free_address() -> anyhow::Result<SocketAddr> {
    use std::sync::atomic::{AtomicU16, Ordering};
    const FIRST: u16 = 10_000;
    const PORTS: u16 = 20_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Others may look for ports at the same time: each process begins elsewhere.
    let offset = u16::try_from(std::process::id().wrapping_mul(97) % u32::from(PORTS))?;
    for _ in 0..PORTS {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + offset.wrapping_add(step) % PORTS;
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return listener.local_addr().context("no free port");
        }
    }
    anyhow::bail!("no free port")
}
