//! Reading the journal, and snapshots.

use onsale_domain::{EventId, Sequence};
use onsale_engine::port::{Chain, Epoch, JournalEntry, JournalError, Snapshot};
use uuid::Uuid;

use super::owner::JOURNAL;
use crate::convert::{limit_out, seq_in, seq_out};
use crate::journal::snapshot::{digest, verified};
use crate::{Database, DatabaseError};

pub(super) async fn read(
    database: &Database,
    event_id: EventId,
    after: Sequence,
    entries_max: usize,
) -> Result<Vec<JournalEntry>, JournalError> {
    // Entries are gapless, so the one that holds `after + 1` is found by the key: it is the last that starts there
    // or before.
    let rows = sqlx::query!(
        r#"SELECT first_seq, last_seq, epoch, chain, payload FROM journal
           WHERE event_id = $1 AND last_seq > $2
             AND first_seq >= COALESCE(
                 (SELECT max(first_seq) FROM journal WHERE event_id = $1 AND first_seq <= $2 + 1), 0)
           ORDER BY first_seq LIMIT $3"#,
        event_id.0,
        seq_out(after).min(i64::MAX - 1),
        limit_out(entries_max)
    )
    .fetch_all(database.pool())
    .await
    .map_err(DatabaseError::from)?;
    rows.into_iter()
        .map(|row| {
            Ok(JournalEntry {
                event_id,
                epoch: Epoch(row.epoch),
                first_seq: seq_in(row.first_seq),
                last_seq: seq_in(row.last_seq),
                chain: chain_in(&row.chain, event_id, seq_in(row.last_seq))?,
                payload: row.payload.into(),
            })
        })
        .collect()
}

/// Events of this journal with records to project, unless another live node owns them.
pub(super) async fn heads(
    database: &Database,
    node_id: Uuid,
) -> Result<Vec<(EventId, Sequence)>, JournalError> {
    let rows = sqlx::query!(
        r#"SELECT owner.event_id AS "event_id!", owner.last_seq AS "last_seq!"
           FROM event_owner AS owner
           LEFT JOIN watermarks AS watermark ON watermark.event_id = owner.event_id
           LEFT JOIN nodes AS node ON node.node_id = owner.node_id
           WHERE owner.journal = $2
             AND owner.last_seq > COALESCE(watermark.seq, 0)
             AND (node.node_id IS NULL OR node.node_id = $1 OR node.lease_until <= clock_timestamp())"#,
        node_id,
        JOURNAL
    )
    .fetch_all(database.pool())
    .await
    .map_err(DatabaseError::from)?;
    Ok(rows
        .into_iter()
        .map(|row| (EventId(row.event_id), seq_in(row.last_seq)))
        .collect())
}

pub(super) async fn load_snapshot(
    database: &Database,
    event_id: EventId,
) -> Result<Option<Snapshot>, JournalError> {
    let row = sqlx::query!(
        "SELECT seq, chain, state, digest FROM snapshots WHERE event_id = $1",
        event_id.0
    )
    .fetch_optional(database.pool())
    .await
    .map_err(DatabaseError::from)?;
    Ok(row.and_then(|row| verified(event_id, seq_in(row.seq), &row.chain, row.state, &row.digest)))
}

/// An older snapshot never replaces a newer one: a stale owner may still be saving.
pub(super) async fn save_snapshot(database: &Database, snapshot: Snapshot) -> Result<(), JournalError> {
    let digest = digest(&snapshot);
    sqlx::query!(
        r#"INSERT INTO snapshots AS kept (event_id, seq, chain, state, digest) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT ON CONSTRAINT snapshots_pkey
           DO UPDATE SET seq = excluded.seq, chain = excluded.chain, state = excluded.state,
               digest = excluded.digest
           WHERE kept.seq <= excluded.seq"#,
        snapshot.event_id.0,
        seq_out(snapshot.seq),
        snapshot.chain.0.as_slice(),
        snapshot.state.as_ref(),
        digest.as_slice()
    )
    .execute(database.pool())
    .await
    .map_err(DatabaseError::from)?;
    Ok(())
}

fn chain_in(bytes: &[u8], event_id: EventId, seq: Sequence) -> Result<Chain, JournalError> {
    bytes
        .try_into()
        .map(Chain)
        .map_err(|_| JournalError::Damaged(format!("chain of event {event_id} at {seq}")))
}
