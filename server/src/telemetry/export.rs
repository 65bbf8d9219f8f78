//! Tells ended spans to a collector, in batches. Nothing waits for it: what comes faster than it can tell is dropped where
//! it ended, and what the collector does not take is counted and forgotten.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use onsale_engine::trace::{self, Side, Span, SpanRef, Value};
use opentelemetry::trace::{Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{RetryPolicy, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanExporter as _, SpanLinks};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::build;
use super::collector::Collector;

/// Spans in one request to the collector.
const BATCH_SPANS: usize = 1_024;
/// How long a batch waits to become larger. The queue before it must have room for what ends meanwhile.
const GATHER: Duration = Duration::from_millis(250);
/// How long a collector may take over a batch.
const TELL_WITHIN: Duration = Duration::from_secs(5);
/// How long telling may go on after everything else has stopped.
const FAREWELL: Duration = Duration::from_secs(2);

/// The task that tells spans.
pub(crate) struct Exporter {
    spans: mpsc::Receiver<Span>,
    collector: SpanExporter,
    scope: InstrumentationScope,
    is_failing: bool,
}

impl Exporter {
    /// Tells `spans` to the collector at this address, as this node's. What the environment says in
    /// `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_EXPORTER_OTLP_HEADERS` is told too.
    pub(crate) fn new(spans: mpsc::Receiver<Span>, endpoint: &str, node_name: &str) -> anyhow::Result<Self> {
        let client = Collector::new(endpoint).context("no certificates to trust for otlp_endpoint")?;
        let mut collector = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_endpoint(endpoint)
            .with_timeout(TELL_WITHIN)
            // Between tries the library would put the thread to sleep, and with it the sale's tasks on it.
            .with_retry_policy(RetryPolicy::disabled())
            .build()
            .context("traces cannot be exported")?;
        let resource = Resource::builder()
            .with_service_name("onsale")
            .with_attributes([
                KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
                KeyValue::new("service.instance.id", node_name.to_owned()),
                KeyValue::new("vcs.ref.head.revision", build::revision()),
            ])
            .build();
        collector.set_resource(&resource);
        Ok(Self {
            spans,
            collector,
            scope: InstrumentationScope::builder("onsale").build(),
            is_failing: false,
        })
    }

    /// Tells spans until told to stop, then what is left of them, for a short time.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let patience = async {
            stop.cancelled().await;
            sleep(FAREWELL).await;
        };
        tokio::select! {
            () = self.work(&stop) => {}
            () = patience => tracing::warn!("the last spans of traces were cut off"),
        }
    }

    async fn work(&mut self, stop: &CancellationToken) {
        let mut batch = Vec::with_capacity(BATCH_SPANS);
        while self.gather(&mut batch, stop).await {
            let spans = std::mem::replace(&mut batch, Vec::with_capacity(BATCH_SPANS));
            self.tell(spans).await;
        }
    }

    /// Waits for spans, and a little longer for more. False when none are left and none will come.
    async fn gather(&mut self, batch: &mut Vec<Span>, stop: &CancellationToken) -> bool {
        let coming = self.spans.recv_many(batch, BATCH_SPANS);
        if stop.run_until_cancelled(coming).await.is_none() {
            self.spans.close();
            return self.spans.recv_many(batch, BATCH_SPANS).await > 0;
        }
        if batch.len() < BATCH_SPANS {
            stop.run_until_cancelled(sleep(GATHER)).await;
            while batch.len() < BATCH_SPANS
                && let Ok(span) = self.spans.try_recv()
            {
                batch.push(span);
            }
        }
        !batch.is_empty()
    }

    async fn tell(&mut self, spans: Vec<Span>) {
        let number = u64::try_from(spans.len()).unwrap_or(u64::MAX);
        let batch = spans.into_iter().map(|span| data(span, &self.scope)).collect();
        let problem = match timeout(TELL_WITHIN, self.collector.export(batch)).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("it took too long".to_owned()),
        };
        let outcome = if problem.is_none() { "exported" } else { "failed" };
        trace::count(outcome, number);
        // Once for each outage: the metric tells how much of it there is.
        match problem {
            Some(problem) if !self.is_failing => {
                tracing::warn!(
                    problem,
                    "the collector does not take traces; sales go on without them"
                );
                self.is_failing = true;
            }
            None if self.is_failing => {
                tracing::info!("the collector takes traces again");
                self.is_failing = false;
            }
            Some(_) | None => {}
        }
    }
}

fn data(span: Span, scope: &InstrumentationScope) -> SpanData {
    let mut links = SpanLinks::default();
    links.links = span
        .link
        .map(|link| Link::with_context(context(link, true)))
        .into_iter()
        .collect();
    SpanData {
        span_context: context(span.itself, false),
        parent_span_id: span
            .parent
            .map_or(SpanId::INVALID, |parent| span_id(parent.get())),
        parent_span_is_remote: span.is_parent_remote,
        span_kind: match span.side {
            Side::Server => SpanKind::Server,
            Side::Client => SpanKind::Client,
            Side::Internal => SpanKind::Internal,
        },
        name: span.name,
        start_time: at(span.began_at_ns),
        end_time: at(span.ended_at_ns),
        attributes: span.attributes.into_iter().map(attribute).collect(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links,
        status: if span.failed {
            Status::error("")
        } else {
            Status::Unset
        },
        instrumentation_scope: scope.clone(),
    }
}

fn context(span: SpanRef, is_remote: bool) -> SpanContext {
    SpanContext::new(
        TraceId::from_bytes(span.trace_id.get().to_be_bytes()),
        span_id(span.span_id.get()),
        TraceFlags::SAMPLED,
        is_remote,
        TraceState::default(),
    )
}

fn span_id(id: u64) -> SpanId {
    SpanId::from_bytes(id.to_be_bytes())
}

fn at(ns: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(ns)
}

fn attribute((name, value): (&'static str, Value)) -> KeyValue {
    match value {
        Value::Text(text) => KeyValue::new(name, text.into_owned()),
        Value::Number(number) => KeyValue::new(name, number),
    }
}
