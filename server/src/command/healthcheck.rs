//! `onsale healthcheck`: asks the internal port whether the process is ready; for containers without curl.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use clap::Args;

use super::{print, print_json};
use crate::cli::Common;
use crate::configuration::Settings;
use crate::exit::Failure;
use crate::request;

/// Arguments of `onsale healthcheck`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  onsale healthcheck
  onsale healthcheck --internal-listen 127.0.0.1:9464 --timeout 1

Exits 0 when /readyz answers 200, else 1; 78 when it cannot tell where to ask. It reads that one setting alone, so that
what else is configured may be readable to the serving process only. It needs no shell.
In a Dockerfile: HEALTHCHECK CMD [\"onsale\", \"healthcheck\"]")]
pub(crate) struct Arguments {
    /// Address of metrics and health [env: `ONSALE_INTERNAL_LISTEN`] [default: 127.0.0.1:9464]
    #[arg(long, value_name = "ADDRESS")]
    internal_listen: Option<String>,
    /// Seconds to wait for the answer
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=60))]
    timeout: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Asks once.
pub(crate) async fn run(common: &Common, arguments: Arguments) -> Result<(), Failure> {
    let sources = common
        .sources()
        .flag("internal_listen", arguments.internal_listen);
    let address = reachable(Settings::internal_listen(&sources)?);
    let asked = request::get(address, "/readyz");
    let outcome = match tokio::time::timeout(Duration::from_secs(arguments.timeout), asked).await {
        Ok(Ok((200, _))) => Ok(()),
        Ok(Ok((_, body))) => Err(format!("not ready: {body}")),
        Ok(Err(error)) => Err(format!("no answer from {address}: {error:#}")),
        Err(_) => Err(format!("no answer from {address} within {} s", arguments.timeout)),
    };
    if arguments.json {
        print_json(&serde_json::json!({"ready": outcome.is_ok(), "detail": outcome.as_ref().err()}))?;
    } else if outcome.is_ok() {
        print("ready")?;
    }
    outcome.map_err(Failure::CheckFailed)
}

/// Where to knock for a process that listens on every address.
pub(super) fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
