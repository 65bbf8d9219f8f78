//! `POST /v1/events/{event_id}/holds`.

use axum::extract::State;
use onsale_domain::EventId;
use onsale_services::{HoldRequest, KeyedRoute, Services, key_binding};

use crate::answer::{Answer, created_or_replayed};
use crate::auth::Buyer;
use crate::extract::{Id, IdempotencyKey, JsonBody};
use crate::problem::ProblemSchema;
use crate::views::{HoldBody, HoldView};

/// Place a hold
///
/// Sets tickets aside for the buyer until `expires_at`.
#[utoipa::path(
    post, path = "/v1/events/{event_id}/holds", tag = "sale", operation_id = "placeHold",
    params(("event_id" = Uuid, Path), ("Idempotency-Key" = String, Header)),
    request_body = HoldBody, security(("token" = [])),
    responses(
        (status = 201, body = HoldView),
        (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(super) async fn create(
    State(services): State<Services>,
    buyer: Buyer,
    Id(event_id): Id<EventId>,
    IdempotencyKey(key): IdempotencyKey,
    body: JsonBody<HoldBody>,
) -> Answer {
    let key = key_binding(buyer.id, KeyedRoute::PlaceHold, &key, &body.raw);
    let request = HoldRequest {
        event_id,
        buyer_id: buyer.id,
        lines: body.value.into_lines(),
        key,
    };
    let placed = services.place_hold(request).await?;
    let replayed = placed.replayed;
    created_or_replayed(&HoldView::from(placed), replayed)
}
