//! `/v1/auth/password`.

use axum::extract::State;
use onsale_services::Services;

use crate::answer::{Answer, ok};
use crate::auth::{Account, Guest};
use crate::extract::JsonBody;
use crate::problem::ProblemSchema;
use crate::views::{PasswordBody, SessionView};

/// Change one's password
///
/// Ends all other sessions and every access token; the answer has new tokens for this session.
#[utoipa::path(
    put, path = "/v1/auth/password", tag = "account", operation_id = "changePassword",
    request_body = PasswordBody, security(("token" = [])),
    responses((status = 200, body = SessionView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn change(
    State(services): State<Services>,
    account: Account,
    guest: Guest,
    body: JsonBody<PasswordBody>,
) -> Answer {
    // Whoever stole a token must not find the password by trying.
    guest.admit_account(account.caller.user_id).await?;
    let session = services
        .change_password(&account.caller, body.value.into(), &guest.origin)
        .await?;
    ok(&SessionView::of(session, services.now()))
}
