//! `POST /v1/admin/events/{event_id}/publish`, `/pause`, `/resume`, `/close` and `/cancel`.
//!
//! `If-Match` is optional here: stopping a sale must not wait for a fresh read.

use axum::extract::State;
use axum::http::StatusCode;
use onsale_domain::{EventId, EventStatus};
use onsale_services::{Services, StaffMember};

use crate::answer::{Answer, staff_event};
use crate::auth::{Staff, right};
use crate::extract::{Id, OptionalVersion};
use crate::problem::ProblemSchema;
use crate::views::StaffEventView;

async fn change(
    services: &Services,
    manager: &StaffMember,
    event_id: EventId,
    to: EventStatus,
    version: OptionalVersion,
) -> Answer {
    let event = services
        .change_event_status(manager, event_id, to, version.0)
        .await?;
    staff_event(StatusCode::OK, &event)
}

/// Publish an event
///
/// Buyers see it from now on; sales open at the start of its window.
#[utoipa::path(
    post, path = "/v1/admin/events/{event_id}/publish", tag = "events", operation_id = "publishEvent",
    params(("event_id" = Uuid, Path), ("If-Match" = Option<String>, Header)), security(("token" = [])),
    responses((status = 200, body = StaffEventView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn publish(
    State(services): State<Services>,
    manager: Staff<right::EventsPublish>,
    Id(event_id): Id<EventId>,
    version: OptionalVersion,
) -> Answer {
    change(&services, &manager, event_id, EventStatus::Published, version).await
}

/// Pause the sale
///
/// No new holds; live ones can still be paid.
#[utoipa::path(
    post, path = "/v1/admin/events/{event_id}/pause", tag = "events", operation_id = "pauseEvent",
    params(("event_id" = Uuid, Path), ("If-Match" = Option<String>, Header)), security(("token" = [])),
    responses((status = 200, body = StaffEventView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn pause(
    State(services): State<Services>,
    manager: Staff<right::EventsPublish>,
    Id(event_id): Id<EventId>,
    version: OptionalVersion,
) -> Answer {
    change(&services, &manager, event_id, EventStatus::Paused, version).await
}

/// Resume a paused sale
///
/// Holds can be placed again.
#[utoipa::path(
    post, path = "/v1/admin/events/{event_id}/resume", tag = "events", operation_id = "resumeEvent",
    params(("event_id" = Uuid, Path), ("If-Match" = Option<String>, Header)), security(("token" = [])),
    responses((status = 200, body = StaffEventView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn resume(
    State(services): State<Services>,
    manager: Staff<right::EventsPublish>,
    Id(event_id): Id<EventId>,
    version: OptionalVersion,
) -> Answer {
    change(&services, &manager, event_id, EventStatus::OnSale, version).await
}

/// Close the sale
///
/// No new holds, for good; live ones can still be paid.
#[utoipa::path(
    post, path = "/v1/admin/events/{event_id}/close", tag = "events", operation_id = "closeEvent",
    params(("event_id" = Uuid, Path), ("If-Match" = Option<String>, Header)), security(("token" = [])),
    responses((status = 200, body = StaffEventView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn close(
    State(services): State<Services>,
    manager: Staff<right::EventsPublish>,
    Id(event_id): Id<EventId>,
    version: OptionalVersion,
) -> Answer {
    change(&services, &manager, event_id, EventStatus::Closed, version).await
}

/// Cancel an event
///
/// Nothing can be bought or paid any more, for good.
#[utoipa::path(
    post, path = "/v1/admin/events/{event_id}/cancel", tag = "events", operation_id = "cancelEvent",
    params(("event_id" = Uuid, Path), ("If-Match" = Option<String>, Header)), security(("token" = [])),
    responses((status = 200, body = StaffEventView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn cancel(
    State(services): State<Services>,
    manager: Staff<right::EventsPublish>,
    Id(event_id): Id<EventId>,
    version: OptionalVersion,
) -> Answer {
    change(&services, &manager, event_id, EventStatus::Cancelled, version).await
}
