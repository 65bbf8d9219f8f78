//! Traces: what took how long, from the request to the projection, for a share of the requests.
//!
//! A traced request carries a [`Place`]; every other carries nothing and pays a look for it. A span is told when it
//! ends, through a bounded queue that an exporter reads. What does not fit is dropped and counted: nothing waits for a
//! trace.
//!
//! These are not spans of the `tracing` crate, because a projection ends long after its request was answered, and a
//! parent there stays open for as long as a child does (ADR 0021).

mod command;
mod ids;
mod open;

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use metrics::Counter;
use tokio::sync::mpsc;

use crate::at_hand::AtHand;
use crate::config::TRACE_QUEUE_SPANS;
use crate::metrics::{Counters, TRACE_SPANS_TOTAL};
use crate::port::Clock;
pub(crate) use command::end_command;
pub use ids::{SpanId, SpanRef, TraceId};
pub use open::{OpenSpan, Place};

/// What became of spans, at 0 from the start.
static TOLD: LazyLock<Counters> =
    LazyLock::new(|| Counters::new(TRACE_SPANS_TOTAL, &["exported", "dropped", "failed"]));

/// Part of what a span is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A word or an id. Never anything that a caller wrote freely.
    Text(Cow<'static, str>),
    /// A number.
    Number(i64),
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// On which side of a call a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Somebody asked us.
    Server,
    /// We ask somebody else.
    Client,
    /// Among ourselves.
    Internal,
}

/// Something that took time and is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Which it is, and of which trace.
    pub itself: SpanRef,
    /// The span that it hangs under.
    pub parent: Option<SpanId>,
    /// Whether the parent is another program's.
    pub is_parent_remote: bool,
    /// A span of another trace that led to it.
    pub link: Option<SpanRef>,
    /// On which side of a call.
    pub side: Side,
    /// What was done; one of few.
    pub name: Cow<'static, str>,
    /// When it began, in nanoseconds since 1970.
    pub began_at_ns: u64,
    /// When it ended, in nanoseconds since 1970.
    pub ended_at_ns: u64,
    /// What it was about.
    pub attributes: Vec<(&'static str, Value)>,
    /// Whether something went wrong on our side.
    pub failed: bool,
}

/// Begins traces. Clones are handles to the same one.
#[derive(Clone)]
pub struct Tracer(Arc<Inner>);

struct Inner {
    spans: mpsc::Sender<Span>,
    dropped: Counter,
    clock: Arc<dyn Clock>,
    ids: ids::Source,
    /// Of 2³² new traces, so many are told.
    share: f64,
}

impl Tracer {
    /// A tracer for this share of the requests (from 0 to 1), and where its spans come out.
    pub fn new(share: f64, clock: Arc<dyn Clock>) -> (Self, mpsc::Receiver<Span>) {
        let (spans, told) = mpsc::channel(TRACE_QUEUE_SPANS);
        let inner = Inner {
            spans,
            dropped: metrics::counter!(TRACE_SPANS_TOTAL.name, "outcome" => "dropped"),
            clock,
            ids: ids::Source::new(),
            share: share * (f64::from(u32::MAX) + 1.0),
        };
        (Self(Arc::new(inner)), told)
    }

    /// An id for a new trace, if the lot falls on it.
    pub fn draw(&self) -> Option<TraceId> {
        let drawn = self.0.ids.next();
        let lot = u32::try_from(drawn >> 32).unwrap_or(u32::MAX);
        (f64::from(lot) < self.0.share).then(|| self.0.ids.trace_id(drawn))
    }

    /// Begins a trace; with a span of another trace that led to it, if one is known.
    pub fn begin(
        &self,
        trace_id: TraceId,
        link: Option<SpanRef>,
        name: impl Into<Cow<'static, str>>,
    ) -> OpenSpan {
        OpenSpan::first(self, trace_id, None, link, name.into())
    }

    /// Goes on with a trace that another program began.
    pub fn join(&self, parent: SpanRef, name: impl Into<Cow<'static, str>>) -> OpenSpan {
        OpenSpan::first(self, parent.trace_id, Some(parent.span_id), None, name.into())
    }

    fn tell(&self, span: Span) {
        if self.0.spans.try_send(span).is_err() {
            self.0.dropped.increment(1);
        }
    }
}

/// Begins a span of the request at hand, if that is traced.
pub fn begin(name: &'static str) -> Option<OpenSpan> {
    AtHand::look(|at_hand| at_hand.place.as_ref().map(|place| place.child(name))).flatten()
}

/// Counts so many spans that an exporter has told, or failed to.
pub fn count(outcome: &'static str, spans: u64) {
    TOLD.add(outcome, spans);
}

pub(crate) fn describe() {
    LazyLock::force(&TOLD);
}
