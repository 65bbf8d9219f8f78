//! `/.well-known/jwks.json`: the public keys of access tokens, for services that verify them by themselves.

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use onsale_services::Services;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::{Answer, ok};
use crate::auth::Visitor;
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(jwks))
}

/// Read the keys of access tokens
///
/// A JSON Web Key Set (RFC 7517). It is empty where tokens are signed with a secret.
#[utoipa::path(
    get, path = "/.well-known/jwks.json", tag = "login", operation_id = "getTokenKeys",
    responses((status = 200, body = Value))
)]
async fn jwks(State(services): State<Services>, _visitor: Visitor) -> Answer {
    let mut response = ok(&services.tokens().public_keys())?;
    // Shorter than a token's life, so that a new key is known before the old one goes.
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("max-age=300"));
    Ok(response)
}
