//! `/v1/admin/service-accounts`: programs that call.

use axum::extract::State;
use onsale_domain::UserId;
use onsale_services::{ServiceAccountRow, Services};

use crate::answer::{Answer, created, no_content, ok};
use crate::auth::{Staff, right};
use crate::extract::{Id, JsonBody, PageQuery, Search};
use crate::problem::ProblemSchema;
use crate::views::{PageView, ServiceAccountBody, ServiceAccountView, parse_id_cursor};

/// List service accounts
///
/// In the order in which they were made. Organizers see those of their organizations.
#[utoipa::path(
    get, path = "/v1/admin/service-accounts", tag = "service accounts", operation_id = "listServiceAccounts",
    params(PageQuery),
    security(("token" = [])),
    responses((status = 200, body = PageView<ServiceAccountView>), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn list(
    State(services): State<Services>,
    staff: Staff<right::ServiceAccountsRead>,
    Search(page): Search<PageQuery>,
) -> Answer {
    let after = page.cursor(parse_id_cursor(UserId))?;
    let accounts = services
        .list_service_accounts(&staff, after, page.limit()?)
        .await?;
    ok(&PageView::of(accounts, cursor, ServiceAccountView::from))
}

/// Make a service account
///
/// Nobody gives it roles that allow more than they may do themselves at that place.
#[utoipa::path(
    post, path = "/v1/admin/service-accounts", tag = "service accounts", operation_id = "createServiceAccount",
    request_body = ServiceAccountBody,
    security(("token" = [])),
    responses((status = 201, body = ServiceAccountView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn create(
    State(services): State<Services>,
    staff: Staff<right::ServiceAccountsEdit>,
    body: JsonBody<ServiceAccountBody>,
) -> Answer {
    let ServiceAccountBody {
        name,
        organization_id,
        roles,
    } = body.value;
    let account = services
        .create_service_account(&staff, name, organization_id, roles)
        .await?;
    created(&ServiceAccountView::from(account))
}

/// Deactivate a service account
///
/// Its keys are revoked with it.
#[utoipa::path(
    delete, path = "/v1/admin/service-accounts/{user_id}", tag = "service accounts", operation_id = "deactivateServiceAccount",
    params(("user_id" = Uuid, Path)),
    security(("token" = [])),
    responses((status = 204), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn deactivate(
    State(services): State<Services>,
    staff: Staff<right::ServiceAccountsEdit>,
    Id(user_id): Id<UserId>,
) -> Answer {
    services.deactivate_service_account(&staff, user_id).await?;
    Ok(no_content())
}

fn cursor(account: &ServiceAccountRow) -> String {
    account.user_id.0.simple().to_string()
}
