//! `/v1/holds/{hold_id}`: reading, releasing, extending and paying a hold.

use axum::extract::State;
use onsale_domain::HoldId;
use onsale_services::{CheckoutRequest, KeyedRoute, Services, key_binding};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::{Answer, ok, purchase};
use crate::auth::Buyer;
use crate::extract::{Id, IdempotencyKey, JsonBody};
use crate::problem::ProblemSchema;
use crate::state::Api;
use crate::views::{CheckoutBody, HoldView, OrderView, ReleasedView};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get, release))
        .routes(routes!(extend))
        .routes(routes!(checkout))
}

/// Read a hold
#[utoipa::path(
    get, path = "/v1/holds/{hold_id}", tag = "sale", operation_id = "getHold",
    params(("hold_id" = Uuid, Path)), security(("token" = [])),
    responses((status = 200, body = HoldView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
async fn get(State(services): State<Services>, buyer: Buyer, Id(hold_id): Id<HoldId>) -> Answer {
    let hold = services.hold(hold_id, buyer.id).await?;
    ok(&HoldView::from(hold))
}

/// Release a hold
///
/// Repeating it changes nothing.
#[utoipa::path(
    delete, path = "/v1/holds/{hold_id}", tag = "sale", operation_id = "releaseHold",
    params(("hold_id" = Uuid, Path)), security(("token" = [])),
    responses((status = 200, body = ReleasedView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
async fn release(State(services): State<Services>, buyer: Buyer, Id(hold_id): Id<HoldId>) -> Answer {
    let released = services.release_hold(hold_id, buyer.id).await?;
    ok(&ReleasedView::from(released))
}

/// Extend a hold
///
/// Moves its end to a full duration from now, never past the event's longest life of a hold.
#[utoipa::path(
    post, path = "/v1/holds/{hold_id}/extend", tag = "sale", operation_id = "extendHold",
    params(("hold_id" = Uuid, Path)), security(("token" = [])),
    responses((status = 200, body = HoldView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
async fn extend(State(services): State<Services>, buyer: Buyer, Id(hold_id): Id<HoldId>) -> Answer {
    let extended = services.extend_hold(hold_id, buyer.id).await?;
    ok(&HoldView::from(extended))
}

/// Pay a hold
///
/// Charges and confirms. When the answer is lost, the same key gets it again. A declined payment ends the hold.
///
/// Where the payment gateway needs time or the buyer, the order is answered as `pending`, as for a purchase in one call.
#[utoipa::path(
    post, path = "/v1/holds/{hold_id}/checkout", tag = "sale", operation_id = "checkout",
    params(("hold_id" = Uuid, Path), ("Idempotency-Key" = String, Header)),
    request_body = CheckoutBody, security(("token" = [])),
    responses(
        (status = 201, body = OrderView),
        (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
async fn checkout(
    State(services): State<Services>,
    buyer: Buyer,
    Id(hold_id): Id<HoldId>,
    IdempotencyKey(key): IdempotencyKey,
    body: JsonBody<CheckoutBody>,
) -> Answer {
    let key = key_binding(buyer.id, KeyedRoute::Checkout, &key, &body.raw);
    let request = CheckoutRequest {
        hold_id,
        buyer_id: buyer.id,
        payment_method: body.value.into_payment_method()?,
        key,
    };
    let purchased = services.checkout(request).await?;
    purchase(purchased)
}
