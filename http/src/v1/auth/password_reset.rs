//! `/v1/auth/password-reset`.

use axum::extract::State;
use onsale_services::Services;

use crate::answer::{Answer, accepted, no_content};
use crate::auth::Guest;
use crate::extract::JsonBody;
use crate::problem::ProblemSchema;
use crate::views::{ConfirmResetBody, ResetBody};

/// Ask for another password
///
/// If the address has an account, a mail with a token goes there. The answer does not tell.
#[utoipa::path(
    post, path = "/v1/auth/password-reset", tag = "login", operation_id = "requestPasswordReset",
    request_body = ResetBody,
    responses((status = 202), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn request(
    State(services): State<Services>,
    guest: Guest,
    body: JsonBody<ResetBody>,
) -> Answer {
    guest.admit_email(&body.value.email).await?;
    services.request_password_reset(&body.value.email).await?;
    Ok(accepted())
}

/// Set another password
///
/// With the token of the mail, which is good for 30 minutes and once. Ends all sessions.
#[utoipa::path(
    post, path = "/v1/auth/password-reset/confirm", tag = "login", operation_id = "confirmPasswordReset",
    request_body = ConfirmResetBody,
    responses((status = 204), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn confirm(
    State(services): State<Services>,
    guest: Guest,
    body: JsonBody<ConfirmResetBody>,
) -> Answer {
    let ConfirmResetBody { token, password } = body.value;
    services
        .confirm_password_reset(&token, password, &guest.origin)
        .await?;
    Ok(no_content())
}
