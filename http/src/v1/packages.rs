//! `/v1/packages` and `/v1/package-orders`: several tickets, also of several events, bought as one.

use axum::extract::State;
use onsale_domain::{OrganizationId, PackageId, PackageOrderId};
use onsale_services::{
    KeyedRoute, PackageOffer, PackageOrder, PackagePurchaseRequest, Services, key_binding,
};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::answer::{Answer, created_or_replayed, ok};
use crate::auth::{Buyer, Visitor};
use crate::extract::{Id, IdempotencyKey, JsonBody, PageQuery, Search};
use crate::problem::ProblemSchema;
use crate::state::Api;
use crate::views::{PackageOrderView, PackagePurchaseBody, PackageView, PageView, parse_id_cursor};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(purchase))
        .routes(routes!(list_orders))
        .routes(routes!(get_order))
        .routes(routes!(cancel))
}

/// What a listing of packages is narrowed by.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct PackagesQuery {
    /// Belongs to this organization.
    organization_id: Option<Uuid>,
}

/// List packages
///
/// Those on sale, in the order in which they were made.
#[utoipa::path(
    get, path = "/v1/packages", tag = "catalog", operation_id = "listPackages",
    params(PackagesQuery, PageQuery),
    responses((status = 200, body = PageView<PackageView>), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
async fn list(
    State(services): State<Services>,
    _visitor: Visitor,
    Search(query): Search<PackagesQuery>,
    Search(page): Search<PageQuery>,
) -> Answer {
    let organizations = query.organization_id.map(|id| vec![OrganizationId(id)]);
    let after = page.cursor(parse_id_cursor(PackageId))?;
    let packages = services
        .list_packages(organizations, after, page.limit()?)
        .await?;
    ok(&PageView::of(packages, cursor, PackageView::from))
}

/// Read a package
///
/// With how many can be bought now: as many as every one of its events has the tickets for.
#[utoipa::path(
    get, path = "/v1/packages/{package_id}", tag = "catalog", operation_id = "getPackage",
    params(("package_id" = Uuid, Path)),
    responses((status = 200, body = PackageView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
async fn get(State(services): State<Services>, _visitor: Visitor, Id(package_id): Id<PackageId>) -> Answer {
    ok(&PackageView::from(services.package_offer(package_id).await?))
}

/// Buy packages in one call
///
/// All of it, in all of its events, or nothing. A refusal names the event in `event_id`. `pending` waits for the payment
/// provider; a repeat of the key then asks again, and an answer of a decided purchase is repeated as it was.
#[utoipa::path(
    post, path = "/v1/packages/{package_id}/purchases", tag = "sale", operation_id = "purchasePackage",
    params(("package_id" = Uuid, Path), ("Idempotency-Key" = String, Header)),
    request_body = PackagePurchaseBody, security(("token" = [])),
    responses(
        (status = 201, body = PackageOrderView),
        (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
async fn purchase(
    State(services): State<Services>,
    buyer: Buyer,
    Id(package_id): Id<PackageId>,
    IdempotencyKey(key): IdempotencyKey,
    body: JsonBody<PackagePurchaseBody>,
) -> Answer {
    let key = key_binding(buyer.id, KeyedRoute::PurchasePackage, &key, &body.raw);
    let (quantity, payment_method) = body.value.into_parts()?;
    let request = PackagePurchaseRequest {
        package_id,
        buyer_id: buyer.id,
        quantity,
        payment_method,
        key,
    };
    let purchased = services.purchase_package(request).await?;
    let replayed = purchased.replayed;
    created_or_replayed(&PackageOrderView::from(purchased), replayed)
}

/// List the buyer's package orders
///
/// Latest first.
#[utoipa::path(
    get, path = "/v1/package-orders", tag = "orders", operation_id = "listPackageOrders",
    params(PageQuery), security(("token" = [])),
    responses((status = 200, body = PageView<PackageOrderView>), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
async fn list_orders(
    State(services): State<Services>,
    buyer: Buyer,
    Search(page): Search<PageQuery>,
) -> Answer {
    let before = page.cursor(parse_id_cursor(PackageOrderId))?;
    let orders = services
        .list_package_orders(buyer.id, before, page.limit()?)
        .await?;
    ok(&PageView::of(orders, order_cursor, PackageOrderView::from))
}

/// Read a package order
#[utoipa::path(
    get, path = "/v1/package-orders/{package_order_id}", tag = "orders", operation_id = "getPackageOrder",
    params(("package_order_id" = Uuid, Path)), security(("token" = [])),
    responses((status = 200, body = PackageOrderView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
async fn get_order(State(services): State<Services>, buyer: Buyer, Id(id): Id<PackageOrderId>) -> Answer {
    ok(&PackageOrderView::from(
        services.package_order(id, buyer.id).await?,
    ))
}

/// Cancel a package order
///
/// All of it: frees its tickets in every event and gives its money back. Not once a ticket of it was used or given
/// away. Repeating it changes nothing.
#[utoipa::path(
    post, path = "/v1/package-orders/{package_order_id}/cancel", tag = "orders", operation_id = "cancelPackageOrder",
    params(("package_order_id" = Uuid, Path)), security(("token" = [])),
    responses((status = 200, body = PackageOrderView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
async fn cancel(State(services): State<Services>, buyer: Buyer, Id(id): Id<PackageOrderId>) -> Answer {
    ok(&PackageOrderView::from(
        services.cancel_package_order(id, buyer.id).await?,
    ))
}

fn cursor(offer: &PackageOffer) -> String {
    offer.package.package_id.0.simple().to_string()
}

fn order_cursor(told: &PackageOrder) -> String {
    told.order.package_order_id.0.simple().to_string()
}
