//! The metrics of this process: what the crates record, what the runtime and the process tell of themselves, and how
//! all of it is rendered.

#[cfg(test)]
mod document_tests;
mod observe;

use std::time::Duration;

use anyhow::Context as _;
use metrics::gauge;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use onsale_engine::metrics::Metric;
use tokio::runtime::Handle;
use tokio::time::Instant;

pub(crate) use observe::{Scraper, Sources};

use crate::peers::{self, PEER_REFUSALS_TOTAL, PEER_REQUEST_DURATION_SECONDS, PEER_REQUESTS_TOTAL};
use crate::telemetry::build;

/// Buckets of every histogram in seconds: 0.5 ms to 10 s. Without buckets the exporter would make summaries, which
/// cannot be added up over processes.
const BUCKETS_SECONDS: [f64; 14] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// Decisions take microseconds: below those of the others, from 1 µs on.
const BUCKETS_DECISIONS: [f64; 9] = [
    0.000_001,
    0.000_002_5,
    0.000_005,
    0.000_01,
    0.000_025,
    0.000_1,
    0.001,
    0.01,
    0.1,
];
/// Buckets of the histograms that count records, to the most that a group commit and about what a projection takes.
const BUCKETS_RECORDS: [f64; 12] = [
    1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 256.0, 1_024.0, 4_096.0, 16_384.0, 32_768.0,
];
/// How often the exporter tidies its histograms, without which they grow for ever; and how long the times are that the
/// runtime's share of work is told of.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

const BUILD_INFO: Metric = Metric::gauge(
    "onsale_build_info",
    &["version", "revision", "profile", "features"],
    "Always 1; the labels tell the build.",
);
const READY: Metric = Metric::gauge(
    "onsale_ready",
    &[],
    "1 while /readyz says that this process may be sent requests, else 0.",
);
const DATABASE_CONNECTIONS: Metric = Metric::gauge(
    "onsale_database_connections",
    &["state"],
    "Connections of the pool to Postgres, in_use or idle. Lanes of the postgres journal have their own.",
);
const DATABASE_CONNECTIONS_MAX: Metric = Metric::gauge(
    "onsale_database_connections_max",
    &[],
    "Connections that the pool to Postgres may have.",
);
const REDIS_UP: Metric = Metric::gauge(
    "onsale_redis_up",
    &[],
    "1 while there is a connection to Redis, else 0; not there where no Redis is configured.",
);
const REDIS_CONNECTIONS_TOTAL: Metric = Metric::counter(
    "onsale_redis_connections_total",
    &[],
    "Connections to Redis that were made: the first, and one after each failure.",
);
const RUNTIME_WORKERS: Metric = Metric::gauge(
    "onsale_runtime_workers",
    &[],
    "Threads of the asynchronous runtime.",
);
const RUNTIME_BUSY_RATIO: Metric = Metric::gauge(
    "onsale_runtime_busy_ratio",
    &[],
    "Share of the last 5 seconds that the runtime's threads worked, from 0 to 1.",
);
const RUNTIME_TASKS: Metric = Metric::gauge(
    "onsale_runtime_tasks",
    &[],
    "Tasks of the asynchronous runtime that are alive.",
);
const RUNTIME_QUEUE_DEPTH: Metric = Metric::gauge(
    "onsale_runtime_queue_depth",
    &[],
    "Tasks that wait in the runtime's global queue.",
);

/// What this crate records of its own.
const OWN: [Metric; 21] = [
    BUILD_INFO,
    READY,
    DATABASE_CONNECTIONS,
    DATABASE_CONNECTIONS_MAX,
    REDIS_UP,
    REDIS_CONNECTIONS_TOTAL,
    RUNTIME_WORKERS,
    RUNTIME_BUSY_RATIO,
    RUNTIME_TASKS,
    RUNTIME_QUEUE_DEPTH,
    PEER_REQUESTS_TOTAL,
    PEER_REQUEST_DURATION_SECONDS,
    PEER_REFUSALS_TOTAL,
    // Names and meanings are those of all Prometheus clients; metrics-process records them.
    Metric::counter(
        "process_cpu_seconds_total",
        &[],
        "CPU time of the process, in whole seconds.",
    ),
    Metric::gauge(
        "process_resident_memory_bytes",
        &[],
        "Memory of the process that is in RAM.",
    ),
    Metric::gauge(
        "process_virtual_memory_bytes",
        &[],
        "Address space of the process.",
    ),
    Metric::gauge(
        "process_virtual_memory_max_bytes",
        &[],
        "Address space that the process may have; 0 where there is no limit.",
    ),
    Metric::gauge("process_open_fds", &[], "Open file descriptors."),
    Metric::gauge("process_max_fds", &[], "File descriptors that may be open."),
    Metric::gauge("process_threads", &[], "Threads of the process."),
    Metric::gauge(
        "process_start_time_seconds",
        &[],
        "When the process started, in seconds since 1970.",
    ),
];

/// All metrics of all crates, as `docs/METRICS.md` lists them.
#[cfg(test)]
fn registers() -> [(&'static str, &'static [Metric]); 4] {
    [
        ("The engine", &onsale_engine::metrics::ALL),
        ("HTTP", &onsale_http::metric_names::ALL),
        ("Payments, jobs, the door, access", &onsale_services::metrics::ALL),
        ("The process", &OWN),
    ]
}

/// Collects metrics from now on; the handle renders them. Must run inside the runtime.
///
/// What must stay at 0 is there from the start: an alert on a series that does not exist never fires.
pub(crate) fn record() -> anyhow::Result<PrometheusHandle> {
    let decisions = onsale_engine::metrics::ACTOR_DECISION_DURATION_SECONDS.name;
    let handle = PrometheusBuilder::new()
        .set_buckets(&BUCKETS_SECONDS)
        .and_then(|builder| {
            builder.set_buckets_for_metric(Matcher::Suffix("_records".to_owned()), &BUCKETS_RECORDS)
        })
        .and_then(|builder| {
            builder.set_buckets_for_metric(Matcher::Full(decisions.to_owned()), &BUCKETS_DECISIONS)
        })
        .context("histogram buckets")?
        .install_recorder()
        .context("cannot install the metrics recorder")?;
    onsale_engine::metrics::describe();
    onsale_http::metric_names::describe();
    onsale_services::metrics::describe();
    for metric in OWN {
        metric.describe();
    }
    gauge!(
        BUILD_INFO.name,
        "version" => env!("CARGO_PKG_VERSION"),
        "revision" => build::revision(),
        "features" => build::features(),
        "profile" => if cfg!(debug_assertions) { "debug" } else { "release" },
    )
    .set(1.0);
    peers::show();
    tokio::spawn(upkeep(handle.clone()));
    Ok(handle)
}

async fn upkeep(handle: PrometheusHandle) {
    let busy_ratio = gauge!(RUNTIME_BUSY_RATIO.name);
    busy_ratio.set(0.0);
    let (mut busy_before, mut since) = (busy(), Instant::now());
    loop {
        tokio::time::sleep(UPKEEP_INTERVAL).await;
        handle.run_upkeep();
        let (busy_now, now) = (busy(), Instant::now());
        let workers = u32::try_from(Handle::current().metrics().num_workers()).unwrap_or(u32::MAX);
        let worked = busy_now.saturating_sub(busy_before).as_secs_f64();
        let share = worked / (now - since).as_secs_f64() / f64::from(workers.max(1));
        // The threads tell how long they were busy only when they go to sleep, so a share may be told too late.
        busy_ratio.set(share.min(1.0));
        (busy_before, since) = (busy_now, now);
    }
}

/// How long all threads of the runtime have worked.
fn busy() -> Duration {
    let runtime = Handle::current().metrics();
    (0..runtime.num_workers())
        .map(|worker| runtime.worker_total_busy_duration(worker))
        .sum()
}
