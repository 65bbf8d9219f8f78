//! Appending: the only writer of the log's tables.

use jiff_sqlx::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::chain::Entry;
use super::entry::{AuditEntry, bounded, state};
use super::head::{AuditHash, AuditHead};
use crate::convert::{seq_out, timestamp};
use crate::{Database, DatabaseError};

impl Database {
    /// Appends entries in a transaction of their own: all of them, in this order, or none.
    ///
    /// Errors: [`DatabaseError::Unavailable`] may also mean that they are appended and the answer was lost; whoever
    /// tries again may then have them twice.
    pub async fn append_audit(&self, entries: &[AuditEntry]) -> Result<(), DatabaseError> {
        let mut transaction = self.begin().await?;
        append(&mut transaction, entries).await?;
        Ok(transaction.commit().await?)
    }
}

/// Appends entries in the caller's transaction, which must be `READ COMMITTED`. From here to its end nobody else can
/// append, and it must take no further lock that an appender may hold: call it last.
pub(crate) async fn append(
    connection: &mut PgConnection,
    entries: &[AuditEntry],
) -> Result<(), DatabaseError> {
    if entries.is_empty() {
        return Ok(());
    }
    // A process that is stopped while it holds the head must not hold up all others for long.
    let locked = sqlx::query!(
        "SELECT seq, hash, set_config('idle_in_transaction_session_timeout', '3000', true) AS patience
         FROM audit_log_head WHERE one FOR UPDATE"
    )
    .fetch_optional(&mut *connection)
    .await?
    .ok_or_else(|| DatabaseError::Damaged("the audit log has lost its head row".to_owned()))?;
    let before = AuditHead::of_columns(locked.seq, &locked.hash)
        .ok_or_else(|| DatabaseError::Damaged("the audit log's head row makes no sense".to_owned()))?;
    insert(connection, &chained(before, entries)?).await
}

/// An entry and its place in the chain.
struct Link {
    at: Timestamp,
    entry: Entry,
    previous_hash: AuditHash,
    hash: AuditHash,
}

fn chained(head: AuditHead, entries: &[AuditEntry]) -> Result<Vec<Link>, DatabaseError> {
    let mut seq = seq_out(head.seq);
    let mut previous_hash = head.hash;
    entries
        .iter()
        .map(|given| {
            seq = seq
                .checked_add(1)
                .ok_or_else(|| DatabaseError::Damaged("the audit log is numbered to its end".to_owned()))?;
            let at = timestamp(given.at);
            let entry = stored(seq, at, given);
            let hash = entry
                .hash_after(previous_hash)
                .ok_or_else(|| DatabaseError::Damaged("an audit entry cannot be hashed".to_owned()))?;
            let link = Link {
                at,
                entry,
                previous_hash,
                hash,
            };
            previous_hash = hash;
            Ok(link)
        })
        .collect()
}

/// The columns of an entry, within bounds.
fn stored(seq: i64, at: Timestamp, given: &AuditEntry) -> Entry {
    let target = given.target.as_ref();
    Entry {
        seq,
        at_us: Some(at.to_jiff().as_microsecond()),
        actor_id: given.actor.id.map(|id| id.0),
        actor_kind: given.actor.kind.as_str().to_owned(),
        api_key_id: given.actor.api_key_id.map(|id| id.0),
        action: given.action.to_owned(),
        outcome: given.outcome.as_str().to_owned(),
        target_kind: target.map(|target| target.kind.to_owned()),
        target_id: target.map(|target| bounded(&target.id)),
        organization_id: given.organization_id.map(|id| id.0),
        request_id: given.request_id.as_deref().map(bounded),
        address: given.address.as_deref().map(bounded),
        before: given.before.as_ref().map(state),
        after: given.after.as_ref().map(state),
    }
}

/// Inserts the entries and moves the head in one statement: the head is locked for one round trip less.
async fn insert(connection: &mut PgConnection, links: &[Link]) -> Result<(), DatabaseError> {
    let Some(last) = links.last() else {
        return Ok(());
    };
    let seqs: Vec<i64> = links.iter().map(|link| link.entry.seq).collect();
    let instants: Vec<Timestamp> = links.iter().map(|link| link.at).collect();
    let previous_hashes: Vec<&[u8]> = links.iter().map(|link| &link.previous_hash.0[..]).collect();
    let hashes: Vec<&[u8]> = links.iter().map(|link| &link.hash.0[..]).collect();
    let moved = sqlx::query!(
        r#"WITH appended AS (
               INSERT INTO audit_log (seq, at, actor_id, actor_kind, api_key_id, action, outcome, target_kind,
                   target_id, organization_id, request_id, address, before, after, previous_hash, hash)
               SELECT seq, at, actor_id, actor_kind, api_key_id,
                   action, outcome, target_kind, target_id, organization_id, request_id, address,
                   before::json, after::json, previous_hash, hash
               FROM unnest($1::bigint[], $2::timestamptz[], $3::uuid[], $4::text[], $5::uuid[], $6::text[], $7::text[],
                       $8::text[], $9::text[], $10::uuid[], $11::text[], $12::text[], $13::text[], $14::text[],
                       $15::bytea[], $16::bytea[])
                   AS entry (seq, at, actor_id, actor_kind, api_key_id, action, outcome, target_kind,
                       target_id, organization_id, request_id, address, before, after, previous_hash, hash)
           )
           UPDATE audit_log_head SET seq = $17, hash = $18 WHERE one"#,
        &seqs,
        &instants as _,
        &ids(links, |entry| entry.actor_id) as _,
        &texts(links, |entry| Some(&entry.actor_kind)) as _,
        &ids(links, |entry| entry.api_key_id) as _,
        &texts(links, |entry| Some(&entry.action)) as _,
        &texts(links, |entry| Some(&entry.outcome)) as _,
        &texts(links, |entry| entry.target_kind.as_deref()) as _,
        &texts(links, |entry| entry.target_id.as_deref()) as _,
        &ids(links, |entry| entry.organization_id) as _,
        &texts(links, |entry| entry.request_id.as_deref()) as _,
        &texts(links, |entry| entry.address.as_deref()) as _,
        &texts(links, |entry| entry.before.as_deref()) as _,
        &texts(links, |entry| entry.after.as_deref()) as _,
        &previous_hashes as _,
        &hashes as _,
        last.entry.seq,
        &last.hash.0[..]
    )
    .execute(connection)
    .await?
    .rows_affected();
    if moved == 1 {
        Ok(())
    } else {
        Err(DatabaseError::Damaged(format!(
            "{moved} head rows of the audit log moved"
        )))
    }
}

fn ids(links: &[Link], id: impl Fn(&Entry) -> Option<Uuid>) -> Vec<Option<Uuid>> {
    links.iter().map(|link| id(&link.entry)).collect()
}

fn texts(links: &[Link], text: impl Fn(&Entry) -> Option<&str>) -> Vec<Option<&str>> {
    links.iter().map(|link| text(&link.entry)).collect()
}
