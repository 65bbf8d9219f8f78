//! `/v1/auth/login`.

use axum::extract::State;
use onsale_services::Services;

use crate::answer::{Answer, ok};
use crate::auth::Guest;
use crate::extract::JsonBody;
use crate::problem::ProblemSchema;
use crate::views::{LoginBody, SessionView};

/// Log in
///
/// An unknown address, a wrong password and a deactivated account get the same answer.
#[utoipa::path(
    post, path = "/v1/auth/login", tag = "login", operation_id = "login",
    request_body = LoginBody,
    responses((status = 200, body = SessionView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn login(
    State(services): State<Services>,
    guest: Guest,
    body: JsonBody<LoginBody>,
) -> Answer {
    let LoginBody { email, password } = body.value;
    guest.admit_email(&email).await?;
    let session = services.login(&email, password).await?;
    ok(&SessionView::of(session, services.now()))
}
