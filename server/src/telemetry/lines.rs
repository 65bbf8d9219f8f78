//! Log lines that say which request they are about, and which trace, wherever they were written on its behalf.
//!
//! In JSON these stand beside the other fields, so that a collector finds them without knowing what a span is.

use std::fmt::{self, Write as _};

use onsale_engine::at_hand::{AtHand, RequestId};
use onsale_engine::trace::{Place, TraceId};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// A format of lines, and what is added to a line within a request.
pub(super) struct Lines<E> {
    inner: E,
    /// What a line ends with.
    end: &'static str,
    add: fn(&mut String, RequestId, Option<TraceId>),
}

impl<E> Lines<E> {
    /// Around lines of words.
    pub(super) fn text(inner: E) -> Self {
        Self {
            inner,
            end: "\n",
            add: |line, request_id, trace_id| {
                let _ = write!(line, " request_id={}", request_id.as_str());
                if let Some(trace_id) = trace_id {
                    let _ = write!(line, " trace_id={trace_id}");
                }
            },
        }
    }

    /// Around JSON objects.
    pub(super) fn json(inner: E) -> Self {
        Self {
            inner,
            end: "}\n",
            // Neither has a character that would have to be escaped.
            add: |line, request_id, trace_id| {
                let _ = write!(line, ",\"request_id\":\"{}\"", request_id.as_str());
                if let Some(trace_id) = trace_id {
                    let _ = write!(line, ",\"trace_id\":\"{trace_id}\"");
                }
            },
        }
    }
}

impl<S, N, E> FormatEvent<S, N> for Lines<E>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    E: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let at_hand = AtHand::look(|at_hand| {
            let trace_id = at_hand.place.as_ref().map(Place::trace_id);
            (at_hand.request_id, trace_id)
        });
        let Some((request_id, trace_id)) = at_hand else {
            return self.inner.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.inner.format_event(context, Writer::new(&mut line), event)?;
        if let Some(length) = line.strip_suffix(self.end).map(str::len) {
            line.truncate(length);
            (self.add)(&mut line, request_id, trace_id);
            line.push_str(self.end);
        }
        writer.write_str(&line)
    }
}
