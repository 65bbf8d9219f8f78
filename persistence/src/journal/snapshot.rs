//! Telling an undamaged snapshot from a damaged one. The chain covers the journal's entries, not a snapshot's state.

use onsale_domain::{EventId, Sequence};
use onsale_engine::port::{Chain, Snapshot};

/// Covers all of a snapshot.
pub(super) fn digest(snapshot: &Snapshot) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(snapshot.event_id.0.as_bytes());
    hasher.update(&snapshot.seq.to_be_bytes());
    hasher.update(&snapshot.chain.0);
    hasher.update(&snapshot.state);
    *hasher.finalize().as_bytes()
}

/// The snapshot, if it is what was saved. A damaged one is as good as none: recovery starts from the first record
/// then, and verifies every entry on the way.
pub(super) fn verified(
    event_id: EventId,
    seq: Sequence,
    chain: &[u8],
    state: Vec<u8>,
    saved_digest: &[u8],
) -> Option<Snapshot> {
    let snapshot = chain.try_into().ok().map(|chain| Snapshot {
        event_id,
        seq,
        chain: Chain(chain),
        state: state.into(),
    });
    let intact = snapshot.filter(|snapshot| digest(snapshot) == saved_digest);
    if intact.is_none() {
        tracing::error!(%event_id, seq, "the snapshot is damaged and not used");
    }
    intact
}
