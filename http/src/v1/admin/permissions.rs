//! `/v1/admin/permissions`.

use axum::extract::State;
use onsale_services::Services;

use crate::answer::{Answer, ok};
use crate::auth::{Staff, right};
use crate::problem::ProblemSchema;
use crate::views::{ListView, PermissionView};

/// List permissions
#[utoipa::path(
    get, path = "/v1/admin/permissions", tag = "roles", operation_id = "listPermissions",
    security(("token" = [])),
    responses((status = 200, body = ListView<PermissionView>), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn list(State(services): State<Services>, _staff: Staff<right::RolesRead>) -> Answer {
    ok(&ListView::<PermissionView>::of(services.permissions().await?))
}
