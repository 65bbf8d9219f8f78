//! `/v1/auth/refresh`.

use axum::extract::State;
use onsale_services::Services;
use secrecy::ExposeSecret as _;

use crate::answer::{Answer, ok};
use crate::auth::Guest;
use crate::extract::JsonBody;
use crate::problem::ProblemSchema;
use crate::views::{RefreshBody, SessionView};

/// Get the next tokens
///
/// Each refresh token is good once. Within ten seconds a repeat gets the same refresh token again, for whoever lost
/// the answer; a later repeat ends the session.
#[utoipa::path(
    post, path = "/v1/auth/refresh", tag = "login", operation_id = "refresh",
    request_body = RefreshBody,
    responses((status = 200, body = SessionView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn refresh(
    State(services): State<Services>,
    guest: Guest,
    body: JsonBody<RefreshBody>,
) -> Answer {
    let token = body.value.refresh_token;
    let session = services.refresh(token.expose_secret(), &guest.origin).await?;
    ok(&SessionView::of(session, services.now()))
}
