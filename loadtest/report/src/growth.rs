//! How a cost grows with a size, as an exponent: 0 where it does not, 1 where it grows linearly, 2 with the square.

use serde::{Deserialize, Serialize};

/// Measurements repeat to about this much of an exponent, over all points.
const NOISE: f64 = 0.1;
/// What must not grow may be dearer by this at the largest size than at the smallest, on the line through all points: an
/// exponent alone would let a small one add up over many decades.
const NOISE_TIMES: f64 = 1.5;
/// And this much over the last step, which rests on two points only.
const NOISE_OF_A_STEP: f64 = 0.25;

/// The fastest growth that is allowed.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Not at all.
    Flat,
    /// Linearly.
    Linear,
    /// Told, not judged.
    Told,
}

/// Exponents of the growth of a curve.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Growth {
    /// Over all points: slope of the least-squares line through their logarithms.
    pub overall: f64,
    /// What the largest size costs of what the smallest costs, on that line.
    pub times: f64,
    /// From the last point but one to the last, where a fixed part no longer hides what grows.
    pub last_step: f64,
}

/// The growth of a curve whose points are in the order of their `x`; `None` for fewer than two points, or where a
/// coordinate is not above 0.
pub fn growth(points: &[(f64, f64)]) -> Option<Growth> {
    let [.., last_but_one, last] = points else {
        return None;
    };
    if points.iter().any(|(x, y)| *x <= 0.0 || *y <= 0.0) {
        return None;
    }
    let logarithms: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    #[expect(clippy::cast_precision_loss, reason = "a few points")]
    let count = logarithms.len() as f64;
    let mean_x = logarithms.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = logarithms.iter().map(|(_, y)| y).sum::<f64>() / count;
    let shared: f64 = logarithms.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let spread: f64 = logarithms.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let overall = shared / spread;
    let decades = (last.0 / points[0].0).ln();
    let exponents = Growth {
        overall,
        times: (overall * decades).exp(),
        last_step: (last.1 / last_but_one.1).ln() / (last.0 / last_but_one.0).ln(),
    };
    (exponents.overall.is_finite() && exponents.last_step.is_finite()).then_some(exponents)
}

impl Limit {
    /// Whether this growth is within the limit, but for noise; `None` where it is not judged.
    pub fn is_met(self, growth: Growth) -> Option<bool> {
        let exponent = match self {
            Self::Flat => 0.0,
            Self::Linear => 1.0,
            Self::Told => return None,
        };
        let is_flat = self == Self::Linear || growth.times <= NOISE_TIMES;
        Some(is_flat && growth.overall <= exponent + NOISE && growth.last_step <= exponent + NOISE_OF_A_STEP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A curve through powers of ten.
    fn check(cost: impl Fn(f64) -> f64, limit: Limit, met: Option<bool>) {
        let points: Vec<_> = [1e3, 1e4, 1e5, 1e6].map(|x| (x, cost(x))).to_vec();
        let found = growth(&points).unwrap();
        assert_eq!(limit.is_met(found), met, "{found:?}");
    }

    #[test]
    fn exponents_are_those_of_the_cost() {
        let points: Vec<_> = [10.0, 100.0, 1_000.0]
            .map(|x: f64| (x, 3.0 * x.powf(1.5)))
            .to_vec();
        let found = growth(&points).unwrap();
        assert!(
            (found.overall - 1.5).abs() < 1e-9 && (found.last_step - 1.5).abs() < 1e-9,
            "{found:?}"
        );
    }

    #[test]
    fn growth_is_judged_by_its_limit() {
        check(|_| 5.0, Limit::Flat, Some(true));
        check(f64::sqrt, Limit::Flat, Some(false));
        check(|x| x.powf(0.05), Limit::Flat, Some(true));
        check(|x| x.powf(0.09), Limit::Flat, Some(false));
        check(|x| 7.0 * x, Limit::Linear, Some(true));
        check(|x| x * x, Limit::Linear, Some(false));
        check(|x| x * x, Limit::Told, None);
    }

    #[test]
    fn a_fixed_part_does_not_hide_what_grows_faster_at_the_end() {
        check(|x| 1e9 + x * x, Limit::Linear, Some(false));
    }

    #[test]
    fn what_has_no_logarithm_has_no_growth() {
        assert_eq!(growth(&[(1.0, 1.0)]), None);
        assert_eq!(growth(&[(1.0, 1.0), (2.0, 0.0)]), None);
        assert_eq!(growth(&[(1.0, 1.0), (1.0, 2.0)]), None);
    }
}
