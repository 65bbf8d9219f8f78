//! The public router.

use std::sync::Arc;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use onsale_services::{Clock, Services};
use utoipa::openapi::OpenApi;

use crate::codes::Code;
use crate::edge::{self, Edge};
use crate::gate::Gate;
use crate::openapi;
use crate::problem::Problem;
use crate::state::Api;

/// The public surface over these use cases, behind this gate.
pub fn router(services: Services, gate: Gate) -> Router {
    let (routes, document) = openapi::routes().split_for_parts();
    let clock = gate.clock();
    finish(routes.with_state(Api::new(services, gate)), &document, clock)
}

/// Adds what every public router has: the reference, answers to what is not there, and the edge.
pub(crate) fn finish(routes: Router, document: &OpenApi, clock: Arc<dyn Clock>) -> Router {
    let json: Arc<str> = openapi::to_json(document).into();
    let paths = document.paths.paths.keys().cloned();
    let edge = Edge::new(clock, paths.chain(["/openapi.json", "/docs"].map(str::to_owned)));
    routes
        .route(
            "/openapi.json",
            get(move || async move { text("application/json", json.to_string()) }),
        )
        .route(
            "/docs",
            get(|| async { text("text/html; charset=utf-8", openapi::REFERENCE_PAGE) }),
        )
        .fallback(|| async { Problem::new(Code::NotFound) })
        .method_not_allowed_fallback(|| async { Problem::new(Code::MethodNotAllowed) })
        .layer(axum::middleware::from_fn_with_state(edge, edge::around))
}

fn text(content_type: &'static str, body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=300"));
    response
}
