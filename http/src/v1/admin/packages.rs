//! `/v1/admin/packages` and `/v1/admin/package-orders`.

use axum::extract::State;
use axum::response::Response;
use onsale_domain::{PackageId, PackageOrderId};
use onsale_services::{KeyedRoute, PackageRow, Services, key_digest};

use crate::answer::{Answer, created_or_replayed, no_content, ok, with_tag};
use crate::auth::{Staff, right};
use crate::extract::{ExpectedVersion, Id, JsonBody, OptionalKey, PageQuery, Search};
use crate::problem::ProblemSchema;
use crate::views::{NewPackageBody, PackageBody, PackageOrderView, PackageView, PageView, parse_id_cursor};

/// Make a package
///
/// Of ticket types of the organization's events, in one currency. With a key, a repeat gets the first answer and makes
/// no second package.
#[utoipa::path(
    post, path = "/v1/admin/packages", tag = "events", operation_id = "createPackage",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = NewPackageBody, security(("token" = [])),
    responses((status = 201, body = PackageView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn create(
    State(services): State<Services>,
    staff: Staff<right::PackagesEdit>,
    OptionalKey(key): OptionalKey,
    body: JsonBody<NewPackageBody>,
) -> Answer {
    let key = key.map(|key| key_digest(staff.caller.user_id.0, KeyedRoute::CreatePackage, &key));
    let (organization_id, input) = body.value.into_parts();
    let made = services
        .create_package(&staff, organization_id, input, key)
        .await?;
    let version = made.package.version;
    let response = created_or_replayed(&PackageView::from(made.package), made.replayed)?;
    Ok(with_tag(response, version))
}

/// List packages as staff
///
/// Drafts and closed ones included, in the order in which they were made.
#[utoipa::path(
    get, path = "/v1/admin/packages", tag = "events", operation_id = "listStaffPackages",
    params(PageQuery), security(("token" = [])),
    responses((status = 200, body = PageView<PackageView>), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn list(
    State(services): State<Services>,
    staff: Staff<right::PackagesEdit>,
    Search(page): Search<PageQuery>,
) -> Answer {
    let after = page.cursor(parse_id_cursor(PackageId))?;
    let packages = services.list_staff_packages(&staff, after, page.limit()?).await?;
    ok(&PageView::of(packages, cursor, PackageView::from))
}

/// Read a package as staff
#[utoipa::path(
    get, path = "/v1/admin/packages/{package_id}", tag = "events", operation_id = "getStaffPackage",
    params(("package_id" = Uuid, Path)), security(("token" = [])),
    responses((status = 200, body = PackageView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn get(
    State(services): State<Services>,
    staff: Staff<right::PackagesEdit>,
    Id(package_id): Id<PackageId>,
) -> Answer {
    tagged(services.staff_package(&staff, package_id).await?)
}

/// Edit a package
///
/// Replaces what staff wrote. Once some were sold, or are being sold, price and inclusions stay, and it is not hidden
/// again: `package_sold`.
#[utoipa::path(
    put, path = "/v1/admin/packages/{package_id}", tag = "events", operation_id = "editPackage",
    params(("package_id" = Uuid, Path), ("If-Match" = String, Header)),
    request_body = PackageBody, security(("token" = [])),
    responses((status = 200, body = PackageView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn edit(
    State(services): State<Services>,
    staff: Staff<right::PackagesEdit>,
    Id(package_id): Id<PackageId>,
    ExpectedVersion(version): ExpectedVersion,
    body: JsonBody<PackageBody>,
) -> Answer {
    let package = services
        .edit_package(&staff, package_id, body.value.into(), version)
        .await?;
    tagged(package)
}

/// Delete a package
///
/// Only one that was never sold: `package_sold` otherwise; such a one is closed instead.
#[utoipa::path(
    delete, path = "/v1/admin/packages/{package_id}", tag = "events", operation_id = "deletePackage",
    params(("package_id" = Uuid, Path), ("If-Match" = String, Header)), security(("token" = [])),
    responses((status = 204), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn delete(
    State(services): State<Services>,
    staff: Staff<right::PackagesEdit>,
    Id(package_id): Id<PackageId>,
    ExpectedVersion(version): ExpectedVersion,
) -> Answer {
    services.delete_package(&staff, package_id, version).await?;
    Ok(no_content())
}

/// Read a package order as staff
#[utoipa::path(
    get, path = "/v1/admin/package-orders/{package_order_id}", tag = "events", operation_id = "getStaffPackageOrder",
    params(("package_order_id" = Uuid, Path)), security(("token" = [])),
    responses((status = 200, body = PackageOrderView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn get_order(
    State(services): State<Services>,
    staff: Staff<right::OrdersRead>,
    Id(id): Id<PackageOrderId>,
) -> Answer {
    ok(&PackageOrderView::from(services.staff_package_order(&staff, id).await?).for_staff())
}

/// Cancel a package order as staff
///
/// All of it, whatever has become of its tickets; its money goes back.
#[utoipa::path(
    post, path = "/v1/admin/package-orders/{package_order_id}/cancel", tag = "events", operation_id = "cancelStaffPackageOrder",
    params(("package_order_id" = Uuid, Path)), security(("token" = [])),
    responses((status = 200, body = PackageOrderView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn cancel_order(
    State(services): State<Services>,
    staff: Staff<right::OrdersCancel>,
    Id(id): Id<PackageOrderId>,
) -> Answer {
    ok(&PackageOrderView::from(services.staff_cancel_package_order(&staff, id).await?).for_staff())
}

fn tagged(package: PackageRow) -> Answer {
    let version = package.version;
    let response: Response = ok(&PackageView::from(package))?;
    Ok(with_tag(response, version))
}

fn cursor(package: &PackageRow) -> String {
    package.package_id.0.simple().to_string()
}
