//! `/v1/admin/audit-log`.

use axum::extract::State;
use jiff::Timestamp;
use onsale_domain::{OrganizationId, UserId};
use onsale_services::{AuditEntryRow, AuditFilter, AuditOutcome, Services};
use serde::Deserialize;
use uuid::Uuid;

use crate::answer::{Answer, ok};
use crate::auth::{Staff, right};
use crate::extract::{PageQuery, Search};
use crate::problem::{Problem, ProblemSchema};
use crate::views::{AuditEntryView, PageView};

/// What the log is narrowed by.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AuditQuery {
    /// By this account.
    actor_id: Option<Uuid>,
    /// Of exactly this action.
    action: Option<String>,
    /// `asked`, `done` or `refused`.
    outcome: Option<String>,
    /// Done to what has exactly this id.
    target_id: Option<String>,
    /// At this instant or later.
    from: Option<Timestamp>,
    /// Before this instant.
    to: Option<Timestamp>,
    /// Belonging to this organization.
    organization_id: Option<Uuid>,
}

impl AuditQuery {
    /// Errors: an outcome that there is not.
    fn into_filter(self) -> Result<AuditFilter, Problem> {
        let outcome = self
            .outcome
            .map(|name| {
                AuditOutcome::of_name(&name).ok_or_else(|| Problem::invalid("", "there is no such outcome"))
            })
            .transpose()?;
        Ok(AuditFilter {
            actor_id: self.actor_id.map(UserId),
            action: self.action,
            outcome,
            target_id: self.target_id,
            from: self.from.map(Into::into),
            to: self.to.map(Into::into),
            organizations: self.organization_id.map(|id| vec![OrganizationId(id)]),
        })
    }
}

/// Read the audit log
///
/// Newest first. Within an organization, what belongs to it.
#[utoipa::path(
    get, path = "/v1/admin/audit-log", tag = "audit", operation_id = "listAuditEntries",
    params(AuditQuery, PageQuery), security(("token" = [])),
    responses((status = 200, body = PageView<AuditEntryView>), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn list(
    State(services): State<Services>,
    staff: Staff<right::AuditLogRead>,
    Search(query): Search<AuditQuery>,
    Search(page): Search<PageQuery>,
) -> Answer {
    let before = page.cursor(|cursor| cursor.parse().ok())?;
    let entries = services
        .list_audit_entries(&staff, query.into_filter()?, before, page.limit()?)
        .await?;
    ok(&PageView::of(entries, cursor, AuditEntryView::from))
}

fn cursor(entry: &AuditEntryRow) -> String {
    entry.head.seq.to_string()
}
