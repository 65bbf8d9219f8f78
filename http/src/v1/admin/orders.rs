//! `/v1/admin/orders`: orders of the events in sight.

use axum::extract::State;
use onsale_domain::{BuyerId, EventId, OrderId};
use onsale_services::{OrderFilter, OrderRow, OrderStatus, Services};
use serde::Deserialize;
use uuid::Uuid;

use crate::answer::{Answer, ok};
use crate::auth::{Staff, right};
use crate::extract::{Id, PageQuery, Search};
use crate::problem::{Problem, ProblemSchema};
use crate::views::{CancelledView, PageView, StaffOrderView, parse_id_cursor};

/// Which orders to list.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct OrdersQuery {
    /// Of this event.
    event_id: Option<Uuid>,
    /// Of this buyer.
    buyer_id: Option<Uuid>,
    /// That stand here.
    status: Option<String>,
}

impl OrdersQuery {
    /// Errors: a status that there is not.
    fn into_filter(self) -> Result<OrderFilter, Problem> {
        let status = self
            .status
            .as_deref()
            .map(|name| {
                OrderStatus::of_name(name).ok_or_else(|| Problem::invalid("", "there is no such status"))
            })
            .transpose()?;
        Ok(OrderFilter {
            organizations: None,
            event_id: self.event_id.map(EventId),
            buyer_id: self.buyer_id.map(BuyerId),
            status,
        })
    }
}

/// List orders as staff
///
/// Latest first. What was acknowledged before is in it.
#[utoipa::path(
    get, path = "/v1/admin/orders", tag = "orders", operation_id = "listStaffOrders",
    params(OrdersQuery, PageQuery), security(("token" = [])),
    responses((status = 200, body = PageView<StaffOrderView>), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn list(
    State(services): State<Services>,
    staff: Staff<right::OrdersRead>,
    Search(query): Search<OrdersQuery>,
    Search(page): Search<PageQuery>,
) -> Answer {
    let filter = query.into_filter()?;
    let before = page.cursor(parse_id_cursor(OrderId))?;
    let orders = services
        .list_staff_orders(&staff, filter, before, page.limit()?)
        .await?;
    ok(&PageView::of(orders, cursor, StaffOrderView::from))
}

/// Read an order as staff
#[utoipa::path(
    get, path = "/v1/admin/orders/{order_id}", tag = "orders", operation_id = "getStaffOrder",
    params(("order_id" = Uuid, Path)), security(("token" = [])),
    responses((status = 200, body = StaffOrderView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn get(
    State(services): State<Services>,
    staff: Staff<right::OrdersRead>,
    Id(order_id): Id<OrderId>,
) -> Answer {
    let order = services.staff_order(&staff, order_id).await?;
    ok(&StaffOrderView::from(order))
}

/// Cancel an order as staff
///
/// Also where a ticket of it was used. Its tickets are free again, and its money goes back. Repeating it changes
/// nothing.
#[utoipa::path(
    post, path = "/v1/admin/orders/{order_id}/cancel", tag = "orders", operation_id = "cancelStaffOrder",
    params(("order_id" = Uuid, Path)), security(("token" = [])),
    responses((status = 200, body = CancelledView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn cancel(
    State(services): State<Services>,
    staff: Staff<right::OrdersCancel>,
    Id(order_id): Id<OrderId>,
) -> Answer {
    let cancelled = services.cancel_order_for(&staff, order_id).await?;
    ok(&CancelledView::from(cancelled))
}

fn cursor(order: &OrderRow) -> String {
    order.order_id.0.simple().to_string()
}
