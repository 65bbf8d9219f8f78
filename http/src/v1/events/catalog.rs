//! `GET /v1/events`, `GET /v1/events/{event_id}`.

use axum::extract::State;
use jiff::Timestamp;
use onsale_domain::{EventId, EventStatus, OrganizationId};
use onsale_services::{EventFilter, EventRow, Services};
use serde::Deserialize;
use uuid::Uuid;

use crate::answer::{Answer, ok};
use crate::auth::Visitor;
use crate::extract::{Id, PageQuery, Search};
use crate::problem::{Problem, ProblemSchema};
use crate::views::{EventView, PageView, event_cursor, parse_event_cursor};

/// What a listing of events is narrowed by.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsQuery {
    /// Words in the name or the venue.
    q: Option<String>,
    /// Starts at this instant or later.
    from: Option<Timestamp>,
    /// Starts before this instant.
    to: Option<Timestamp>,
    /// Stands at this status.
    status: Option<String>,
    /// Belongs to this organization.
    organization_id: Option<Uuid>,
}

impl EventsQuery {
    /// The filter, among events of these statuses. Errors: a status that is not one of them.
    pub(crate) fn into_filter(self, visible: &[EventStatus]) -> Result<EventFilter, Problem> {
        Ok(EventFilter {
            q: self.q,
            from: self.from.map(Into::into),
            to: self.to.map(Into::into),
            statuses: match self.status.as_deref() {
                Some(name) => vec![status(name, visible)?],
                None => visible.to_vec(),
            },
            organizations: self.organization_id.map(|id| vec![OrganizationId(id)]),
        })
    }
}

/// Statuses of the events that staff see.
pub(crate) const ALL_STATUSES: [EventStatus; 6] = [
    EventStatus::Draft,
    EventStatus::Published,
    EventStatus::OnSale,
    EventStatus::Paused,
    EventStatus::Closed,
    EventStatus::Cancelled,
];

/// Statuses of the events that buyers see: all but drafts.
const PUBLIC_STATUSES: [EventStatus; 5] = [
    EventStatus::Published,
    EventStatus::OnSale,
    EventStatus::Paused,
    EventStatus::Closed,
    EventStatus::Cancelled,
];

fn status(name: &str, visible: &[EventStatus]) -> Result<EventStatus, Problem> {
    visible
        .iter()
        .copied()
        .find(|status| status.as_str() == name)
        .ok_or_else(|| Problem::invalid("", "there is no such status"))
}

/// List events
///
/// In the order in which they start. Drafts are not shown.
#[utoipa::path(
    get, path = "/v1/events", tag = "catalog", operation_id = "listEvents",
    params(EventsQuery, PageQuery),
    responses((status = 200, body = PageView<EventView>), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn list(
    State(services): State<Services>,
    _visitor: Visitor,
    Search(query): Search<EventsQuery>,
    Search(page): Search<PageQuery>,
) -> Answer {
    let filter = query.into_filter(&PUBLIC_STATUSES)?;
    let after = page.cursor(parse_event_cursor)?;
    let events = services.list_events(&filter, after, page.limit()?).await?;
    ok(&PageView::of(events, cursor, EventView::from))
}

/// Read an event
#[utoipa::path(
    get, path = "/v1/events/{event_id}", tag = "catalog", operation_id = "getEvent",
    params(("event_id" = Uuid, Path)),
    responses((status = 200, body = EventView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn get(
    State(services): State<Services>,
    _visitor: Visitor,
    Id(event_id): Id<EventId>,
) -> Answer {
    let event = services.availability(event_id).await?;
    ok(&EventView::from(event.definition.as_ref()))
}

fn cursor(row: &EventRow) -> String {
    event_cursor(row.starts_at, row.event_id)
}
