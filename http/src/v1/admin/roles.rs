//! `/v1/admin/roles`. Changes are in force at once, in every process.

use axum::extract::State;
use onsale_domain::RoleId;
use onsale_services::Services;

use crate::answer::{Answer, created, no_content, ok};
use crate::auth::{Staff, right};
use crate::extract::{Id, JsonBody};
use crate::problem::ProblemSchema;
use crate::views::{ListView, RoleBody, RoleChangeBody, RoleView, permissions_of};

/// List roles
#[utoipa::path(
    get, path = "/v1/admin/roles", tag = "roles", operation_id = "listRoles",
    security(("token" = [])),
    responses((status = 200, body = ListView<RoleView>), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn list(State(services): State<Services>, _staff: Staff<right::RolesRead>) -> Answer {
    ok(&ListView::<RoleView>::of(services.roles().await?))
}

/// Make a role
///
/// Nobody makes one that allows more than they may do themselves.
#[utoipa::path(
    post, path = "/v1/admin/roles", tag = "roles", operation_id = "createRole",
    request_body = RoleBody,
    security(("token" = [])),
    responses((status = 201, body = RoleView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn create(
    State(services): State<Services>,
    staff: Staff<right::RolesEdit>,
    body: JsonBody<RoleBody>,
) -> Answer {
    let RoleBody {
        name,
        scope,
        permissions,
    } = body.value;
    let permissions = permissions_of("permissions", &permissions)?;
    let role = services
        .create_role(&staff, name, scope.into(), permissions)
        .await?;
    created(&RoleView::from(role))
}

/// Read a role
#[utoipa::path(
    get, path = "/v1/admin/roles/{role_id}", tag = "roles", operation_id = "getRole",
    params(("role_id" = Uuid, Path)),
    security(("token" = [])),
    responses((status = 200, body = RoleView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn get(
    State(services): State<Services>,
    _staff: Staff<right::RolesRead>,
    Id(role_id): Id<RoleId>,
) -> Answer {
    ok(&RoleView::from(services.role(role_id).await?))
}

/// Change a role
///
/// Replaces its name and permissions. Seeded roles keep their names, and `admin` its permissions too.
#[utoipa::path(
    put, path = "/v1/admin/roles/{role_id}", tag = "roles", operation_id = "changeRole",
    params(("role_id" = Uuid, Path)),
    request_body = RoleChangeBody,
    security(("token" = [])),
    responses((status = 200, body = RoleView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn change(
    State(services): State<Services>,
    staff: Staff<right::RolesEdit>,
    Id(role_id): Id<RoleId>,
    body: JsonBody<RoleChangeBody>,
) -> Answer {
    let permissions = permissions_of("permissions", &body.value.permissions)?;
    let role = services
        .change_role(&staff, role_id, body.value.name, permissions)
        .await?;
    ok(&RoleView::from(role))
}

/// Delete a role
///
/// Only one that nobody has, and no seeded one.
#[utoipa::path(
    delete, path = "/v1/admin/roles/{role_id}", tag = "roles", operation_id = "deleteRole",
    params(("role_id" = Uuid, Path)),
    security(("token" = [])),
    responses((status = 204), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn delete(
    State(services): State<Services>,
    staff: Staff<right::RolesEdit>,
    Id(role_id): Id<RoleId>,
) -> Answer {
    services.delete_role(&staff, role_id).await?;
    Ok(no_content())
}
