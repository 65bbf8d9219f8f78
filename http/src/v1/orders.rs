//! `/v1/orders`: the buyer's own.

use axum::extract::State;
use onsale_domain::OrderId;
use onsale_services::{OrderRow, Services};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::{Answer, ok};
use crate::auth::Buyer;
use crate::extract::{Id, PageQuery, Search};
use crate::problem::ProblemSchema;
use crate::state::Api;
use crate::views::{CancelledView, OrderView, PageView, parse_id_cursor};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(cancel))
}

/// List the buyer's orders
///
/// Latest first. What was acknowledged before is in it.
#[utoipa::path(
    get, path = "/v1/orders", tag = "orders", operation_id = "listOrders",
    params(PageQuery), security(("token" = [])),
    responses((status = 200, body = PageView<OrderView>), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
async fn list(State(services): State<Services>, buyer: Buyer, Search(page): Search<PageQuery>) -> Answer {
    let before = page.cursor(parse_id_cursor(OrderId))?;
    let orders = services.list_orders(buyer.id, before, page.limit()?).await?;
    ok(&PageView::of(orders, cursor, OrderView::from))
}

/// Read an order
#[utoipa::path(
    get, path = "/v1/orders/{order_id}", tag = "orders", operation_id = "getOrder",
    params(("order_id" = Uuid, Path)), security(("token" = [])),
    responses((status = 200, body = OrderView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
async fn get(State(services): State<Services>, buyer: Buyer, Id(order_id): Id<OrderId>) -> Answer {
    let order = services.order(order_id, buyer.id).await?;
    ok(&OrderView::from(order))
}

/// Cancel an order
///
/// Frees its tickets and lets its payment go, or refunds it. Repeating it changes nothing.
#[utoipa::path(
    post, path = "/v1/orders/{order_id}/cancel", tag = "orders", operation_id = "cancelOrder",
    params(("order_id" = Uuid, Path)), security(("token" = [])),
    responses((status = 200, body = CancelledView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
async fn cancel(State(services): State<Services>, buyer: Buyer, Id(order_id): Id<OrderId>) -> Answer {
    let cancelled = services.cancel_order(order_id, buyer.id).await?;
    ok(&CancelledView::from(cancelled))
}

fn cursor(order: &OrderRow) -> String {
    order.order_id.0.simple().to_string()
}
