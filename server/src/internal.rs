//! The internal port: `/metrics`, `/livez`, `/readyz` and the drills. Up before anything else and down last, so that
//! an operator can always ask what the process is at. It uses hyper alone and shares nothing with the public API.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context as _;
use futures::future::BoxFuture;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::readiness::{Phase, Readiness};

/// How long a client may take over its request's head.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// Write-behind lag above which the process is not ready (I8).
const LAG_SECONDS_MAX: f64 = 5.0;

/// What the running engine adds to the internal port.
pub(crate) trait Engine: Send + Sync + 'static {
    /// Age of the oldest committed record that is not projected yet.
    fn write_behind_lag_seconds(&self) -> f64;

    /// Crashes the actor of an event; `false` when no actor runs for it.
    fn crash(&self, event_id: Uuid, kind: CrashKind) -> BoxFuture<'_, anyhow::Result<bool>>;
}

/// How a drill ends an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CrashKind {
    /// Ends it between two messages.
    Kill,
    /// Makes it panic in a message.
    Panic,
}

/// State of the internal port.
#[derive(Clone)]
pub(crate) struct Internal {
    pub(crate) metrics: PrometheusHandle,
    pub(crate) readiness: Readiness,
    /// Whether drills are answered; off outside trials.
    pub(crate) drills: bool,
    /// Set once the engine runs.
    pub(crate) engine: Arc<OnceLock<Arc<dyn Engine>>>,
}

type Answer = Response<Full<Bytes>>;

/// Serves until the process ends.
pub(crate) async fn serve(listener: TcpListener, internal: Internal) {
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "internal port: cannot accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let internal = internal.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let internal = internal.clone();
                async move { Ok::<_, Infallible>(internal.answer(request).await) }
            });
            // A client that hangs up early is no event.
            let _ = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_TIMEOUT)
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

impl Internal {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let segments: Vec<_> = request.uri().path().trim_matches('/').split('/').collect();
        match (request.method(), segments.as_slice()) {
            (&Method::GET, ["livez"]) => text(StatusCode::OK, "ok"),
            (&Method::GET, ["readyz"]) => self.readyz(request.uri().query()),
            (&Method::GET, ["metrics"]) => text(StatusCode::OK, self.metrics.render()),
            (&Method::POST, ["internal", "drills", "events", event_id, "crash"]) if self.drills => {
                match self.crash(event_id, request.uri().query()).await {
                    Ok(answer) => answer,
                    Err(error) => text(StatusCode::BAD_REQUEST, format!("{error:#}")),
                }
            }
            (_, _) => text(StatusCode::NOT_FOUND, "not found"),
        }
    }

    fn readyz(&self, query: Option<&str>) -> Answer {
        let phase = self.readiness.phase();
        let lag = self.engine.get().map(|engine| engine.write_behind_lag_seconds());
        let lag_ok = lag.is_some_and(|lag| lag <= LAG_SECONDS_MAX);
        let ready = phase == Phase::Ready && lag_ok;
        let status = if ready {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        let verbose = query.is_some_and(|query| query.split('&').any(|part| part.starts_with("verbose")));
        if !verbose {
            return text(status, if ready { "ok" } else { phase.as_str() });
        }
        let body = serde_json::json!({
            "status": if ready { "ready" } else { "not_ready" },
            "phase": phase.as_str(),
            "migrated": !matches!(phase, Phase::AwaitingDatabase | Phase::AwaitingMigration),
            "recovered": matches!(phase, Phase::Ready | Phase::Draining),
            "write_behind_lag_seconds": lag,
            "write_behind_lag_seconds_max": LAG_SECONDS_MAX,
        });
        let mut answer = text(status, body.to_string());
        answer
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        answer
    }

    async fn crash(&self, event_id: &str, query: Option<&str>) -> anyhow::Result<Answer> {
        let event_id = Uuid::parse_str(event_id).context("the event id is not a UUID")?;
        let kind = match query.unwrap_or_default() {
            "kind=kill" | "" => CrashKind::Kill,
            "kind=panic" => CrashKind::Panic,
            other => anyhow::bail!("`{other}` is neither kind=kill nor kind=panic"),
        };
        let engine = self.engine.get().context("the engine is not running yet")?;
        tracing::warn!(%event_id, ?kind, "drill: crashing the event's actor");
        Ok(if engine.crash(event_id, kind).await? {
            text(StatusCode::ACCEPTED, "crashed")
        } else {
            text(StatusCode::NOT_FOUND, "no actor runs for this event")
        })
    }
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    answer
}
