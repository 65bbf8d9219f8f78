//! The internal port: for the machine room, never for the public.
//!
//! `/livez` touches nothing; `/readyz` says whether this process should get traffic; `/metrics` renders; the drill
//! crashes an event's actor on purpose, where that is enabled.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use onsale_domain::EventId;
use onsale_services::{Clock, Drill, Services};
use serde::Deserialize;

use crate::codes::Code;
use crate::edge::{self, Edge};
use crate::extract::Id;
use crate::problem::Problem;

/// Renders all metrics in the Prometheus text format.
pub type RenderMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// What readiness follows from, besides the engine. The server sets it as it starts and stops.
#[derive(Debug)]
pub struct Readiness {
    /// Whether the schema was seen to be this release's.
    pub migrated: AtomicBool,
    /// Whether the process is stopping.
    pub draining: AtomicBool,
    /// Bound of the write-behind lag.
    pub write_behind_lag_ms_max: u64,
}

/// What the internal router works with.
#[derive(Clone)]
pub struct Internal {
    /// The use cases.
    pub services: Services,
    /// Readiness.
    pub readiness: Arc<Readiness>,
    /// Renders the metrics.
    pub render_metrics: RenderMetrics,
    /// The clock of the answers.
    pub clock: Arc<dyn Clock>,
    /// Whether actors may be crashed on purpose.
    pub drills: bool,
}

/// The router of the internal port.
pub fn internal_router(internal: Internal) -> Router {
    let edge = Edge::new(Arc::clone(&internal.clock), []);
    let drills = internal.drills;
    let mut router = Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics));
    if drills {
        router = router.route("/internal/drills/events/{event_id}/crash", post(crash));
    }
    router
        .with_state(internal)
        .fallback(|| async { Problem::new(Code::NotFound) })
        .method_not_allowed_fallback(|| async { Problem::new(Code::MethodNotAllowed) })
        .layer(axum::middleware::from_fn_with_state(edge, edge::around))
}

#[derive(Deserialize)]
struct ReadyQuery {
    verbose: Option<String>,
}

/// A failed check is an answer and not an error, so it is plain text like a passed one.
async fn ready(State(internal): State<Internal>, Query(query): Query<ReadyQuery>) -> Response {
    let status = internal.services.status();
    let readiness = &internal.readiness;
    let checks = [
        ("migrated", readiness.migrated.load(Ordering::Relaxed)),
        ("recovered", status.recovered),
        (
            "write_behind_lag",
            status.write_behind_lag_ms <= readiness.write_behind_lag_ms_max,
        ),
        ("not_draining", !readiness.draining.load(Ordering::Relaxed)),
    ];
    let is_ready = checks.iter().all(|(_, passed)| *passed);
    let mut text = String::new();
    if query.verbose.is_some() {
        for (name, passed) in checks {
            text.push_str(if passed { "[+]" } else { "[-]" });
            text.push_str(name);
            text.push('\n');
        }
        let _ = write!(
            text,
            "write_behind_lag_ms {}\nwrite_behind_lag_records {}\nactive_events {}\n",
            status.write_behind_lag_ms, status.write_behind_lag_records, status.active_events
        );
    }
    text.push_str(if is_ready { "ready\n" } else { "not ready\n" });
    let status = if is_ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, text).into_response()
}

async fn metrics(State(internal): State<Internal>) -> Response {
    let content_type = "text/plain; version=0.0.4; charset=utf-8";
    (
        [(header::CONTENT_TYPE, content_type)],
        (internal.render_metrics)(),
    )
        .into_response()
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CrashKind {
    Kill,
    Panic,
}

#[derive(Deserialize)]
struct CrashQuery {
    kind: CrashKind,
}

/// Crashes an event's actor. 404 when it is not in memory.
async fn crash(
    State(internal): State<Internal>,
    Id(event_id): Id<EventId>,
    Query(query): Query<CrashQuery>,
) -> Result<&'static str, Problem> {
    let drill = match query.kind {
        CrashKind::Kill => Drill::Kill,
        CrashKind::Panic => Drill::Panic,
    };
    if internal.services.crash_event(event_id, drill) {
        tracing::warn!(%event_id, "an event's actor was crashed on purpose");
        Ok("crashed\n")
    } else {
        Err(Problem::new(Code::NotFound))
    }
}
