//! The internal port: `/metrics`, `/livez`, `/readyz`, clearing a quarantine, the drills, and what other processes ask. Up before anything else
//! and down last, so that an operator can always ask what the process is at. It uses hyper alone and shares nothing
//! with the public API.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context as _;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use onsale_domain::EventId;
use onsale_engine::{Drill, Engine};
use tokio::net::TcpListener;

use crate::metrics::Scraper;
use crate::peers::PeerEndpoint;
use crate::readiness::{Phase, Readiness};

/// How long a client may take over its request's head.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// Write-behind lag above which the process is not ready (I8).
const LAG_MS_MAX: u64 = 5_000;

/// State of the internal port.
#[derive(Clone)]
pub(crate) struct Internal {
    pub(crate) metrics: Scraper,
    pub(crate) readiness: Readiness,
    /// Whether drills are answered; off outside trials.
    pub(crate) drills: bool,
    /// Where other processes ask; `None` where there is no secret to know them by.
    pub(crate) peers: Option<Arc<PeerEndpoint>>,
    /// Set once the engine runs.
    pub(crate) engine: Arc<OnceLock<Engine>>,
}

/// The Prometheus text format, which scrapers ask for by its version.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

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
        // Small answers to other processes must not wait for more to send.
        let _ = stream.set_nodelay(true);
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
                // A question goes on without who asked it (ADR 0020).
                .half_close(true)
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

impl Internal {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        match &self.peers {
            Some(peers) if PeerEndpoint::is_for(&request) => peers.answer(request).await,
            Some(_) | None => self.answer_operator(&request),
        }
    }

    fn answer_operator(&self, request: &Request<Incoming>) -> Answer {
        let segments: Vec<_> = request.uri().path().trim_matches('/').split('/').collect();
        match (request.method(), segments.as_slice()) {
            (&Method::GET, ["livez"]) => text(StatusCode::OK, "ok"),
            (&Method::GET, ["readyz"]) => self.readyz(request.uri().query()),
            (&Method::GET, ["metrics"]) => {
                typed(METRICS_TYPE, StatusCode::OK, self.metrics.scrape(self.is_ready()))
            }
            (&Method::POST, ["internal", "drills", "events", event_id, "crash"]) if self.drills => {
                match self.crash(event_id, request.uri().query()) {
                    Ok(answer) => answer,
                    Err(error) => text(StatusCode::BAD_REQUEST, format!("{error:#}")),
                }
            }
            (&Method::POST, ["internal", "events", event_id, "clear-quarantine"]) => {
                match self.clear_quarantine(event_id) {
                    Ok(answer) => answer,
                    Err(error) => text(StatusCode::BAD_REQUEST, format!("{error:#}")),
                }
            }
            (_, _) => text(StatusCode::NOT_FOUND, "not found"),
        }
    }

    fn is_ready(&self) -> bool {
        let is_sound = |engine: &Engine| {
            let status = engine.status();
            status.recovered && status.write_behind_lag_ms <= LAG_MS_MAX
        };
        self.readiness.phase() == Phase::Ready && self.engine.get().is_some_and(is_sound)
    }

    fn readyz(&self, query: Option<&str>) -> Answer {
        let phase = self.readiness.phase();
        let engine = self.engine.get().map(Engine::status);
        let recovered = engine.is_some_and(|engine| engine.recovered);
        let lag_ms = engine.map(|engine| engine.write_behind_lag_ms);
        let ready = self.is_ready();
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
            "recovered": recovered,
            "write_behind_lag_ms": lag_ms,
            "write_behind_lag_ms_max": LAG_MS_MAX,
            "write_behind_lag_records": engine.map(|engine| engine.write_behind_lag_records),
            "active_events": engine.map(|engine| engine.active_events),
        });
        typed("application/json", status, body.to_string())
    }

    /// An operator says that what made the event's actor crash again and again is mended. Nothing happens to an event
    /// that is not paused for that.
    fn clear_quarantine(&self, event_id: &str) -> anyhow::Result<Answer> {
        let event_id = self::event_id(event_id)?;
        let engine = self.engine.get().context("the engine is not running yet")?;
        tracing::warn!(%event_id, "an operator lets the event be loaded again");
        engine.clear_quarantine(event_id);
        Ok(text(StatusCode::OK, "cleared"))
    }

    fn crash(&self, event_id: &str, query: Option<&str>) -> anyhow::Result<Answer> {
        let event_id = self::event_id(event_id)?;
        let drill = match query.unwrap_or_default() {
            "kind=kill" => Drill::Kill,
            "kind=panic" => Drill::Panic,
            other => anyhow::bail!("`{other}` is neither kind=kill nor kind=panic"),
        };
        let engine = self.engine.get().context("the engine is not running yet")?;
        tracing::warn!(%event_id, ?drill, "crashing the event's actor on purpose");
        Ok(if engine.crash_event(event_id, drill) {
            text(StatusCode::OK, "crashed")
        } else {
            text(StatusCode::NOT_FOUND, "no actor runs for this event")
        })
    }
}

/// The id in a path.
fn event_id(segment: &str) -> anyhow::Result<EventId> {
    segment.parse().context("the event id is not a UUID")
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    typed("text/plain; charset=utf-8", status, body)
}

fn typed(content_type: &'static str, status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_named_by_its_id() {
        assert!(event_id("0199d2c4-0000-7000-8000-000000000001").is_ok());
        assert!(event_id("all").is_err());
    }
}
