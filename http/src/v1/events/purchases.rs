//! `POST /v1/events/{event_id}/purchases`.

use axum::extract::State;
use onsale_domain::EventId;
use onsale_services::{KeyedRoute, PurchaseRequest, Services, key_binding};

use crate::answer::{Answer, purchase};
use crate::auth::Buyer;
use crate::extract::{Id, IdempotencyKey, JsonBody};
use crate::problem::ProblemSchema;
use crate::views::{OrderView, PurchaseBody};

/// Buy in one call
///
/// Holds, charges and confirms. When the answer is lost, the same key gets it again.
///
/// Where the payment gateway needs time or the buyer, the order is answered as `pending`, with what to do next. That
/// answer is not kept: the same key goes on with the payment and answers what is true then, and `GET
/// /v1/orders/{order_id}` tells as well. The tickets stay set aside for at least 15 minutes. A payment that succeeds
/// later still gets them if they are free, and goes back otherwise.
#[utoipa::path(
    post, path = "/v1/events/{event_id}/purchases", tag = "sale", operation_id = "purchase",
    params(("event_id" = Uuid, Path), ("Idempotency-Key" = String, Header)),
    request_body = PurchaseBody, security(("token" = [])),
    responses(
        (status = 201, body = OrderView),
        (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(super) async fn create(
    State(services): State<Services>,
    buyer: Buyer,
    Id(event_id): Id<EventId>,
    IdempotencyKey(key): IdempotencyKey,
    body: JsonBody<PurchaseBody>,
) -> Answer {
    let key = key_binding(buyer.id, KeyedRoute::Purchase, &key, &body.raw);
    let (lines, payment_method) = body.value.into_parts()?;
    let request = PurchaseRequest {
        event_id,
        buyer_id: buyer.id,
        lines,
        payment_method,
        key,
    };
    let purchased = services.purchase(request).await?;
    purchase(purchased)
}
