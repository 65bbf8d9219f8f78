//! The other processes of the deployment.

use std::sync::Arc;

use onsale_engine::port::Peers;
use onsale_persistence::Database;

use super::StartError;
use crate::configuration::{JournalKind, Settings, address_of, is_loopback};
use crate::peers::HttpPeers;

/// Who asks other processes; nobody without a secret, or where events have no other process.
pub(super) fn peers(settings: &Settings) -> Option<Arc<dyn Peers>> {
    let peers = settings.peers()?;
    Some(Arc::new(HttpPeers::new(peers.seals())))
}

/// Where the others reach this process.
pub(super) async fn address(settings: &Settings, database: &Database) -> Result<Option<String>, StartError> {
    let Some(peers) = settings.peers() else {
        if settings.journal == JournalKind::Postgres {
            tracing::info!(
                "no peer_secret is set: requests for events of other processes are refused; run one process, or set ONSALE_PEER_SECRET"
            );
        }
        return Ok(None);
    };
    let address = if let Some(address) = peers.address(settings.internal_listen) {
        if is_loopback(&address) && is_elsewhere(database).await {
            tracing::warn!(
                address,
                "processes on other machines cannot ask here: set ONSALE_INTERNAL_LISTEN to 0.0.0.0:PORT, or ONSALE_PEER_ADDRESS to where they reach this process"
            );
        }
        address
    } else {
        let ip = database.local_address().await.map_err(|error| {
            StartError::Unavailable(format!(
                "no way to Postgres, by which to know our own address: {error}"
            ))
        })?;
        address_of(ip, settings.internal_listen.port())
    };
    tracing::info!(address, "other processes ask here about this one's events");
    Ok(Some(address))
}

/// Whether Postgres is another machine, as far as the way to it tells; then other processes may well be on others too.
async fn is_elsewhere(database: &Database) -> bool {
    let ours = database.local_address().await;
    ours.is_ok_and(|ours| !ours.to_canonical().is_loopback())
}
