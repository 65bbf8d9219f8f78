//! Whether the ports to serve on are free, or taken by a process of ours.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use super::Check;
use crate::command::healthcheck::reachable;
use crate::configuration::Settings;
use crate::request;

const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// One check for each address.
pub(super) async fn ports(settings: &Settings) -> Vec<Check> {
    let taken_by_us = is_ours(settings.internal_listen).await;
    [
        ("port", settings.listen, "ONSALE_LISTEN"),
        (
            "internal port",
            settings.internal_listen,
            "ONSALE_INTERNAL_LISTEN",
        ),
    ]
    .map(|(name, address, variable)| port(name, address, variable, taken_by_us))
    .into()
}

fn port(name: &'static str, address: SocketAddr, variable: &str, taken_by_us: bool) -> Check {
    let Err(error) = TcpListener::bind(address) else {
        return Check::ok(name, format!("{address} is free"));
    };
    let detail = format!("cannot listen on {address}: {error}");
    match error.kind() {
        ErrorKind::AddrInUse if taken_by_us => {
            Check::ok(name, format!("{address} is served by a process of ours"))
        }
        ErrorKind::AddrInUse => Check::failed(
            name,
            detail,
            format!("End what listens there (ss -ltnp), or give another address in {variable}"),
        ),
        ErrorKind::PermissionDenied => {
            let mend =
                format!("Give a port from 1024 in {variable}, and let what stands in front listen below");
            Check::failed(name, detail, mend)
        }
        _ => Check::failed(
            name,
            detail,
            format!("Give an address of this machine in {variable}"),
        ),
    }
}

/// Whether a process of ours answers on the internal port.
async fn is_ours(internal: SocketAddr) -> bool {
    let asked = request::get(reachable(internal), "/livez");
    matches!(tokio::time::timeout(ANSWER_WITHIN, asked).await, Ok(Ok((200, body))) if body == "ok")
}
