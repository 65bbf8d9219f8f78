//! `/v1/auth/register`.

use axum::extract::State;
use onsale_services::Services;

use crate::answer::{Answer, created};
use crate::auth::Guest;
use crate::extract::JsonBody;
use crate::problem::ProblemSchema;
use crate::views::{RegistrationBody, SessionView};

/// Make an account
///
/// It may buy at once, and is logged in.
#[utoipa::path(
    post, path = "/v1/auth/register", tag = "login", operation_id = "register",
    request_body = RegistrationBody,
    responses((status = 201, body = SessionView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn register(
    State(services): State<Services>,
    guest: Guest,
    body: JsonBody<RegistrationBody>,
) -> Answer {
    guest.admit_email(&body.value.email).await?;
    let session = services.register(body.value.into_registration()?).await?;
    created(&SessionView::of(session, services.now()))
}
