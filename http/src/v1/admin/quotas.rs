//! `/v1/admin/events/{event_id}/quotas`.

use axum::extract::State;
use axum::http::StatusCode;
use onsale_domain::{EventId, Quota, QuotaId};
use onsale_services::Services;

use crate::answer::{Answer, staff_event};
use crate::auth::{Staff, right};
use crate::extract::{ExpectedVersion, Id, JsonBody};
use crate::problem::ProblemSchema;
use crate::views::{QuotaInput, StaffEventView};

/// Add a quota
#[utoipa::path(
    post, path = "/v1/admin/events/{event_id}/quotas", tag = "events", operation_id = "createQuota",
    params(("event_id" = Uuid, Path), ("If-Match" = String, Header)),
    request_body = QuotaInput, security(("token" = [])),
    responses((status = 201, body = StaffEventView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn create(
    State(services): State<Services>,
    manager: Staff<right::EventsEdit>,
    Id(event_id): Id<EventId>,
    ExpectedVersion(version): ExpectedVersion,
    body: JsonBody<QuotaInput>,
) -> Answer {
    let quota = (body.value.name, body.value.capacity);
    let event = services.add_quota(&manager, event_id, quota, version).await?;
    staff_event(StatusCode::CREATED, &event)
}

/// Edit a quota
///
/// Its capacity may change during the sale, but not below what is sold and held.
#[utoipa::path(
    put, path = "/v1/admin/events/{event_id}/quotas/{quota_id}", tag = "events", operation_id = "editQuota",
    params(("event_id" = Uuid, Path), ("quota_id" = Uuid, Path), ("If-Match" = String, Header)),
    request_body = QuotaInput, security(("token" = [])),
    responses((status = 200, body = StaffEventView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn edit(
    State(services): State<Services>,
    manager: Staff<right::EventsEdit>,
    Id((event_id, id)): Id<(EventId, QuotaId)>,
    ExpectedVersion(version): ExpectedVersion,
    body: JsonBody<QuotaInput>,
) -> Answer {
    let QuotaInput { name, capacity } = body.value;
    let quota = Quota { id, name, capacity };
    let event = services.edit_quota(&manager, event_id, quota, version).await?;
    staff_event(StatusCode::OK, &event)
}
