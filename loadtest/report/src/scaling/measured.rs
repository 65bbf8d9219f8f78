//! A chart with its points, its growth and its verdict.

use anyhow::{Context, Result};
use onsale_report::{ChartError, Curve, Curves, Growth, Limit, curve_chart, growth};
use serde::{Deserialize, Serialize};

use super::catalogue::{self, Chart};

/// A point as it is measured and printed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Point {
    /// Name of its chart.
    pub(super) chart: String,
    /// Which curve of the chart.
    pub(super) series: String,
    /// The size.
    pub(super) x: f64,
    /// The cost.
    pub(super) y: f64,
}

/// A chart that was measured.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Measured {
    /// Its name in the catalogue.
    pub(super) chart: String,
    /// Where.
    pub(super) machine: String,
    /// Smaller sizes, shorter rounds.
    pub(super) quick: bool,
    /// The fastest growth that is allowed.
    pub(super) limit: Limit,
    /// Its curves.
    pub(super) series: Vec<Series>,
}

/// A curve.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Series {
    /// Its name.
    pub(super) label: String,
    /// Sizes and costs, in the order of the sizes.
    pub(super) points: Vec<(f64, f64)>,
    /// How the cost grows; `None` where there are too few points.
    pub(super) growth: Option<Growth>,
    /// Whether that is within the limit; `None` where it is not judged.
    pub(super) met: Option<bool>,
}

/// Puts points together by chart and series. Of a point that was measured more than once, the last counts.
pub(super) fn measured(points: &[Point], machine: &str, quick: bool) -> Result<Vec<Measured>> {
    for point in points {
        catalogue::find(&point.chart).with_context(|| format!("no chart is called {}", point.chart))?;
    }
    let of = |chart: &Chart| {
        let points: Vec<&Point> = points.iter().filter(|point| point.chart == chart.name).collect();
        (!points.is_empty()).then(|| Measured {
            chart: chart.name.to_owned(),
            machine: machine.to_owned(),
            quick,
            limit: chart.limit,
            series: series(&points, chart.limit, quick),
        })
    };
    Ok(catalogue::CHARTS.iter().filter_map(of).collect())
}

/// A curve that cannot be judged, such as for want of its larger sizes, counts as missed but in a quick run.
fn series(points: &[&Point], limit: Limit, quick: bool) -> Vec<Series> {
    let mut labels: Vec<&str> = Vec::new();
    for point in points {
        if !labels.contains(&point.series.as_str()) {
            labels.push(&point.series);
        }
    }
    let of = |label: &str| {
        let mut curve: Vec<(f64, f64)> = Vec::new();
        for point in points.iter().filter(|point| point.series == label) {
            curve.retain(|(x, _)| x.total_cmp(&point.x).is_ne());
            curve.push((point.x, point.y));
        }
        curve.sort_by(|a, b| a.0.total_cmp(&b.0));
        let growth = growth(&curve);
        Series {
            label: label.to_owned(),
            points: curve,
            growth,
            met: match growth {
                Some(growth) => limit.is_met(growth),
                None if quick || limit == Limit::Told => None,
                None => Some(false),
            },
        }
    };
    labels.into_iter().map(of).collect()
}

impl Measured {
    /// Whether a curve grows faster than it may.
    pub(super) fn is_missed(&self) -> bool {
        self.series.iter().any(|series| series.met == Some(false))
    }

    /// Its line in the catalogue; `None` for one that a later release dropped.
    pub(super) fn in_catalogue(&self) -> Option<&'static Chart> {
        catalogue::find(&self.chart)
    }

    /// The chart.
    ///
    /// Errors: where no point is above 0.
    pub(super) fn svg(&self) -> Result<String, ChartError> {
        let chart = self.in_catalogue();
        // A logarithmic axis has no 0.
        let above_zero = |point: &&(f64, f64)| point.0 > 0.0 && point.1 > 0.0;
        curve_chart(&Curves {
            title: chart.map_or("", |chart| chart.title).to_owned(),
            x: chart.map_or("", |chart| chart.x).to_owned(),
            y: chart.map_or("", |chart| chart.y).to_owned(),
            curves: self
                .series
                .iter()
                .map(|series| Curve {
                    label: series.label.clone(),
                    points: series.points.iter().filter(above_zero).copied().collect(),
                })
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(chart: &str, series: &str, x: f64, y: f64) -> Point {
        Point {
            chart: chart.to_owned(),
            series: series.to_owned(),
            x,
            y,
        }
    }

    #[test]
    fn points_are_put_together_by_chart_and_series() {
        let points = [
            point("recovery", "local", 1_000.0, 2.0),
            point("recovery", "postgres", 1_000.0, 3.0),
            point("recovery", "local", 100.0, 0.2),
            point("holds-cpu", "one event", 10.0, 3.0),
            point("recovery", "local", 1_000.0, 1.9),
        ];
        let all = measured(&points, "a machine", false).unwrap();
        assert_eq!(all.len(), 2);
        let [holds, recovery] = &all[..] else {
            panic!("{all:?}")
        };
        // One point tells no growth, and what was to be shown was not.
        assert_eq!(
            (holds.chart.as_str(), holds.series[0].met),
            ("holds-cpu", Some(false))
        );
        assert_eq!(recovery.series[0].points, [(100.0, 0.2), (1_000.0, 1.9)]);
        assert_eq!(recovery.series[0].met, Some(true));
        assert_eq!(recovery.series[1].label, "postgres");
        assert_eq!(
            measured(&points, "a machine", true).unwrap()[0].series[0].met,
            None
        );
    }

    #[test]
    fn a_curve_that_grows_too_fast_is_missed_and_drawn() {
        let points = [
            point("holds-cpu", "one event", 10.0, 1.0),
            point("holds-cpu", "one event", 100.0, 9.0),
        ];
        let all = measured(&points, "a machine", false).unwrap();
        assert!(all[0].is_missed());
        assert!(all[0].svg().unwrap().contains("as its event fills"));
    }

    #[test]
    fn a_chart_that_nobody_knows_is_told() {
        assert!(measured(&[point("holds", "x", 1.0, 1.0)], "a machine", false).is_err());
    }
}
