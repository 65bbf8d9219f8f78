//! Walking the chain from its first entry to its head.

use sqlx::PgConnection;

use super::chain::Entry;
use super::head::AuditHead;
use crate::convert::{count_in, seq_in, seq_out};
use crate::{Database, DatabaseError};

/// Entries read at once; with the largest states some 30 MiB.
const PAGE: i64 = 1_000;

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLogReport {
    /// How many entries hold, from the first on.
    pub entries: u64,
    /// The last of them: to be noted elsewhere, as the anchor of a later verification.
    pub head: AuditHead,
    /// The first thing that is not as it must be; `None`: the log holds.
    pub finding: Option<AuditFinding>,
}

/// What is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditFinding {
    /// The entry at which it shows.
    pub seq: u64,
    /// What was found.
    pub what: String,
}

impl Database {
    /// Verifies the whole log as it is at one instant. Shows an edit, a deletion, an insertion, another order and a
    /// tail that was cut off. Whoever also rewrote the hashes from there on and the head row is shown by an anchor
    /// alone: a head that was noted before.
    ///
    /// Reads in pages over one connection, so that memory is bounded and appending goes on meanwhile.
    pub async fn verify_audit_log(&self, anchor: Option<AuditHead>) -> Result<AuditLogReport, DatabaseError> {
        let snapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let mut transaction = self.pool().begin_with(snapshot).await?;
        let mut head = AuditHead::default();
        let walked = walk(&mut transaction, &mut head, anchor).await;
        transaction.rollback().await?;
        let finding = match walked {
            Ok(()) => None,
            Err(Stop::Found(finding)) => Some(finding),
            Err(Stop::Failed(error)) => return Err(error),
        };
        Ok(AuditLogReport {
            entries: head.seq,
            head,
            finding,
        })
    }
}

/// Why the walk ended early.
enum Stop {
    Found(AuditFinding),
    Failed(DatabaseError),
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

fn found(seq: u64, what: impl Into<String>) -> Stop {
    Stop::Found(AuditFinding {
        seq,
        what: what.into(),
    })
}

/// Moves the head over every entry that holds.
async fn walk(
    connection: &mut PgConnection,
    head: &mut AuditHead,
    anchor: Option<AuditHead>,
) -> Result<(), Stop> {
    meets(*head, anchor)?;
    let mut after = i64::MIN;
    loop {
        let page = page(connection, after).await?;
        for row in &page {
            let next = row.after(*head)?;
            meets(next, anchor)?;
            *head = next;
        }
        match page.last() {
            Some(last) => after = last.entry.seq,
            None => break,
        }
    }
    if let Some(anchor) = anchor.filter(|anchor| anchor.seq > head.seq) {
        let what = format!(
            "missing: the log ends at {}, before the anchor {}",
            head.seq, anchor.seq
        );
        return Err(found(head.seq.saturating_add(1), what));
    }
    ends_at(connection, *head).await?;
    // Only where the primary key is gone can two entries have one number, and a page end between them.
    let rows = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM audit_log"#)
        .fetch_one(connection)
        .await?;
    if count_in(rows) == head.seq {
        Ok(())
    } else {
        Err(found(head.seq, format!("the log has {rows} entries up to here")))
    }
}

/// Checks an entry against an anchor of the same sequence.
fn meets(head: AuditHead, anchor: Option<AuditHead>) -> Result<(), Stop> {
    match anchor {
        Some(anchor) if anchor.seq == head.seq && anchor.hash != head.hash => Err(found(
            head.seq,
            "is not the entry of the anchor: the log was written anew, or the anchor is another log's",
        )),
        Some(_) | None => Ok(()),
    }
}

/// Checks the head row: without one, or with an earlier or later one, entries came or went past the server.
async fn ends_at(connection: &mut PgConnection, last: AuditHead) -> Result<(), Stop> {
    let rows = sqlx::query!("SELECT seq, hash FROM audit_log_head LIMIT 2")
        .fetch_all(connection)
        .await?;
    let [row] = rows.as_slice() else {
        let what = format!("audit_log_head has {} rows and not one", rows.len());
        return Err(found(last.seq, what));
    };
    match AuditHead::of_columns(row.seq, &row.hash) {
        Some(head) if head == last => Ok(()),
        Some(head) if head.seq > last.seq => {
            let what = format!("missing: entries were appended up to {}", head.seq);
            Err(found(last.seq.saturating_add(1), what))
        }
        Some(head) if head.seq < last.seq => {
            let what = format!("was not appended by the server, which came to {}", head.seq);
            Err(found(head.seq.saturating_add(1), what))
        }
        Some(_) | None => Err(found(
            last.seq,
            "is not the entry that the head row has the hash of",
        )),
    }
}

/// An entry with the hashes as they are stored.
struct Row {
    entry: Entry,
    previous_hash: Vec<u8>,
    hash: Vec<u8>,
}

impl Row {
    /// Checks this entry as the one after a head; answers the next head.
    fn after(&self, head: AuditHead) -> Result<AuditHead, Stop> {
        let seq = head.seq.saturating_add(1);
        if self.entry.seq > seq_out(seq) {
            let what = format!("missing: the entry after {} is {}", head.seq, self.entry.seq);
            return Err(found(seq, what));
        }
        if self.entry.seq < seq_out(seq) {
            let what = format!("an entry {} stands after entry {}", self.entry.seq, head.seq);
            return Err(found(seq_in(self.entry.seq), what));
        }
        if self.previous_hash != head.hash.0 {
            return Err(found(
                seq,
                "does not follow from the entry before: one of the two is not what was written",
            ));
        }
        match self.entry.hash_after(head.hash) {
            Some(hash) if self.hash == hash.0 => Ok(AuditHead { seq, hash }),
            Some(_) | None => Err(found(
                seq,
                "is not what was written: its contents do not have its hash",
            )),
        }
    }
}

/// The entries after a sequence, as stored. An instant is exact in microseconds; one that this could not hold is null.
async fn page(connection: &mut PgConnection, after: i64) -> Result<Vec<Row>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT seq,
               CASE WHEN at >= '0001-01-01 00:00:00+00' AND at < '10000-01-01 00:00:00+00'
                   THEN (extract(epoch FROM at) * 1000000)::bigint END AS at_us,
               actor_id, actor_kind, api_key_id, action, outcome, target_kind, target_id, organization_id,
               request_id, address, before::text AS before, after::text AS after, previous_hash, hash
           FROM audit_log WHERE seq > $1 ORDER BY seq LIMIT $2"#,
        after,
        PAGE
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Row {
            entry: Entry {
                seq: row.seq,
                at_us: row.at_us,
                actor_id: row.actor_id,
                actor_kind: row.actor_kind,
                api_key_id: row.api_key_id,
                action: row.action,
                outcome: row.outcome,
                target_kind: row.target_kind,
                target_id: row.target_id,
                organization_id: row.organization_id,
                request_id: row.request_id,
                address: row.address,
                before: row.before,
                after: row.after,
            },
            previous_hash: row.previous_hash,
            hash: row.hash,
        })
        .collect())
}
