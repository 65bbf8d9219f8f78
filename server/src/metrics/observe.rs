//! What is read when somebody asks for the metrics: engine, pool, Redis, runtime, process.

use std::sync::{Arc, OnceLock};

use metrics::{counter, gauge};
use metrics_exporter_prometheus::PrometheusHandle;
use metrics_process::Collector;
use onsale_engine::Engine;
use onsale_persistence::{Database, Redis};
use tokio::runtime::Handle;

use super::{
    DATABASE_CONNECTIONS, DATABASE_CONNECTIONS_MAX, READY, REDIS_CONNECTIONS_TOTAL, REDIS_UP,
    RUNTIME_QUEUE_DEPTH, RUNTIME_TASKS, RUNTIME_WORKERS,
};

/// What tells of itself once it runs.
pub(crate) struct Sources {
    pub(crate) engine: Engine,
    pub(crate) database: Database,
    pub(crate) redis: Option<Redis>,
}

/// Answers scrapes.
#[derive(Clone)]
pub(crate) struct Scraper {
    handle: PrometheusHandle,
    sources: Arc<OnceLock<Sources>>,
    process: Collector,
}

impl Scraper {
    pub(crate) fn new(handle: PrometheusHandle) -> Self {
        Self {
            handle,
            sources: Arc::default(),
            process: Collector::default(),
        }
    }

    /// From now on these are asked too. Only the first call counts.
    pub(crate) fn watch(&self, sources: Sources) {
        let _ = self.sources.set(sources);
    }

    /// Every metric as it is now, in the text format.
    pub(crate) fn scrape(&self, is_ready: bool) -> String {
        gauge!(READY.name).set(if is_ready { 1.0 } else { 0.0 });
        if let Some(sources) = self.sources.get() {
            sources.observe();
        }
        observe_runtime();
        self.process.collect();
        self.handle.render()
    }
}

impl Sources {
    fn observe(&self) {
        for currency in self.engine.observe() {
            onsale_services::metrics::describe_currency(currency);
        }
        let connections = self.database.connections();
        gauge!(DATABASE_CONNECTIONS.name, "state" => "in_use").set(connections.in_use);
        gauge!(DATABASE_CONNECTIONS.name, "state" => "idle").set(connections.idle);
        gauge!(DATABASE_CONNECTIONS_MAX.name).set(connections.max);
        if let Some(redis) = &self.redis {
            gauge!(REDIS_UP.name).set(if redis.is_connected() { 1.0 } else { 0.0 });
            counter!(REDIS_CONNECTIONS_TOTAL.name).absolute(redis.connections_made());
        }
    }
}

fn observe_runtime() {
    let runtime = Handle::current().metrics();
    let number = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    gauge!(RUNTIME_WORKERS.name).set(number(runtime.num_workers()));
    gauge!(RUNTIME_TASKS.name).set(number(runtime.num_alive_tasks()));
    gauge!(RUNTIME_QUEUE_DEPTH.name).set(number(runtime.global_queue_depth()));
}
