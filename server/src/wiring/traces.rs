//! Traces: from the requests' edge to the collector.

use std::sync::Arc;

use onsale_engine::port::Clock;
use onsale_http::Tracing;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::configuration::Settings;

/// The task that tells traces to the collector.
pub(super) struct Telling {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Telling {
    /// Tells what is left. Call it when nothing is traced any more; it has a time limit of its own.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::warn!(%error, "the task that tells traces failed");
        }
    }
}

/// How requests are traced, and what tells of it; nothing of either where nothing is traced.
#[cfg(feature = "otlp")]
pub(super) fn open(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<(Option<Tracing>, Option<Telling>)> {
    use onsale_engine::trace::Tracer;

    use crate::telemetry::Exporter;

    let Some(wanted) = &settings.traces else {
        return Ok((None, None));
    };
    let (tracer, spans) = Tracer::new(wanted.share, Arc::clone(clock));
    let exporter = Exporter::new(spans, &wanted.endpoint, &settings.node_name)?;
    let stop = CancellationToken::new();
    let task = tokio::spawn(exporter.run(stop.clone()));
    let tracing = Tracing::new(tracer, settings.trusted_proxies.clone());
    Ok((Some(tracing), Some(Telling { stop, task })))
}

/// A program without the feature has no settings to read here: they were refused.
#[cfg(not(feature = "otlp"))]
#[expect(clippy::unnecessary_wraps, reason = "with the feature it can fail")]
pub(super) fn open(_: &Settings, _: &Arc<dyn Clock>) -> anyhow::Result<(Option<Tracing>, Option<Telling>)> {
    Ok((None, None))
}
