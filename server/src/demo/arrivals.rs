//! When buyers come: an open model. Arrivals follow their own schedule and do not wait for answers, as a crowd does
//! not; a slow server gets no mercy.

use std::time::Duration;

use super::random::Random;

/// Stream of the seed that arrivals are drawn from.
const STREAM: u64 = u64::MAX;

/// Instants from the start, in order: as many as buyers, at random over the duration (a Poisson process, given the
/// number of arrivals).
pub(crate) fn schedule(buyers: u32, duration: Duration, seed: u64) -> Vec<Duration> {
    let mut random = Random::new(seed, STREAM);
    let mut arrivals: Vec<_> = (0..buyers).map(|_| duration.mul_f64(random.unit())).collect();
    arrivals.sort_unstable();
    arrivals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_schedule() {
        let duration = Duration::from_secs(10);
        let first = schedule(1_000, duration, 7);
        assert_eq!(first, schedule(1_000, duration, 7));
        assert_ne!(first, schedule(1_000, duration, 8));
    }

    #[test]
    fn arrivals_are_ordered_complete_and_spread_over_the_duration() {
        let duration = Duration::from_secs(10);
        let arrivals = schedule(10_000, duration, 1);
        assert_eq!(arrivals.len(), 10_000);
        assert!(arrivals.is_sorted());
        assert!(arrivals.iter().all(|at| *at < duration));
        for second in 0..10 {
            let of_second = arrivals.iter().filter(|at| at.as_secs() == second).count();
            assert!((850..1_150).contains(&of_second), "{second}: {of_second}");
        }
    }
}
