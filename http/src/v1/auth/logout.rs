//! `/v1/auth/logout` and `/v1/auth/logout-everywhere`.

use axum::extract::State;
use onsale_services::Services;

use crate::answer::{Answer, no_content};
use crate::auth::{Account, Guest};
use crate::problem::ProblemSchema;

/// Log out
///
/// Ends the session of the token that it is asked with.
#[utoipa::path(
    post, path = "/v1/auth/logout", tag = "account", operation_id = "logout", security(("token" = [])),
    responses((status = 204), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn logout(State(services): State<Services>, account: Account) -> Answer {
    services.logout(&account.caller).await?;
    Ok(no_content())
}

/// Log out everywhere
///
/// Ends all sessions and access tokens of the account.
#[utoipa::path(
    post, path = "/v1/auth/logout-everywhere", tag = "account", operation_id = "logoutEverywhere",
    security(("token" = [])),
    responses((status = 204), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn logout_everywhere(
    State(services): State<Services>,
    account: Account,
    guest: Guest,
) -> Answer {
    services.logout_everywhere(&account.caller, &guest.origin).await?;
    Ok(no_content())
}
