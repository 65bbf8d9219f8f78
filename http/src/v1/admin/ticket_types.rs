//! `/v1/admin/events/{event_id}/ticket-types`.

use axum::extract::State;
use axum::http::StatusCode;
use onsale_domain::{EventId, TicketTypeId};
use onsale_services::Services;

use crate::answer::{Answer, staff_event};
use crate::auth::{Staff, right};
use crate::extract::{ExpectedVersion, Id, JsonBody};
use crate::problem::ProblemSchema;
use crate::views::{StaffEventView, TicketTypeBody};

/// Add a ticket type
#[utoipa::path(
    post, path = "/v1/admin/events/{event_id}/ticket-types", tag = "events", operation_id = "createTicketType",
    params(("event_id" = Uuid, Path), ("If-Match" = String, Header)),
    request_body = TicketTypeBody, security(("token" = [])),
    responses((status = 201, body = StaffEventView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn create(
    State(services): State<Services>,
    manager: Staff<right::EventsEdit>,
    Id(event_id): Id<EventId>,
    ExpectedVersion(version): ExpectedVersion,
    body: JsonBody<TicketTypeBody>,
) -> Answer {
    let event = services
        .add_ticket_type(&manager, event_id, body.value.into(), version)
        .await?;
    staff_event(StatusCode::CREATED, &event)
}

/// Edit a ticket type
///
/// Holds keep the price that they were quoted.
#[utoipa::path(
    put, path = "/v1/admin/events/{event_id}/ticket-types/{ticket_type_id}", tag = "events", operation_id = "editTicketType",
    params(("event_id" = Uuid, Path), ("ticket_type_id" = Uuid, Path), ("If-Match" = String, Header)),
    request_body = TicketTypeBody, security(("token" = [])),
    responses((status = 200, body = StaffEventView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn edit(
    State(services): State<Services>,
    manager: Staff<right::EventsEdit>,
    Id((event_id, ticket_type_id)): Id<(EventId, TicketTypeId)>,
    ExpectedVersion(version): ExpectedVersion,
    body: JsonBody<TicketTypeBody>,
) -> Answer {
    let ticket_type = (ticket_type_id, body.value.into());
    let event = services
        .edit_ticket_type(&manager, event_id, ticket_type, version)
        .await?;
    staff_event(StatusCode::OK, &event)
}
