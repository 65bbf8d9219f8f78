//! Progress for logs and pipes: a line a second, and one at each change of phase.

use std::time::Duration;

use super::{Frame, Phase};

const INTERVAL: Duration = Duration::from_secs(1);

/// Remembers what was told last.
#[derive(Default)]
pub(super) struct Plain {
    told_at: Duration,
    phase: Option<Phase>,
}

impl Plain {
    #[expect(clippy::print_stderr, reason = "progress for people; results go to stdout")]
    pub(super) fn show(&mut self, frame: &Frame) {
        if self.phase != Some(frame.phase) {
            self.phase = Some(frame.phase);
            eprintln!("  {:>5.1} s  {}", frame.elapsed.as_secs_f64(), frame.phase.line());
        }
        if frame.elapsed < self.told_at + INTERVAL {
            return;
        }
        self.told_at = frame.elapsed;
        let latency = frame.latency_ms.map_or_else(
            || "p50 -, p99 -".to_owned(),
            |(p50, p99)| format!("p50 {p50:.1} ms, p99 {p99:.1} ms"),
        );
        let lag = frame.lag.map_or_else(
            || "server away".to_owned(),
            |lag| format!("write-behind {:.0} records", lag.records),
        );
        eprintln!(
            "  {:>5.1} s  {:>6} seats left, {:>6.0} offered/s, {:>6.0} acknowledged/s, {latency}, {lag}, {} retries",
            frame.elapsed.as_secs_f64(),
            frame.seats_left(),
            frame.offered_per_second,
            frame.acknowledged_per_second,
            frame.retries,
        );
    }
}
