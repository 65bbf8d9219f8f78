//! What a metric is: the register that names, dashboards and `docs/METRICS.md` are checked against.

use metrics::{describe_counter, describe_gauge, describe_histogram};

/// How a metric's values behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only rises, and starts at 0 with the process.
    Counter,
    /// It is what it is at the moment.
    Gauge,
    /// Counts of observations in buckets, their sum and their number.
    Histogram,
}

impl Kind {
    /// The word of the exposition format.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// One metric: everything that is to be known about it but its values.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// `onsale_<thing>_<unit>`, and `_total` where it is a counter.
    pub name: &'static str,
    /// How its values behave.
    pub kind: Kind,
    /// By what its series are told apart. Never by an event: their number must not grow with the sale.
    pub labels: &'static [&'static str],
    /// One sentence for operators.
    pub help: &'static str,
}

impl Metric {
    /// A number that only rises.
    pub const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self::new(name, Kind::Counter, labels, help)
    }

    /// A number of the moment.
    pub const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self::new(name, Kind::Gauge, labels, help)
    }

    /// Observations in buckets.
    pub const fn histogram(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self::new(name, Kind::Histogram, labels, help)
    }

    const fn new(
        name: &'static str,
        kind: Kind,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self {
            name,
            kind,
            labels,
            help,
        }
    }

    /// Tells the recorder what it means.
    pub fn describe(&self) {
        match self.kind {
            Kind::Counter => describe_counter!(self.name, self.help),
            Kind::Gauge => describe_gauge!(self.name, self.help),
            Kind::Histogram => describe_histogram!(self.name, self.help),
        }
    }
}
