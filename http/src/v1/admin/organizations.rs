//! `/v1/admin/organizations`.

use axum::extract::State;
use onsale_domain::OrganizationId;
use onsale_services::{KeyedRoute, OrganizationRow, Services, key_digest};

use crate::answer::{Answer, created_or_replayed, ok};
use crate::auth::{Staff, right};
use crate::extract::{Id, JsonBody, OptionalKey, PageQuery, Search};
use crate::problem::ProblemSchema;
use crate::views::{OrganizationInput, OrganizationView, PageView, parse_id_cursor};

/// Make an organization
///
/// With a key, a repeat gets the first answer and makes no second organization.
#[utoipa::path(
    post, path = "/v1/admin/organizations", tag = "organizations", operation_id = "createOrganization",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = OrganizationInput, security(("token" = [])),
    responses((status = 201, body = OrganizationView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn create(
    State(services): State<Services>,
    admin: Staff<right::OrganizationsCreate>,
    OptionalKey(key): OptionalKey,
    body: JsonBody<OrganizationInput>,
) -> Answer {
    let key = key.map(|key| key_digest(admin.caller.user_id.0, KeyedRoute::CreateOrganization, &key));
    let created = services.create_organization(&admin, body.value.name, key).await?;
    created_or_replayed(&OrganizationView::from(created.organization), created.replayed)
}

/// List organizations
///
/// In the order in which they were made. Organizers see their own.
#[utoipa::path(
    get, path = "/v1/admin/organizations", tag = "organizations", operation_id = "listOrganizations",
    params(PageQuery), security(("token" = [])),
    responses((status = 200, body = PageView<OrganizationView>), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn list(
    State(services): State<Services>,
    staff: Staff<right::OrganizationsRead>,
    Search(page): Search<PageQuery>,
) -> Answer {
    let after = page.cursor(parse_id_cursor(OrganizationId))?;
    let organizations = services.list_organizations(&staff, after, page.limit()?).await?;
    ok(&PageView::of(organizations, cursor, OrganizationView::from))
}

/// Read an organization
#[utoipa::path(
    get, path = "/v1/admin/organizations/{organization_id}", tag = "organizations", operation_id = "getOrganization",
    params(("organization_id" = Uuid, Path)), security(("token" = [])),
    responses((status = 200, body = OrganizationView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn get(
    State(services): State<Services>,
    staff: Staff<right::OrganizationsRead>,
    Id(organization_id): Id<OrganizationId>,
) -> Answer {
    let organization = services.staff_organization(&staff, organization_id).await?;
    ok(&OrganizationView::from(organization))
}

fn cursor(organization: &OrganizationRow) -> String {
    organization.organization_id.0.simple().to_string()
}
