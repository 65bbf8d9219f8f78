//! What every peer has around it: the token check, the JSON, the statuses.

use std::sync::Arc;

use anyhow::Context as _;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use onsale_domain::{Permission, PermissionSet};
use onsale_services::{TokenKeys, Tokens};
use uuid::Uuid;

use super::wire::{HoldBody, HoldView};
use super::{Outcome, Reservation, Reserve};
use crate::{clock, host};

struct Shell<R> {
    peer: R,
    tokens: Tokens,
}

/// Whose token came with a request. Headers are read where they are, as Onsale reads them.
struct BuyerId(Uuid);

/// There was no good token.
struct Unauthenticated;

impl<R: Reserve> FromRequestParts<Arc<Shell<R>>> for BuyerId {
    type Rejection = Unauthenticated;

    async fn from_request_parts(parts: &mut Parts, shell: &Arc<Shell<R>>) -> Result<Self, Unauthenticated> {
        shell.buyer(&parts.headers).map(Self).ok_or(Unauthenticated)
    }
}

impl IntoResponse for Unauthenticated {
    fn into_response(self) -> Response {
        problem(StatusCode::UNAUTHORIZED, "unauthenticated")
    }
}

/// The routes of a peer.
pub(super) fn router<R: Reserve>(peer: R, token_secret: &str) -> anyhow::Result<Router> {
    let keys = TokenKeys::of_secret(token_secret.as_bytes()).context("the token secret")?;
    let shell = Shell {
        peer,
        tokens: Tokens::new(keys, host::TOKEN_ISSUER, host::TOKEN_AUDIENCE),
    };
    Ok(Router::new()
        .route("/readyz", get(|| async { "ok" }))
        .route("/behind", get(behind::<R>))
        .route("/v1/events/{event_id}/holds", post(hold::<R>))
        .with_state(Arc::new(shell)))
}

async fn hold<R: Reserve>(
    State(shell): State<Arc<Shell<R>>>,
    BuyerId(buyer_id): BuyerId,
    Path(event_id): Path<Uuid>,
    Json(body): Json<HoldBody>,
) -> Response {
    let [line] = body.lines.as_slice() else {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "one_line_only");
    };
    let wanted = Reservation {
        id: Uuid::now_v7(),
        event_id,
        ticket_type_id: line.ticket_type_id,
        buyer_id,
        quantity: line.quantity,
    };
    match shell.peer.reserve(&wanted).await {
        Ok(Outcome::Reserved) => {
            (StatusCode::CREATED, Json(HoldView::of(&wanted, clock::now()))).into_response()
        }
        Ok(Outcome::SoldOut) => problem(StatusCode::CONFLICT, "sold_out"),
        Ok(Outcome::Unknown) => problem(StatusCode::NOT_FOUND, "not_found"),
        Err(error) => {
            eprintln!("a reservation failed: {error:#}");
            problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable")
        }
    }
}

async fn behind<R: Reserve>(State(shell): State<Arc<Shell<R>>>) -> Response {
    match shell.peer.behind().await {
        Ok(behind) => behind.to_string().into_response(),
        Err(_) => problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
    }
}

impl<R> Shell<R> {
    /// Whose token it is: verified and remembered as Onsale does it, with the permission to buy.
    fn buyer(&self, headers: &HeaderMap) -> Option<Uuid> {
        let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let identity = self.tokens.verify(token, clock::now(), rights_of)?;
        let may_buy = identity.rights.has(Permission::TicketsBuy);
        may_buy.then_some(identity.user_id.0)
    }
}

fn rights_of(role: &str) -> PermissionSet {
    if role == "buyer" {
        PermissionSet::EMPTY.with(Permission::TicketsBuy)
    } else {
        PermissionSet::EMPTY
    }
}

fn problem(status: StatusCode, code: &'static str) -> Response {
    let body = serde_json::json!({ "status": status.as_u16(), "code": code });
    let mut response = (status, body.to_string()).into_response();
    let media_type = axum::http::HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}
