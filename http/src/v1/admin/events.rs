//! `/v1/admin/events`: creating, reading and editing events.

use axum::extract::State;
use axum::http::StatusCode;
use onsale_domain::EventId;
use onsale_services::{EventRow, KeyedRoute, Services, key_digest};

use crate::answer::{Answer, created_event, no_content, ok, staff_event};
use crate::auth::{Staff, right};
use crate::extract::{ExpectedVersion, Id, JsonBody, OptionalKey, OptionalVersion, PageQuery, Search};
use crate::problem::ProblemSchema;
use crate::v1::events::{ALL_STATUSES, EventsQuery};
use crate::views::{EventInput, PageView, StaffEventView, event_cursor, parse_event_cursor};

/// Create an event
///
/// It begins as a draft, which buyers cannot see. With a key, a repeat gets the first answer and makes no second event.
#[utoipa::path(
    post, path = "/v1/admin/events", tag = "events", operation_id = "createEvent",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = EventInput, security(("token" = [])),
    responses((status = 201, body = StaffEventView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn create(
    State(services): State<Services>,
    manager: Staff<right::EventsEdit>,
    OptionalKey(key): OptionalKey,
    body: JsonBody<EventInput>,
) -> Answer {
    let key = key.map(|key| key_digest(manager.caller.user_id.0, KeyedRoute::CreateEvent, &key));
    let created = services.create_event(&manager, body.value.into(), key).await?;
    created_event(&created)
}

/// List events as staff
///
/// In the order in which they start, drafts included.
#[utoipa::path(
    get, path = "/v1/admin/events", tag = "events", operation_id = "listStaffEvents",
    params(EventsQuery, PageQuery), security(("token" = [])),
    responses((status = 200, body = PageView<StaffEventView>), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn list(
    State(services): State<Services>,
    staff: Staff<right::EventsRead>,
    Search(query): Search<EventsQuery>,
    Search(page): Search<PageQuery>,
) -> Answer {
    let mut filter = query.into_filter(&ALL_STATUSES)?;
    filter.organizations = staff.narrowed(filter.organizations)?;
    let after = page.cursor(parse_event_cursor)?;
    let events = services.list_events(&filter, after, page.limit()?).await?;
    ok(&PageView::of(events, cursor, StaffEventView::from))
}

/// Read an event as staff
#[utoipa::path(
    get, path = "/v1/admin/events/{event_id}", tag = "events", operation_id = "getStaffEvent",
    params(("event_id" = Uuid, Path)), security(("token" = [])),
    responses((status = 200, body = StaffEventView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn get(
    State(services): State<Services>,
    staff: Staff<right::EventsRead>,
    Id(event_id): Id<EventId>,
) -> Answer {
    let event = services.staff_event(&staff, event_id).await?;
    staff_event(StatusCode::OK, &event)
}

/// Edit an event
///
/// Replaces what the organizer wrote. `If-Match` names the version that the editor saw.
#[utoipa::path(
    put, path = "/v1/admin/events/{event_id}", tag = "events", operation_id = "editEvent",
    params(("event_id" = Uuid, Path), ("If-Match" = String, Header)),
    request_body = EventInput, security(("token" = [])),
    responses((status = 200, body = StaffEventView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn edit(
    State(services): State<Services>,
    manager: Staff<right::EventsEdit>,
    Id(event_id): Id<EventId>,
    ExpectedVersion(version): ExpectedVersion,
    body: JsonBody<EventInput>,
) -> Answer {
    let event = services
        .edit_event(&manager, event_id, body.value.into(), version)
        .await?;
    staff_event(StatusCode::OK, &event)
}

/// Delete an event
///
/// Only a draft, which nobody saw (`not_draft`), and none that a package includes (`in_package`). `If-Match` is optional.
/// Repeating it changes nothing.
#[utoipa::path(
    delete, path = "/v1/admin/events/{event_id}", tag = "events", operation_id = "deleteEvent",
    params(("event_id" = Uuid, Path), ("If-Match" = Option<String>, Header)), security(("token" = [])),
    responses((status = 204), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn delete(
    State(services): State<Services>,
    manager: Staff<right::EventsEdit>,
    Id(event_id): Id<EventId>,
    version: OptionalVersion,
) -> Answer {
    services.delete_event(&manager, event_id, version.0).await?;
    Ok(no_content())
}

fn cursor(row: &EventRow) -> String {
    event_cursor(row.starts_at, row.event_id)
}
