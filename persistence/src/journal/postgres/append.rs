//! The fenced statement, and the question that resolves a lost answer.

use std::collections::HashMap;

use onsale_engine::port::JournalEntry;
use sqlx::PgConnection;
use uuid::Uuid;

use super::owner::JOURNAL;
use crate::convert::seq_out;

/// What became of an entry whose answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// This very entry is in the journal.
    Committed,
    /// It is not, and may be written again.
    Open,
    /// It is not, and never will be: a newer owner exists.
    Fenced,
}

/// Writes the entries whose event still has their epoch and the sequence before them; answers the ids of their
/// events. One statement, hence one transaction and one round trip.
///
/// Errors: any; the outcome is open then.
pub(super) async fn append(
    connection: &mut PgConnection,
    entries: &[&JournalEntry],
) -> Result<Vec<Uuid>, sqlx::Error> {
    let event_ids: Vec<Uuid> = entries.iter().map(|entry| entry.event_id.0).collect();
    let epochs: Vec<i64> = entries.iter().map(|entry| entry.epoch.0).collect();
    let first_seqs: Vec<i64> = entries.iter().map(|e| seq_out(e.first_seq)).collect();
    let last_seqs: Vec<i64> = entries.iter().map(|e| seq_out(e.last_seq)).collect();
    let chains: Vec<&[u8]> = entries.iter().map(|entry| &entry.chain.0[..]).collect();
    let payloads: Vec<&[u8]> = entries.iter().map(|entry| &entry.payload[..]).collect();
    sqlx::query_scalar!(
        r#"WITH batch AS (
               SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[], $6::bytea[])
                   AS entry (event_id, epoch, first_seq, last_seq, chain, payload)
           ), owned AS (
               UPDATE event_owner AS owner SET last_seq = batch.last_seq
               FROM batch
               WHERE owner.event_id = batch.event_id AND owner.epoch = batch.epoch
                 AND owner.last_seq = batch.first_seq - 1 AND owner.journal = $7
               RETURNING batch.event_id, batch.first_seq, batch.last_seq, batch.epoch, batch.chain, batch.payload
           )
           INSERT INTO journal (event_id, first_seq, last_seq, epoch, chain, payload)
           SELECT event_id, first_seq, last_seq, epoch, chain, payload FROM owned
           RETURNING event_id"#,
        &event_ids,
        &epochs,
        &first_seqs,
        &last_seqs,
        &chains as _,
        &payloads as _,
        JOURNAL
    )
    .fetch_all(connection)
    .await
}

/// Reads what became of entries. A statement of a lost connection may still be running: then its entries count as
/// open, and whichever of it and the next attempt comes first makes the other one's compare-and-swap fail.
pub(super) async fn fates(
    connection: &mut PgConnection,
    entries: &[&JournalEntry],
) -> Result<Vec<Fate>, sqlx::Error> {
    let event_ids: Vec<Uuid> = entries.iter().map(|entry| entry.event_id.0).collect();
    let first_seqs: Vec<i64> = entries.iter().map(|e| seq_out(e.first_seq)).collect();
    let rows = sqlx::query!(
        r#"SELECT owner.event_id, owner.epoch, owner.last_seq, journal.chain AS "chain?"
           FROM unnest($1::uuid[], $2::bigint[]) AS entry (event_id, first_seq)
           JOIN event_owner AS owner ON owner.event_id = entry.event_id AND owner.journal = $3
           LEFT JOIN journal ON journal.event_id = entry.event_id AND journal.first_seq = entry.first_seq"#,
        &event_ids,
        &first_seqs,
        JOURNAL
    )
    .fetch_all(connection)
    .await?;
    let found: HashMap<Uuid, Found> = rows
        .into_iter()
        .map(|row| {
            let found = Found {
                epoch: row.epoch,
                last_seq: row.last_seq,
                chain: row.chain,
            };
            (row.event_id, found)
        })
        .collect();
    Ok(entries
        .iter()
        .map(|entry| fate(entry, found.get(&entry.event_id.0)))
        .collect())
}

/// What stands in the database about an entry's event.
struct Found {
    epoch: i64,
    last_seq: i64,
    /// Of the entry with the same first sequence.
    chain: Option<Vec<u8>>,
}

/// The chain covers epoch, sequences and records, so that an equal one means this very entry. It counts even where
/// a newer owner exists by now: that owner has the entry too.
fn fate(entry: &JournalEntry, found: Option<&Found>) -> Fate {
    match found {
        Some(found) if found.chain.as_deref() == Some(&entry.chain.0[..]) => Fate::Committed,
        Some(found)
            if found.epoch == entry.epoch.0
                && seq_out(entry.first_seq).checked_sub(1) == Some(found.last_seq) =>
        {
            Fate::Open
        }
        // A newer owner; or the event left this journal, or the caller's sequence is not the journal's: it must not
        // go on either way.
        Some(_) | None => Fate::Fenced,
    }
}

#[cfg(test)]
mod tests {
    use super::{Fate, Found, fate};
    use onsale_domain::EventId;
    use onsale_engine::port::{Chain, Epoch, JournalEntry};

    #[test]
    fn the_fate_follows_from_chain_epoch_and_last_sequence() {
        let entry = JournalEntry {
            event_id: EventId(uuid::Uuid::nil()),
            epoch: Epoch(3),
            first_seq: 11,
            last_seq: 20,
            chain: Chain([7; 32]),
            payload: bytes::Bytes::new(),
        };
        for (epoch, last_seq, chain, expected) in [
            (3, 20, Some(7), Fate::Committed),
            (4, 25, Some(7), Fate::Committed),
            (3, 20, Some(8), Fate::Fenced),
            (3, 10, None, Fate::Open),
            (4, 10, None, Fate::Fenced),
            (3, 15, None, Fate::Fenced),
        ] {
            let found = Found {
                epoch,
                last_seq,
                chain: chain.map(|byte: u8| vec![byte; 32]),
            };
            assert_eq!(
                fate(&entry, Some(&found)),
                expected,
                "{epoch} {last_seq} {chain:?}"
            );
        }
        assert_eq!(fate(&entry, None), Fate::Fenced);
    }
}
