//! Metrics of requests. Handles are looked up once for each route, method and status and kept: the macros of the
//! `metrics` crate hash and search at every call.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use axum::response::Response;
use foldhash::fast::FixedState;
use metrics::{Counter, Histogram};

use crate::answer::Pending;
use crate::codes::Code;
use crate::metric_names::{HTTP_REQUEST_DURATION_SECONDS, PURCHASES_TOTAL, failed};
use crate::problem::IDEMPOTENCY_REPLAYED;

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "DELETE", "HEAD", "other"];
const STATUSES: [u16; 23] = [
    200, 201, 202, 204, 304, 400, 401, 402, 403, 404, 405, 408, 409, 410, 412, 413, 415, 422, 428, 429, 500,
    503, 0,
];
const UNMATCHED: &str = "unmatched";

/// The handles of all routes.
pub(crate) struct HttpMetrics {
    /// Nobody but us names routes, so nobody can make them collide.
    routes: HashMap<String, RouteMetrics, FixedState>,
    unmatched: RouteMetrics,
}

/// The handles of one route.
struct RouteMetrics {
    route: String,
    durations: [[OnceLock<Histogram>; STATUSES.len()]; METHODS.len()],
    outcomes: Option<Outcomes>,
}

/// How often each outcome of a purchase came. The engine counts those of holds.
struct Outcomes {
    confirmed: OnceLock<Counter>,
    pending: OnceLock<Counter>,
    replayed: OnceLock<Counter>,
    refused: Vec<OnceLock<Counter>>,
}

impl HttpMetrics {
    pub(crate) fn new(routes: impl IntoIterator<Item = String>) -> Self {
        Self {
            routes: routes
                .into_iter()
                .map(|route| (route.clone(), RouteMetrics::new(route)))
                .collect(),
            unmatched: RouteMetrics::new(UNMATCHED.to_owned()),
        }
    }

    pub(crate) fn record(
        &self,
        route: Option<&str>,
        method: &Method,
        response: &Response,
        code: Option<Code>,
        duration: Duration,
    ) {
        let metrics = route
            .and_then(|route| self.routes.get(route))
            .unwrap_or(&self.unmatched);
        metrics
            .duration(method, response.status())
            .record(duration.as_secs_f64());
        if response.status().is_server_error() {
            failed(response.status());
        }
        if let Some(outcomes) = &metrics.outcomes
            && method == Method::POST
        {
            let replayed = response.headers().contains_key(IDEMPOTENCY_REPLAYED);
            let pending = response.extensions().get::<Pending>().is_some();
            outcomes.counter(code, replayed, pending).increment(1);
        }
    }
}

impl RouteMetrics {
    fn new(route: String) -> Self {
        let outcomes = match route.as_str() {
            "/v1/events/{event_id}/purchases" | "/v1/holds/{hold_id}/checkout" => Some(Outcomes::new()),
            _ => None,
        };
        Self {
            route,
            durations: Default::default(),
            outcomes,
        }
    }

    fn duration(&self, method: &Method, status: StatusCode) -> &Histogram {
        let last = METHODS.len() - 1;
        let method = METHODS[..last]
            .iter()
            .position(|known| *known == method.as_str())
            .unwrap_or(last);
        let last = STATUSES.len() - 1;
        let status = STATUSES[..last]
            .iter()
            .position(|known| *known == status.as_u16())
            .unwrap_or(last);
        self.durations[method][status].get_or_init(|| {
            metrics::histogram!(
                HTTP_REQUEST_DURATION_SECONDS.name,
                "route" => self.route.clone(),
                "method" => METHODS[method],
                "status" => match STATUSES[status] {
                    0 => "other".to_owned(),
                    known => known.to_string(),
                },
            )
        })
    }
}

impl Outcomes {
    fn new() -> Self {
        Self {
            confirmed: OnceLock::new(),
            pending: OnceLock::new(),
            replayed: OnceLock::new(),
            refused: Code::ALL.iter().map(|_| OnceLock::new()).collect(),
        }
    }

    /// The counter of a repeat, of a refusal, or of what was asked for.
    fn counter(&self, code: Option<Code>, replayed: bool, pending: bool) -> &Counter {
        let (name, handle) = match code {
            _ if replayed => ("replayed", &self.replayed),
            Some(code) => (
                code.as_str(),
                self.refused.get(code as usize).unwrap_or(&self.replayed),
            ),
            None if pending => ("pending", &self.pending),
            None => ("confirmed", &self.confirmed),
        };
        handle.get_or_init(|| metrics::counter!(PURCHASES_TOTAL.name, "outcome" => name))
    }
}
