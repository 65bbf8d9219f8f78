//! Every chart of the page.

use onsale_report::Limit::{self, Flat, Linear, Told};

/// A chart.
#[derive(Debug)]
pub(super) struct Chart {
    /// How points, files and markers name it.
    pub(super) name: &'static str,
    /// Above it.
    pub(super) title: &'static str,
    /// What grows.
    pub(super) x: &'static str,
    /// What it costs, with its unit.
    pub(super) y: &'static str,
    /// How fast the cost may grow.
    pub(super) limit: Limit,
}

const fn chart(
    name: &'static str,
    limit: Limit,
    title: &'static str,
    x: &'static str,
    y: &'static str,
) -> Chart {
    Chart {
        name,
        title,
        x,
        y,
        limit,
    }
}

/// All charts, in the order of the page.
pub(super) const CHARTS: &[Chart] = &[
    chart(
        "holds-cpu",
        Flat,
        "A hold, as its event fills",
        "open holds in one event",
        "µs of CPU for each hold",
    ),
    chart(
        "holds-memory",
        Flat,
        "Memory of open holds",
        "open holds in one event",
        "bytes for each hold",
    ),
    chart(
        "holds-slowest",
        Linear,
        "The slowest answer while the event fills",
        "open holds in one event",
        "ms",
    ),
    chart(
        "events-memory",
        Flat,
        "Memory of idle events",
        "events",
        "bytes for each event",
    ),
    chart(
        "events-cpu",
        Flat,
        "A hold, beside loaded events",
        "events in memory",
        "µs of CPU for each hold",
    ),
    chart(
        "events-leaving",
        Flat,
        "Idle events leave memory",
        "events",
        "µs of CPU for each event",
    ),
    chart(
        "start",
        Linear,
        "Start beside idle events",
        "events",
        "seconds until ready",
    ),
    chart(
        "start-behind",
        Linear,
        "Start with unprojected events",
        "events",
        "seconds until projected",
    ),
    chart(
        "connections-memory",
        Flat,
        "Memory of connections",
        "idle connections",
        "bytes for each connection",
    ),
    chart(
        "connections-cpu",
        Flat,
        "A hold, beside idle connections",
        "idle connections",
        "µs of CPU for each hold",
    ),
    chart("recovery", Linear, "Reading an event back", "records", "seconds"),
    chart(
        "recovery-memory",
        Linear,
        "Most memory while reading back",
        "records",
        "MiB",
    ),
    chart(
        "recovery-snapshot",
        Linear,
        "Reading back from a snapshot",
        "records after the snapshot",
        "seconds",
    ),
    chart(
        "expiry",
        Linear,
        "Holds that end within one second",
        "holds",
        "ms until all are free",
    ),
    chart(
        "expiry-beside",
        Linear,
        "Other holds meanwhile",
        "holds that end",
        "ms, p99",
    ),
    chart(
        "readers-cpu",
        Flat,
        "An answer about availability",
        "readers",
        "µs of CPU for each answer",
    ),
    chart(
        "readers-sale",
        Told,
        "The sale beside readers",
        "readers, one answer a second each",
        "of the sale alone",
    ),
];

/// The chart of a name.
pub(super) fn find(name: &str) -> Option<&'static Chart> {
    CHARTS.iter().find(|chart| chart.name == name)
}
