//! A circuit breaker: a provider that does not answer is left alone for a while.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Lets requests through while the provider answers; after so many failures in a row none for a while, then one at a
/// time until one is answered.
#[derive(Debug)]
pub(super) struct Breaker {
    failures_max: u32,
    rest: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Closed {
        failures: u32,
    },
    Open {
        until: Instant,
    },
    /// One request finds out.
    Probing,
}

/// The right to send one request. Dropping it untold counts as no answer: whoever waited gave up.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    breaker: &'a Breaker,
    told: bool,
}

impl Breaker {
    pub(super) const fn new(failures_max: u32, rest: Duration) -> Self {
        Self {
            failures_max,
            rest,
            state: Mutex::new(State::Closed { failures: 0 }),
        }
    }

    /// `None`: not now.
    pub(super) fn admit(&self) -> Option<Permit<'_>> {
        let mut state = self.lock();
        match *state {
            State::Closed { .. } => {}
            State::Open { until } if Instant::now() >= until => *state = State::Probing,
            State::Open { .. } | State::Probing => return None,
        }
        Some(Permit {
            breaker: self,
            told: false,
        })
    }

    /// Whether a request would be held back now. Once the rest is over it would not be: it would find out.
    pub(super) fn is_open(&self) -> bool {
        match *self.lock() {
            State::Closed { .. } => false,
            State::Open { until } => Instant::now() < until,
            State::Probing => true,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answered(&self) {
        *self.lock() = State::Closed { failures: 0 };
    }

    fn failed(&self) {
        let open = State::Open {
            until: Instant::now() + self.rest,
        };
        let mut state = self.lock();
        match &mut *state {
            State::Closed { failures } if *failures + 1 < self.failures_max => *failures += 1,
            State::Closed { .. } | State::Probing => *state = open,
            // Sent before it opened; the rest is not prolonged by those.
            State::Open { .. } => {}
        }
    }
}

impl Permit<'_> {
    /// The provider answered, whatever it said.
    pub(super) fn answered(mut self) {
        self.told = true;
        self.breaker.answered();
    }

    /// It did not.
    pub(super) fn failed(mut self) {
        self.told = true;
        self.breaker.failed();
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if !self.told {
            self.breaker.failed();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const REST: Duration = Duration::from_secs(10);

    fn opened() -> Breaker {
        let breaker = Breaker::new(3, REST);
        for _ in 0..3 {
            breaker.admit().unwrap().failed();
        }
        breaker
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_so_many_failures_in_a_row() {
        let breaker = Breaker::new(3, REST);
        for _ in 0..5 {
            breaker.admit().unwrap().failed();
            breaker.admit().unwrap().failed();
            breaker.admit().unwrap().answered();
        }
        assert!(!breaker.is_open());
        let opened = opened();
        assert!(opened.is_open());
        assert!(opened.admit().is_none());
        advance(REST).await;
        assert!(
            !opened.is_open(),
            "its rest is over, though nobody has asked since"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn after_its_rest_one_request_finds_out() {
        let breaker = opened();
        advance(REST).await;
        let probe = breaker.admit().unwrap();
        assert!(breaker.admit().is_none(), "one at a time");
        probe.failed();
        assert!(breaker.admit().is_none(), "it rests again");
        advance(REST).await;
        breaker.admit().unwrap().answered();
        assert!(breaker.admit().is_some_and(|_| breaker.admit().is_some()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_nobody_waits_for_any_more_does_not_keep_it_shut_for_ever() {
        let breaker = opened();
        advance(REST).await;
        drop(breaker.admit());
        advance(REST).await;
        breaker.admit().unwrap().answered();
        assert!(!breaker.is_open());
    }

    #[tokio::test(start_paused = true)]
    async fn late_failures_do_not_prolong_the_rest() {
        let breaker = Breaker::new(1, REST);
        let (first, late) = (breaker.admit().unwrap(), breaker.admit().unwrap());
        first.failed();
        advance(REST / 2).await;
        late.failed();
        advance(REST / 2).await;
        assert!(breaker.admit().is_some());
    }
}
