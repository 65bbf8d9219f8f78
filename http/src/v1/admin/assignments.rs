//! `/v1/admin/users/{user_id}/roles`: who has which role.

use axum::extract::State;
use onsale_domain::{OrganizationId, RoleId, UserId};
use onsale_services::{NewAssignment, Services};
use serde::Deserialize;

use crate::answer::{Answer, created, no_content, ok};
use crate::auth::{Staff, right};
use crate::extract::{Id, JsonBody, Search};
use crate::problem::ProblemSchema;
use crate::views::{AssignmentBody, AssignmentView, ListView};

/// From where a role is taken.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PlaceQuery {
    /// The organization, of a role for organizations.
    #[param(value_type = Option<Uuid>)]
    organization_id: Option<OrganizationId>,
}

/// List an account's roles
///
/// Those that are in sight.
#[utoipa::path(
    get, path = "/v1/admin/users/{user_id}/roles", tag = "roles", operation_id = "listAssignments",
    params(("user_id" = Uuid, Path)),
    security(("token" = [])),
    responses((status = 200, body = ListView<AssignmentView>), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn list(
    State(services): State<Services>,
    staff: Staff<right::RolesRead>,
    Id(user_id): Id<UserId>,
) -> Answer {
    ok(&ListView::<AssignmentView>::of(
        services.assignments(&staff, user_id).await?,
    ))
}

/// Give an account a role
///
/// Nobody gives one that allows more than they may do themselves at that place.
#[utoipa::path(
    post, path = "/v1/admin/users/{user_id}/roles", tag = "roles", operation_id = "assignRole",
    params(("user_id" = Uuid, Path)),
    request_body = AssignmentBody,
    security(("token" = [])),
    responses((status = 201, body = AssignmentView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn create(
    State(services): State<Services>,
    staff: Staff<right::RolesAssign>,
    Id(user_id): Id<UserId>,
    body: JsonBody<AssignmentBody>,
) -> Answer {
    let assignment = NewAssignment {
        user_id,
        role_id: body.value.role_id,
        organization_id: body.value.organization_id,
    };
    let assignment = services.assign_role(&staff, assignment).await?;
    created(&AssignmentView::from(assignment))
}

/// Take a role from an account
///
/// In force at once. The last active admin keeps the role.
#[utoipa::path(
    delete, path = "/v1/admin/users/{user_id}/roles/{role_id}", tag = "roles", operation_id = "takeRole",
    params(("user_id" = Uuid, Path), ("role_id" = Uuid, Path), PlaceQuery),
    security(("token" = [])),
    responses((status = 204), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn delete(
    State(services): State<Services>,
    staff: Staff<right::RolesAssign>,
    Id((user_id, role_id)): Id<(UserId, RoleId)>,
    Search(place): Search<PlaceQuery>,
) -> Answer {
    let assignment = NewAssignment {
        user_id,
        role_id,
        organization_id: place.organization_id,
    };
    services.take_role(&staff, assignment).await?;
    Ok(no_content())
}
