//! `/v1/admin/payments`, and letting a quarantined one go.

use axum::extract::State;
use onsale_domain::{EventId, OrderId};
use onsale_services::{ListedPayment, PaymentFilter, PaymentStatus, Services};
use serde::Deserialize;
use uuid::Uuid;

use crate::answer::{Answer, ok};
use crate::auth::{Staff, right};
use crate::extract::{Id, PageQuery, Search};
use crate::problem::{Problem, ProblemSchema};
use crate::views::{PageView, StaffOrderView, StaffPaymentView, parse_id_cursor};

/// Which payments to list.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PaymentsQuery {
    /// Of this event.
    event_id: Option<Uuid>,
    /// That stand here, such as `quarantined`.
    status: Option<String>,
}

impl PaymentsQuery {
    /// Errors: a status that there is not.
    fn into_filter(self) -> Result<PaymentFilter, Problem> {
        let status = self
            .status
            .as_deref()
            .map(|name| {
                PaymentStatus::of_name(name).ok_or_else(|| Problem::invalid("", "there is no such status"))
            })
            .transpose()?;
        Ok(PaymentFilter {
            organizations: None,
            event_id: self.event_id.map(EventId),
            status,
        })
    }
}

/// List payments
///
/// Those of the latest orders first. `quarantined` ones wait for staff: their amount or currency is not the order's.
#[utoipa::path(
    get, path = "/v1/admin/payments", tag = "orders", operation_id = "listPayments",
    params(PaymentsQuery, PageQuery), security(("token" = [])),
    responses((status = 200, body = PageView<StaffPaymentView>), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn list(
    State(services): State<Services>,
    staff: Staff<right::OrdersRead>,
    Search(query): Search<PaymentsQuery>,
    Search(page): Search<PageQuery>,
) -> Answer {
    let filter = query.into_filter()?;
    let before = page.cursor(parse_id_cursor(OrderId))?;
    let payments = services
        .list_payments(&staff, filter, before, page.limit()?)
        .await?;
    ok(&PageView::of(payments, cursor, StaffPaymentView::from))
}

/// Let a quarantined payment go
///
/// Nothing is charged, and what was charged goes back. The order gets no tickets.
#[utoipa::path(
    post, path = "/v1/admin/orders/{order_id}/payment/void", tag = "orders", operation_id = "voidPayment",
    params(("order_id" = Uuid, Path)), security(("token" = [])),
    responses((status = 200, body = StaffOrderView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn void(
    State(services): State<Services>,
    staff: Staff<right::RefundsCreate>,
    Id(order_id): Id<OrderId>,
) -> Answer {
    let order = services.void_payment(&staff, order_id).await?;
    ok(&StaffOrderView::from(order))
}

fn cursor(payment: &ListedPayment) -> String {
    payment.order_id.0.simple().to_string()
}
