//! Waiting between attempts: doubling, bounded and jittered, so that many processes do not knock in step.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(5);

/// The pause after the given number of failures (from 0): between half and all of `FIRST` × 2ⁿ, at most `LONGEST`.
pub(crate) fn pause_after(failures: u32) -> Duration {
    let whole = FIRST.saturating_mul(1 << failures.min(10)).min(LONGEST);
    whole.mul_f64(0.5 + 0.5 * random_unit())
}

/// A number from 0 to 1. Without randomness the pause is merely unjittered.
fn random_unit() -> f64 {
    f64::from(getrandom::u32().unwrap_or(u32::MAX)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_bounded() {
        for failures in 0..100 {
            let whole = FIRST.saturating_mul(1 << failures.min(10)).min(LONGEST);
            let pause = pause_after(failures);
            assert!(pause >= whole / 2 && pause <= whole, "{failures}: {pause:?}");
        }
    }
}
