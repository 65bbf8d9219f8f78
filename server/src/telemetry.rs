//! Logs and metrics of this process.

use std::time::Duration;

use anyhow::Context as _;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use onsale_engine::metrics::{ADMISSION_REJECTED_TOTAL, INVARIANT_VIOLATIONS_TOTAL};
use tracing_subscriber::EnvFilter;

use crate::configuration::{LogFormat, Settings};

/// Always 1; the labels tell the build.
const BUILD_INFO: &str = "onsale_build_info";
/// Buckets of every histogram in seconds: 0.5 ms to 10 s. Without buckets the exporter would make summaries, which
/// cannot be added up over processes.
const BUCKETS_SECONDS: [f64; 14] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// Buckets of the histograms that count records.
const BUCKETS_RECORDS: [f64; 11] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_024.0];
/// The register of invariants.
const INVARIANTS: [&str; 15] = [
    "I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I11", "I12", "I13", "I14", "I15",
];
/// Why the engine refuses commands as overload.
const REJECTIONS: [&str; 4] = ["event_mailbox", "commit_lane", "deadline", "write_behind"];
/// How often the exporter tidies its histograms; without it they grow for ever.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Sends logs to stderr, as the settings say.
pub(crate) fn log_to_stderr(settings: &Settings) -> anyhow::Result<()> {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(&settings.log).context("log directives")?)
        .with_writer(std::io::stderr);
    match settings.log_format {
        LogFormat::Text => builder
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    }
    .map_err(|error| anyhow::anyhow!("cannot set up logging: {error}"))
}

/// Collects metrics from now on; the handle renders them. Must run inside the runtime.
///
/// What must stay at 0 is there from the start: an alert on a series that does not exist never fires.
pub(crate) fn record_metrics() -> anyhow::Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .set_buckets(&BUCKETS_SECONDS)
        .and_then(|builder| {
            builder.set_buckets_for_metric(Matcher::Suffix("_records".to_owned()), &BUCKETS_RECORDS)
        })
        .context("histogram buckets")?
        .install_recorder()
        .context("cannot install the metrics recorder")?;
    onsale_engine::metrics::describe();
    onsale_http::metric_names::describe();
    onsale_services::metrics::describe();
    metrics::describe_gauge!(BUILD_INFO, "Always 1; the labels tell the build.");
    metrics::gauge!(
        BUILD_INFO,
        "version" => env!("CARGO_PKG_VERSION"),
        "profile" => if cfg!(debug_assertions) { "debug" } else { "release" },
    )
    .set(1.0);
    for invariant in INVARIANTS {
        metrics::counter!(INVARIANT_VIOLATIONS_TOTAL, "invariant" => invariant).absolute(0);
    }
    for reason in REJECTIONS {
        metrics::counter!(ADMISSION_REJECTED_TOTAL, "reason" => reason).absolute(0);
    }
    let upkeep = handle.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP_INTERVAL).await;
            upkeep.run_upkeep();
        }
    });
    Ok(handle)
}
