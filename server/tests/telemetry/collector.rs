//! A collector: takes OTLP over HTTP, and can be slow or unwilling.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode as SpanStatus;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::support::until;

/// How the collector answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Taking,
    Refusing,
    Hanging,
}

/// A span as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
    /// Empty for none.
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) kind: i32,
    pub(crate) began_at_ns: u64,
    pub(crate) ended_at_ns: u64,
    pub(crate) attributes: BTreeMap<String, String>,
    /// Trace and span.
    pub(crate) links: Vec<(String, String)>,
    pub(crate) failed: bool,
}

impl Told {
    pub(crate) fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

/// All that has arrived.
#[derive(Default)]
struct Arrived {
    requests: u32,
    raw: Vec<u8>,
    resource: BTreeMap<String, String>,
    spans: Vec<Told>,
}

/// A listening collector; gone with this.
pub(crate) struct Collector {
    address: SocketAddr,
    arrived: Arc<Mutex<Arrived>>,
    mood: Arc<Mutex<Mood>>,
    listening: JoinHandle<()>,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let arrived = Arc::<Mutex<Arrived>>::default();
        let mood = Arc::new(Mutex::new(Mood::Taking));
        let (arriving, present) = (Arc::clone(&arrived), Arc::clone(&mood));
        let listening = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (arrived, mood) = (Arc::clone(&arriving), Arc::clone(&present));
                let service = service_fn(move |request| {
                    let mood = *mood.lock().unwrap();
                    answer(request, Arc::clone(&arrived), mood)
                });
                let builder = hyper::server::conn::http1::Builder::new();
                let connection = builder.serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        });
        Self {
            address,
            arrived,
            mood,
            listening,
        }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn set_mood(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// Requests that came, whatever became of them.
    pub(crate) fn requests(&self) -> u32 {
        self.arrived.lock().unwrap().requests
    }

    /// Every byte that came.
    pub(crate) fn raw(&self) -> String {
        String::from_utf8_lossy(&self.arrived.lock().unwrap().raw).into_owned()
    }

    pub(crate) fn resource(&self) -> BTreeMap<String, String> {
        self.arrived.lock().unwrap().resource.clone()
    }

    pub(crate) fn spans(&self) -> Vec<Told> {
        self.arrived.lock().unwrap().spans.clone()
    }

    /// The spans by trace, of those traces whose first span has this name.
    pub(crate) fn traces(&self, first: &str) -> Vec<Vec<Told>> {
        let mut traces: BTreeMap<String, Vec<Told>> = BTreeMap::new();
        for span in self.spans() {
            traces.entry(span.trace_id.clone()).or_default().push(span);
        }
        traces
            .into_values()
            .filter(|spans| spans.iter().any(|span| span.name == first))
            .collect()
    }

    /// Waits for so many traces with a first span of this name and so many spans in all of each; the traces.
    pub(crate) async fn whole_traces(&self, first: &str, number: usize, spans: usize) -> Vec<Vec<Told>> {
        let are_whole =
            |traces: &[Vec<Told>]| traces.len() == number && traces.iter().all(|trace| trace.len() >= spans);
        until("traces have arrived", Duration::from_secs(20), async || {
            are_whole(&self.traces(first))
        })
        .await;
        self.traces(first)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn answer(
    request: Request<Incoming>,
    arrived: Arc<Mutex<Arrived>>,
    mood: Mood,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let is_whole =
        request.uri().path() == "/v1/traces" && request.headers()["content-type"] == "application/x-protobuf";
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let mut status = StatusCode::OK;
    {
        let mut arrived = arrived.lock().unwrap();
        arrived.requests += 1;
        arrived.raw.extend_from_slice(&body);
        match ExportTraceServiceRequest::decode(body) {
            Ok(message) if is_whole && mood == Mood::Taking => {
                message
                    .resource_spans
                    .into_iter()
                    .for_each(|spans| arrived.take(spans));
            }
            Ok(_) if is_whole => status = StatusCode::SERVICE_UNAVAILABLE,
            Ok(_) | Err(_) => status = StatusCode::BAD_REQUEST,
        }
    }
    if mood == Mood::Hanging {
        std::future::pending::<()>().await;
    }
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    Ok(response)
}

impl Arrived {
    fn take(&mut self, spans: ResourceSpans) {
        if let Some(resource) = spans.resource {
            self.resource = texts(resource.attributes);
        }
        for scope in spans.scope_spans {
            self.spans.extend(scope.spans.into_iter().map(told));
        }
    }
}

fn told(span: Span) -> Told {
    let links = span.links.iter();
    Told {
        trace_id: hex(&span.trace_id),
        span_id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        name: span.name,
        kind: span.kind,
        began_at_ns: span.start_time_unix_nano,
        ended_at_ns: span.end_time_unix_nano,
        links: links
            .map(|link| (hex(&link.trace_id), hex(&link.span_id)))
            .collect(),
        attributes: texts(span.attributes),
        failed: span
            .status
            .is_some_and(|status| status.code() == SpanStatus::Error),
    }
}

fn texts(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |attribute: KeyValue| {
        let text = match attribute.value.and_then(|value| value.value) {
            Some(AnyValue::StringValue(text)) => text,
            Some(AnyValue::IntValue(number)) => number.to_string(),
            other => panic!("{}: {other:?}", attribute.key),
        };
        (attribute.key, text)
    };
    attributes.into_iter().map(text).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
