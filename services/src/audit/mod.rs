//! The audit log: what staff ask of the sale, what came of it, and what was refused.
//!
//! What is changed in Postgres directly appends its entry in the same transaction (persistence). A change of an event
//! goes through its journal, so it is framed: an entry that says `asked` is durable before it is done, and another
//! that says `done` or `refused` follows. One that stays `asked` was cut off; the event's journal tells.

mod list;
mod writer;

use onsale_domain::OrganizationId;
use onsale_engine::EngineError;
use onsale_persistence::{AuditEntry, AuditOutcome, AuditTarget};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

pub use writer::{AuditWriter, AuditWriterTask};

use crate::{ServiceError, Services, StaffMember};

impl Services {
    /// Does what an entry says was asked, between that entry and one about its outcome. `target_of` names what came
    /// into being, where the entry could not.
    pub(crate) async fn audited<T>(
        &self,
        asked: AuditEntry,
        work: impl Future<Output = Result<T, ServiceError>>,
        target_of: impl FnOnce(&T) -> Option<AuditTarget>,
    ) -> Result<T, ServiceError> {
        self.audit().write(asked.clone()).await?;
        let result = work.await;
        let mut outcome = asked;
        outcome.at = self.now();
        outcome.before = None;
        match &result {
            Ok(done) => {
                outcome.outcome = AuditOutcome::Done;
                outcome.target = target_of(done).or(outcome.target);
            }
            // It may still be done: only the entry before stands.
            Err(ServiceError::Engine(EngineError::OutcomeUnknown)) => return result,
            Err(error) => {
                outcome.outcome = AuditOutcome::Refused;
                outcome.after = Some(json!({"refusal": error.to_string()}));
            }
        }
        if let Err(error) = self.audit().write(outcome).await {
            // It is done and cannot be undone; that it was asked is written.
            tracing::error!(%error, "the outcome of a change is missing in the audit log");
        }
        result
    }
}

impl Services {
    /// Notes that staff asked for what is out of their sight; the error to answer, which does not tell that it is
    /// there.
    pub async fn out_of_sight(
        &self,
        staff: &StaffMember,
        action: &'static str,
        target: AuditTarget,
        organization_id: OrganizationId,
    ) -> ServiceError {
        let mut entry = staff.entry(self.now(), action, AuditOutcome::Refused);
        entry.target = Some(target);
        entry.organization_id = Some(organization_id);
        match self.audit().write(entry).await {
            Ok(()) => ServiceError::NotFound,
            Err(error) => error,
        }
    }
}

/// What was acted upon.
pub(crate) fn target(kind: &'static str, id: Uuid) -> AuditTarget {
    AuditTarget {
        kind,
        id: id.to_string(),
    }
}

/// A state for an entry.
pub(crate) fn json_of(state: &impl Serialize) -> Option<Value> {
    serde_json::to_value(state).ok()
}
