//! Spans that have begun, and the places under which others hang.

use std::borrow::Cow;
use std::sync::Arc;

use tokio::time::Instant;

use super::{Side, Span, SpanId, SpanRef, TraceId, Tracer, Value};

/// A whole trace: what its spans have in common.
struct Whole {
    tracer: Tracer,
    trace_id: TraceId,
    /// The trace's beginning on both clocks: spans are placed by the monotonic one, so that they do not cross.
    began: Instant,
    began_at_ns: u64,
}

impl Whole {
    fn now_ns(&self) -> u64 {
        let since = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.began_at_ns.saturating_add(since)
    }
}

/// A place in a trace: the span under which what comes of it hangs. The span may be over.
#[derive(Clone)]
pub struct Place {
    trace: Arc<Whole>,
    span_id: SpanId,
}

impl Place {
    /// Which trace.
    pub fn trace_id(&self) -> TraceId {
        self.trace.trace_id
    }

    /// Begins a span under this one.
    pub fn child(&self, name: &'static str) -> OpenSpan {
        let trace = Arc::clone(&self.trace);
        OpenSpan(Box::new(Begun {
            span_id: trace.tracer.0.ids.span_id(),
            parent: Some(self.span_id),
            is_parent_remote: false,
            link: None,
            side: Side::Internal,
            name: name.into(),
            began_at_ns: trace.now_ns(),
            attributes: Vec::new(),
            failed: false,
            trace,
        }))
    }
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.trace.trace_id, self.span_id)
    }
}

/// A span that has begun. It ends when it is dropped.
pub struct OpenSpan(Box<Begun>);

struct Begun {
    trace: Arc<Whole>,
    span_id: SpanId,
    parent: Option<SpanId>,
    is_parent_remote: bool,
    link: Option<SpanRef>,
    side: Side,
    name: Cow<'static, str>,
    began_at_ns: u64,
    attributes: Vec<(&'static str, Value)>,
    failed: bool,
}

impl OpenSpan {
    /// The first span of a trace in this process.
    pub(super) fn first(
        tracer: &Tracer,
        trace_id: TraceId,
        parent: Option<SpanId>,
        link: Option<SpanRef>,
        name: Cow<'static, str>,
    ) -> Self {
        let began_at_ms = u64::try_from(tracer.0.clock.now().0).unwrap_or_default();
        let trace = Whole {
            tracer: tracer.clone(),
            trace_id,
            began: Instant::now(),
            began_at_ns: began_at_ms.saturating_mul(1_000_000),
        };
        Self(Box::new(Begun {
            span_id: tracer.0.ids.span_id(),
            parent,
            is_parent_remote: parent.is_some(),
            link,
            side: Side::Server,
            name,
            began_at_ns: trace.began_at_ns,
            attributes: Vec::new(),
            failed: false,
            trace: Arc::new(trace),
        }))
    }

    /// Says something about it.
    pub fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.attributes.push((name, value.into()));
    }

    /// Says that it asks another program.
    #[must_use]
    pub fn asking(mut self) -> Self {
        self.0.side = Side::Client;
        self
    }

    /// Says that something went wrong on our side.
    pub fn fail(&mut self) {
        self.0.failed = true;
    }

    /// Where what comes of it hangs.
    pub fn place(&self) -> Place {
        Place {
            trace: Arc::clone(&self.0.trace),
            span_id: self.0.span_id,
        }
    }
}

impl Drop for OpenSpan {
    fn drop(&mut self) {
        let begun = &mut *self.0;
        begun.trace.tracer.tell(Span {
            itself: SpanRef {
                trace_id: begun.trace.trace_id,
                span_id: begun.span_id,
            },
            parent: begun.parent,
            is_parent_remote: begun.is_parent_remote,
            link: begun.link,
            side: begun.side,
            name: std::mem::take(&mut begun.name),
            began_at_ns: begun.began_at_ns,
            ended_at_ns: begun.trace.now_ns(),
            attributes: std::mem::take(&mut begun.attributes),
            failed: begun.failed,
        });
    }
}
