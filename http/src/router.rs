//! The public router.

use std::sync::Arc;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use onsale_services::{Clock, Services};
use utoipa::openapi::OpenApi;

use crate::codes::Code;
use crate::edge::{self, CorsOrigin, Edge, Tracing};
use crate::gate::Gate;
use crate::openapi;
use crate::problem::Problem;
use crate::reference;
use crate::state::Api;

/// The public surface over these use cases, behind this gate. Scripts of these origins may read it. Requests are traced
/// as `tracing` says, or not at all.
pub fn router(services: Services, gate: Gate, origins: &[CorsOrigin], tracing: Option<Tracing>) -> Router {
    let (routes, document) = openapi::routes().split_for_parts();
    let clock = gate.clock();
    let routes = routes.with_state(Api::new(services, gate));
    finish(routes, &document, clock, origins, tracing)
}

/// Adds what every public router has: the reference, answers to what is not there, and the edge.
pub(crate) fn finish(
    routes: Router,
    document: &OpenApi,
    clock: Arc<dyn Clock>,
    origins: &[CorsOrigin],
    tracing: Option<Tracing>,
) -> Router {
    let json: Arc<str> = openapi::to_json(document).into();
    let paths = document.paths.paths.keys().cloned();
    let routes_known = paths.chain(["/openapi.json", "/docs"].map(str::to_owned));
    let edge = Edge::new(clock, routes_known, tracing);
    let page_policy = reference::content_security_policy();
    let routes = routes
        .route(
            "/openapi.json",
            get(move || async move { text("application/json", json.to_string()) }),
        )
        .route(
            "/docs",
            get(move || async move {
                let mut page = text("text/html; charset=utf-8", reference::PAGE);
                if let Some(policy) = page_policy {
                    page.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
                }
                page
            }),
        )
        .fallback(|| async { Problem::new(Code::NotFound) })
        .method_not_allowed_fallback(|| async { Problem::new(Code::MethodNotAllowed) });
    // Within the edge, so that answers to a browser's own questions have an id as well.
    let routes = match edge::cors_layer(origins) {
        Some(cors) => routes.layer(cors),
        None => routes,
    };
    routes.layer(edge)
}

fn text(content_type: &'static str, body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=300"));
    response
}
