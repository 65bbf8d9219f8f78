//! Time as the engine sees it.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use onsale_domain::UnixMillis;

/// Tells the time. The engine never reads another clock.
pub trait Clock: Send + Sync + 'static {
    /// The present instant; never earlier than an instant told before.
    fn now(&self) -> UnixMillis;
}

/// The machine's clock: the wall's time at start, moved on by the monotonic clock, so that a wall clock set back or
/// forth while running neither ends a hold early nor keeps it alive.
#[derive(Debug, Clone)]
pub struct SystemClock {
    started: Instant,
    started_at: UnixMillis,
}

impl SystemClock {
    /// A clock set to the wall's time now.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the engine meets the machine's clocks"
    )]
    pub fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let started_at = UnixMillis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX));
        Self {
            started: Instant::now(),
            started_at,
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> UnixMillis {
        self.started_at
            .plus_ms(i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX))
    }
}

/// Measures a duration for a metric.
#[derive(Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "durations of metrics decide nothing")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}
