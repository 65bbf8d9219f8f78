//! `/v1/admin/orders/{order_id}/refunds`: money back for some tickets.

use axum::extract::State;
use onsale_domain::{BuyerId, OrderId};
use onsale_services::{KeyedRoute, RefundRequested, Services, key_binding};

use crate::answer::{Answer, created_or_replayed, ok};
use crate::auth::{Staff, right};
use crate::extract::{Id, IdempotencyKey, JsonBody};
use crate::problem::ProblemSchema;
use crate::views::{ListView, RefundBody, RefundView};

/// List an order's refunds
///
/// The oldest first.
#[utoipa::path(
    get, path = "/v1/admin/orders/{order_id}/refunds", tag = "orders", operation_id = "listRefunds",
    params(("order_id" = Uuid, Path)), security(("token" = [])),
    responses((status = 200, body = ListView<RefundView>), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn list(
    State(services): State<Services>,
    staff: Staff<right::OrdersRead>,
    Id(order_id): Id<OrderId>,
) -> Answer {
    let order = services.staff_order(&staff, order_id).await?;
    let view = |refund| RefundView::of_row(refund, order.currency);
    let refunds: Vec<RefundView> = order.refunds.iter().map(view).collect();
    ok(&ListView::<RefundView>::of(refunds))
}

/// Refund tickets
///
/// All of the tickets that are named, or none. They let nobody in any more, and can be sold again. Their money goes
/// back through the payment gateway; `status` tells how far that is.
#[utoipa::path(
    post, path = "/v1/admin/orders/{order_id}/refunds", tag = "orders", operation_id = "createRefund",
    params(("order_id" = Uuid, Path), ("Idempotency-Key" = String, Header)),
    request_body = RefundBody, security(("token" = [])),
    responses((status = 201, body = RefundView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn create(
    State(services): State<Services>,
    staff: Staff<right::RefundsCreate>,
    Id(order_id): Id<OrderId>,
    IdempotencyKey(key): IdempotencyKey,
    body: JsonBody<RefundBody>,
) -> Answer {
    let caller = BuyerId(staff.caller.user_id.0);
    let key = key_binding(caller, KeyedRoute::RefundTickets, &key, &body.raw);
    let (tickets, reason) = body.value.into_parts()?;
    let request = RefundRequested {
        order_id,
        tickets,
        reason,
        key,
    };
    let requested = services.refund_tickets(&staff, request).await?;
    let replayed = requested.replayed;
    created_or_replayed(&RefundView::from(requested.refund), replayed)
}
