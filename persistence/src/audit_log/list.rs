//! Reading the log: newest first, filtered, in pages.

use jiff_sqlx::Timestamp;
use onsale_domain::{ApiKeyId, OrganizationId, UnixMillis, UserId};
use serde_json::Value;
use uuid::Uuid;

use super::entry::{Actor, ActorKind, AuditOutcome, bounded};
use super::head::{AuditHash, AuditHead};
use crate::convert::{limit_out, millis, seq_in, seq_out, timestamp, uuids};
use crate::{Database, DatabaseError};

/// Which entries to list. An empty one lists all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// By this account.
    pub actor_id: Option<UserId>,
    /// Of exactly this action.
    pub action: Option<String>,
    /// With this outcome.
    pub outcome: Option<AuditOutcome>,
    /// Done to what has exactly this id.
    pub target_id: Option<String>,
    /// At this instant or later.
    pub from: Option<UnixMillis>,
    /// Before this instant.
    pub to: Option<UnixMillis>,
    /// Belonging to one of these organizations; `None`: to any or to none.
    pub organizations: Option<Vec<OrganizationId>>,
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntryRow {
    /// Its number, from 1 without gaps, and its hash.
    pub head: AuditHead,
    /// The hash of the entry before.
    pub previous_hash: AuditHash,
    /// When.
    pub at: UnixMillis,
    /// Who.
    pub actor: Actor,
    /// What, as `resource.action`.
    pub action: String,
    /// How far it came.
    pub outcome: AuditOutcome,
    /// What kind of thing it was done to.
    pub target_kind: Option<String>,
    /// The id of that.
    pub target_id: Option<String>,
    /// The organization that it belongs to.
    pub organization_id: Option<OrganizationId>,
    /// Id of the request.
    pub request_id: Option<String>,
    /// Network address of the caller.
    pub address: Option<String>,
    /// What was there before.
    pub before: Option<Value>,
    /// What was there after.
    pub after: Option<Value>,
}

/// As the columns come.
struct RawEntry {
    seq: i64,
    at: Timestamp,
    actor_id: Option<Uuid>,
    actor_kind: String,
    api_key_id: Option<Uuid>,
    action: String,
    outcome: String,
    target_kind: Option<String>,
    target_id: Option<String>,
    organization_id: Option<Uuid>,
    request_id: Option<String>,
    address: Option<String>,
    before: Option<Value>,
    after: Option<Value>,
    previous_hash: Vec<u8>,
    hash: Vec<u8>,
}

impl TryFrom<RawEntry> for AuditEntryRow {
    type Error = DatabaseError;

    fn try_from(raw: RawEntry) -> Result<Self, DatabaseError> {
        let damaged = |column| DatabaseError::Damaged(format!("{column} of audit entry {}", raw.seq));
        Ok(Self {
            head: AuditHead {
                seq: seq_in(raw.seq),
                hash: AuditHash::of_column(&raw.hash).ok_or_else(|| damaged("hash"))?,
            },
            previous_hash: AuditHash::of_column(&raw.previous_hash)
                .ok_or_else(|| damaged("previous_hash"))?,
            at: millis(raw.at),
            actor: Actor {
                kind: ActorKind::of_name(&raw.actor_kind).ok_or_else(|| damaged("actor_kind"))?,
                id: raw.actor_id.map(UserId),
                api_key_id: raw.api_key_id.map(ApiKeyId),
            },
            outcome: AuditOutcome::of_name(&raw.outcome).ok_or_else(|| damaged("outcome"))?,
            action: raw.action,
            target_kind: raw.target_kind,
            target_id: raw.target_id,
            organization_id: raw.organization_id.map(OrganizationId),
            request_id: raw.request_id,
            address: raw.address,
            before: raw.before,
            after: raw.after,
        })
    }
}

impl Database {
    /// Entries from the newest to the oldest, from the one before the sequence `before`.
    pub async fn audit_entries(
        &self,
        filter: &AuditFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<AuditEntryRow>, DatabaseError> {
        sqlx::query_as!(
            RawEntry,
            r#"SELECT seq, at AS "at: Timestamp", actor_id, actor_kind, api_key_id, action, outcome, target_kind,
                   target_id, organization_id, request_id, address, before, after, previous_hash, hash
               FROM audit_log
               WHERE ($1::bigint IS NULL OR seq < $1)
                 AND ($2::uuid IS NULL OR actor_id = $2)
                 AND ($3::text IS NULL OR action = $3)
                 AND ($4::text IS NULL OR outcome = $4)
                 AND ($5::text IS NULL OR target_id = $5)
                 AND ($6::timestamptz IS NULL OR at >= $6)
                 AND ($7::timestamptz IS NULL OR at < $7)
                 AND ($8::uuid[] IS NULL OR organization_id = ANY($8))
               ORDER BY seq DESC LIMIT $9"#,
            before.map(seq_out),
            filter.actor_id.map(|id| id.0),
            filter.action.as_deref().map(bounded),
            filter.outcome.map(AuditOutcome::as_str),
            filter.target_id.as_deref().map(bounded),
            filter.from.map(timestamp) as _,
            filter.to.map(timestamp) as _,
            uuids(filter.organizations.as_deref()) as _,
            limit_out(limit)
        )
        .fetch_all(self.pool())
        .await?
        .into_iter()
        .map(AuditEntryRow::try_from)
        .collect()
    }
}
