//! `/.well-known`: the public keys of access tokens and of tickets, for who verifies them without asking us.

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::response::Response;
use onsale_services::Services;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::{Answer, ok};
use crate::auth::Visitor;
use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(jwks))
        .routes(routes!(ticket_keys))
}

/// Read the keys of access tokens
///
/// A JSON Web Key Set (RFC 7517). It is empty where tokens are signed with a secret.
#[utoipa::path(
    get, path = "/.well-known/jwks.json", tag = "login", operation_id = "getTokenKeys",
    responses((status = 200, body = Value))
)]
async fn jwks(State(services): State<Services>, _visitor: Visitor) -> Answer {
    // Shorter than a token's life, so that a new key is known before the old one goes.
    Ok(cached(ok(&services.tokens().public_keys())?, "max-age=300"))
}

/// Read the keys of tickets
///
/// A JSON Web Key Set (RFC 7517), for scanners that verify signed codes without a connection. Keys stay for as long as
/// tickets that they signed let somebody in.
#[utoipa::path(
    get, path = "/.well-known/ticket-keys.json", tag = "catalog", operation_id = "getTicketKeys",
    responses((status = 200, body = Value))
)]
async fn ticket_keys(State(services): State<Services>, _visitor: Visitor) -> Answer {
    Ok(cached(ok(&services.ticket_keys().public_set())?, "max-age=300"))
}

fn cached(mut response: Response, how_long: &'static str) -> Response {
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static(how_long));
    response
}
