//! Traces for a benchmark, where it is to be seen what they cost.

use std::sync::Arc;

use onsale_engine::port::Clock;
use onsale_engine::trace::Tracer;
use onsale_http::Tracing;

/// The share of the requests that is traced; without it none is, as in a server without a collector.
const SHARE: &str = "ONSALE_BENCH_TRACE_RATIO";
/// Spans that are taken at once, as the exporter does.
const BATCH_SPANS: usize = 1_024;

/// Traces that are made, fetched and thrown away: the cost of the requests, not of the collector.
pub fn tracing(clock: &Arc<dyn Clock>) -> Option<Tracing> {
    let share = std::env::var(SHARE).ok()?.parse().unwrap();
    let (tracer, mut spans) = Tracer::new(share, Arc::clone(clock));
    tokio::spawn(async move {
        let mut batch = Vec::with_capacity(BATCH_SPANS);
        while spans.recv_many(&mut batch, BATCH_SPANS).await > 0 {
            batch.clear();
        }
    });
    Some(Tracing::new(tracer, Vec::new()))
}
