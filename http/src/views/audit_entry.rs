//! Entries of the audit log.

use jiff::Timestamp;
use onsale_services::AuditEntryRow;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// An entry of the audit log: who did what, when, from where, and what was there before and after.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(crate) struct AuditEntryView {
    /// Its number, from 1 without gaps.
    seq: u64,
    at: Timestamp,
    actor: ActorView,
    /// `resource.action`; of a missing permission, its name.
    action: String,
    /// `asked` of the sale, `done`, or `refused`.
    outcome: &'static str,
    target: Option<TargetView>,
    organization_id: Option<Uuid>,
    request_id: Option<String>,
    /// Network address of the caller.
    address: Option<String>,
    before: Option<Value>,
    after: Option<Value>,
    /// Covers this entry and, through the one before, all earlier ones; in hexadecimal.
    hash: String,
}

/// Who did it.
#[derive(Serialize, ToSchema)]
#[schema(as = Actor)]
pub(crate) struct ActorView {
    /// `person`, `service` or `system`.
    kind: &'static str,
    id: Option<Uuid>,
    api_key_id: Option<Uuid>,
}

/// What it was done to.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditTarget)]
pub(crate) struct TargetView {
    kind: String,
    id: String,
}

impl From<AuditEntryRow> for AuditEntryView {
    fn from(entry: AuditEntryRow) -> Self {
        let target = entry.target_kind.zip(entry.target_id);
        Self {
            seq: entry.head.seq,
            at: entry.at.to_timestamp(),
            actor: ActorView {
                kind: entry.actor.kind.as_str(),
                id: entry.actor.id.map(|id| id.0),
                api_key_id: entry.actor.api_key_id.map(|id| id.0),
            },
            action: entry.action,
            outcome: entry.outcome.as_str(),
            target: target.map(|(kind, id)| TargetView { kind, id }),
            organization_id: entry.organization_id.map(|id| id.0),
            request_id: entry.request_id,
            address: entry.address,
            before: entry.before,
            after: entry.after,
            hash: entry.head.hash.to_string(),
        }
    }
}
