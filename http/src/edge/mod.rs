//! The one layer around all routes: request id, panics, problems, headers, metrics, the log and the first span of a trace.
//!
//! One layer and not one for each concern, because at the moment of an on-sale the answer "sold out" is little more
//! than this layer.

mod cors;
mod log;
mod metrics;
mod request_id;
mod security;
mod trace_parent;
mod traced;

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::extract::{MatchedPath, Request};
use axum::http::header::CONNECTION;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use futures::future::CatchUnwind;
use onsale_services::Clock;
use onsale_services::at_hand::{AtHand, RequestId};
use onsale_services::trace::{OpenSpan, TraceId};
use pin_project_lite::pin_project;
use tokio::task::futures::TaskLocalFuture;
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

use crate::codes::Code;
use crate::problem::Problem;
use crate::rate_limit::{Allowance, Noting, noted, noting};
pub(crate) use cors::layer as cors_layer;
pub use cors::{CorsOrigin, NotAnOrigin};
use log::{Outcome, RequestLog};
use metrics::HttpMetrics;
use request_id::{RequestIds, to_header};
use security::Audience;
pub use traced::Tracing;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the layer works with. Cloning it is cheap.
#[derive(Clone)]
pub(crate) struct Edge(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    request_ids: RequestIds,
    metrics: HttpMetrics,
    log: RequestLog,
    tracing: Option<Tracing>,
}

impl Edge {
    /// A layer that records metrics for these routes; others count as `unmatched`.
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        routes: impl IntoIterator<Item = String>,
        tracing: Option<Tracing>,
    ) -> Self {
        Self(Arc::new(Inner {
            clock,
            request_ids: RequestIds::new(),
            metrics: HttpMetrics::new(routes),
            log: RequestLog::default(),
            tracing,
        }))
    }

    fn begin(&self, request: &Request, route: Option<&MatchedPath>) -> Option<OpenSpan> {
        let tracing = self.0.tracing.as_ref()?;
        tracing.begin(request, route.map(MatchedPath::as_str), self.0.clock.now())
    }
}

impl<S> Layer<S> for Edge {
    type Service = Around<S>;

    fn layer(&self, routes: S) -> Around<S> {
        Around {
            edge: self.clone(),
            routes,
        }
    }
}

/// Routes with the edge around them: every answer gets an id, every error is a problem, and nothing below can take the
/// connection down. Written out, because axum's functions as layers cost every request several allocations.
#[derive(Clone)]
pub(crate) struct Around<S> {
    edge: Edge,
    routes: S,
}

impl<S> Service<Request> for Around<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Answering<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.routes.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let request_id = self.edge.0.request_ids.of(request.headers().get(X_REQUEST_ID));
        let route = request.extensions().get::<MatchedPath>().cloned();
        let span = self.edge.begin(&request, route.as_ref());
        let at_hand = AtHand {
            request_id,
            place: span.as_ref().map(OpenSpan::place),
        };
        let asked = Asked {
            edge: self.edge.clone(),
            started: Instant::now(),
            request_id,
            audience: Audience::of(&request),
            method: request.method().clone(),
            route,
            span,
        };
        let work = at_hand.known_to(self.routes.call(request));
        Answering {
            work: noting(AssertUnwindSafe(work).catch_unwind()),
            asked,
        }
    }
}

pin_project! {
    /// A request on its way through the routes.
    pub(crate) struct Answering<F> {
        #[pin]
        work: Noting<CatchUnwind<AssertUnwindSafe<TaskLocalFuture<AtHand, F>>>>,
        asked: Asked,
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for Answering<F> {
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let response = if let Ok(Ok(response)) = ready!(this.work.as_mut().poll(context)) {
            response
        } else {
            let request_id = this.asked.request_id.as_str();
            let trace_id = this.asked.trace_id().map(tracing::field::display);
            tracing::error!(request_id, trace_id, "a handler panicked");
            Problem::new(Code::Internal).into_response()
        };
        Poll::Ready(Ok(this.asked.answer(response, noted(this.work))))
    }
}

/// What the answer needs of its request.
struct Asked {
    edge: Edge,
    started: Instant,
    request_id: RequestId,
    audience: Audience,
    method: Method,
    route: Option<MatchedPath>,
    span: Option<OpenSpan>,
}

impl Asked {
    fn trace_id(&self) -> Option<TraceId> {
        self.span.as_ref().map(|span| span.place().trace_id())
    }

    fn answer(&mut self, mut response: Response, allowance: Option<Allowance>) -> Response {
        let edge = &self.edge.0;
        let code = if response.status().is_client_error() || response.status().is_server_error() {
            let problem = response
                .extensions_mut()
                .remove::<Problem>()
                .unwrap_or_else(|| Problem::new(Code::of_status(response.status())));
            response = problem.write(self.request_id.as_str(), edge.clock.now(), response);
            Some(problem.code)
        } else {
            None
        };
        let outcome = Outcome {
            request_id: self.request_id.as_str(),
            trace_id: self.trace_id(),
            method: &self.method,
            route: self.route.as_ref().map(MatchedPath::as_str),
            status: response.status(),
            code,
            duration: self.started.elapsed(),
        };
        edge.metrics
            .record(outcome.route, &self.method, &response, code, outcome.duration);
        edge.log.write(edge.clock.now(), &outcome);
        if let Some(span) = self.span.take() {
            traced::end(span, &outcome);
        }
        let headers = response.headers_mut();
        security::protect(headers, self.audience);
        if let Some(allowance) = allowance {
            allowance.write(headers);
        }
        headers.insert(X_REQUEST_ID, to_header(&self.request_id));
        if code == Some(Code::BodyTooLarge) {
            // What is left of the body is not read, so nothing can follow it; said, lest the client sends its next
            // request into a connection that closes.
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
