//! The one layer around all routes: request id, panics, problems, headers, metrics and the log.
//!
//! One layer and not one for each concern, because at the moment of an on-sale the answer "sold out" is little more
//! than this layer.

mod cors;
mod log;
mod metrics;
mod request_id;
mod security;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderName;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use onsale_services::Clock;
use tokio::time::Instant;

use crate::codes::Code;
use crate::problem::Problem;
use crate::rate_limit;
pub(crate) use cors::layer as cors_layer;
pub use cors::{CorsOrigin, NotAnOrigin};
use log::{Outcome, RequestLog};
use metrics::HttpMetrics;
pub(crate) use request_id::RequestId;
use request_id::RequestIds;
use security::Audience;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the layer works with. Cloning it is cheap.
#[derive(Clone)]
pub(crate) struct Edge(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    request_ids: RequestIds,
    metrics: HttpMetrics,
    log: RequestLog,
}

impl Edge {
    /// A layer that records metrics for these routes; others count as `unmatched`.
    pub(crate) fn new(clock: Arc<dyn Clock>, routes: impl IntoIterator<Item = String>) -> Self {
        Self(Arc::new(Inner {
            clock,
            request_ids: RequestIds::new(),
            metrics: HttpMetrics::new(routes),
            log: RequestLog::default(),
        }))
    }
}

/// Answers a request: every answer gets an id, every error is a problem, and nothing below can take the connection
/// down.
pub(crate) async fn around(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let inner = &edge.0;
    let request_id = inner.request_ids.of(request.headers().get(X_REQUEST_ID));
    let audience = Audience::of(&request);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    request.extensions_mut().insert(request_id.clone());
    let work = AssertUnwindSafe(next.run(request)).catch_unwind();
    let (answer, allowance) = rate_limit::noting(work).await;
    let mut response = answer.unwrap_or_else(|_| {
        tracing::error!(request_id = request_id.as_str(), "a handler panicked");
        Problem::new(Code::Internal).into_response()
    });
    let code = if response.status().is_client_error() || response.status().is_server_error() {
        let problem = response
            .extensions_mut()
            .remove::<Problem>()
            .unwrap_or_else(|| Problem::new(Code::of_status(response.status())));
        response = problem.write(request_id.as_str(), inner.clock.now(), response);
        Some(problem.code)
    } else {
        None
    };
    let outcome = Outcome {
        request_id: request_id.as_str(),
        method: &method,
        route: route.as_ref().map(MatchedPath::as_str),
        status: response.status(),
        code,
        duration: started.elapsed(),
    };
    inner
        .metrics
        .record(outcome.route, &method, &response, code, outcome.duration);
    inner.log.write(inner.clock.now(), &outcome);
    let headers = response.headers_mut();
    security::protect(headers, audience);
    if let Some(allowance) = allowance {
        allowance.write(headers);
    }
    headers.insert(X_REQUEST_ID, request_id.into_header());
    response
}
