//! How a measurement is told, the same way by every program here that measures: the machine, latencies, tables in a
//! terminal, charts in the docs.

mod chart;
mod growth;
mod latency;
mod machine;
mod table;

pub use chart::{Bar, ChartError, Curve, Curves, bar_chart, curve_chart};
pub use growth::{Growth, Limit, growth};
pub use latency::{Latencies, LatencySummary};
pub use machine::Machine;
pub use table::table;
