//! Counters of one metric that one label tells apart, each looked up once.

use arc_swap::ArcSwap;
use metrics::Counter;

use super::Metric;

/// The counters of a metric by its one label. The values are words of the code, so there are few of them, and a look
/// along the list is quicker than the hash that the macros make.
pub struct Counters {
    metric: Metric,
    label: &'static str,
    known: ArcSwap<Vec<(&'static str, Counter)>>,
}

impl Counters {
    /// Counters that are there from the start for these values of the label, at 0: a rate over a series that comes into
    /// being with its first count would miss that one. Others come into being when they are counted.
    ///
    /// Make it after the recorder is installed.
    pub fn new(metric: Metric, from_start: &[&'static str]) -> Self {
        let label = metric.labels.first().copied().unwrap_or("value");
        let known = from_start
            .iter()
            .map(|value| (*value, Self::register(metric, label, value)))
            .collect();
        Self {
            metric,
            label,
            known: ArcSwap::from_pointee(known),
        }
    }

    /// Counts one.
    pub fn count(&self, value: &'static str) {
        self.add(value, 1);
    }

    /// Counts so many.
    pub fn add(&self, value: &'static str, number: u64) {
        if let Some((_, counter)) = self.known.load().iter().find(|(known, _)| *known == value) {
            counter.increment(number);
            return;
        }
        let counter = Self::register(self.metric, self.label, value);
        counter.increment(number);
        self.known.rcu(|known| {
            let mut grown = Vec::clone(known);
            // Somebody else may have been quicker; it is the same counter.
            if !grown.iter().any(|(known, _)| *known == value) {
                grown.push((value, counter.clone()));
            }
            grown
        });
    }

    fn register(metric: Metric, label: &'static str, value: &'static str) -> Counter {
        metrics::counter!(metric.name, label => value)
    }
}
