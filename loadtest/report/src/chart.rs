//! Charts for the docs, as SVG.

use std::fmt::Display;

use plotters::coord::Shift;
use plotters::prelude::*;
use thiserror::Error;

const SIZE: (u32, u32) = (860, 420);
const FONT: &str = "sans-serif";
/// Told apart also by those who do not tell red from green (Okabe and Ito).
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(213, 94, 0),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
];

/// A chart that could not be drawn.
#[derive(Debug, Error)]
#[error("the chart could not be drawn: {0}")]
pub struct ChartError(String);

/// A bar.
#[derive(Clone, Debug)]
pub struct Bar {
    /// What is beside it.
    pub label: String,
    /// Its length; not negative.
    pub value: f64,
}

/// A line through measured points, in the order of their `x`.
#[derive(Clone, Debug)]
pub struct Curve {
    /// What the legend calls it.
    pub label: String,
    /// Points; both coordinates above 0, since both axes are logarithmic.
    pub points: Vec<(f64, f64)>,
}

/// Curves with their titles.
#[derive(Clone, Debug)]
pub struct Curves {
    /// Above the chart.
    pub title: String,
    /// Under the horizontal axis.
    pub x: String,
    /// Beside the vertical axis.
    pub y: String,
    /// At most 6.
    pub curves: Vec<Curve>,
}

/// Lying bars in the order given, first on top, each with its value beside it.
///
/// Errors: [`ChartError`] where the drawing library refuses.
pub fn bar_chart(title: &str, unit: &str, bars: &[Bar]) -> Result<String, ChartError> {
    let mut svg = String::new();
    let longest = bars.iter().map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max);
    let count = bars.len().max(1);
    // The axis counts from below.
    let bar_at = |row: usize| count.checked_sub(row + 1).and_then(|number| bars.get(number));
    {
        let area = blank(&mut svg)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(title, (FONT, 20))
            .margin(16)
            .x_label_area_size(44)
            .y_label_area_size(230)
            .build_cartesian_2d(0.0..longest * 1.15, (0..count - 1).into_segmented())
            .map_err(failed)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .light_line_style(TRANSPARENT)
            .y_labels(count)
            .label_style((FONT, 14))
            .x_desc(unit)
            .x_label_formatter(&|value| figure(*value))
            .y_label_formatter(&|row| match row {
                SegmentValue::CenterOf(row) => bar_at(*row).map(|bar| bar.label.clone()).unwrap_or_default(),
                SegmentValue::Exact(_) | SegmentValue::Last => String::new(),
            })
            .draw()
            .map_err(failed)?;
        let drawn = (0..count)
            .filter_map(|row| Some((row, bar_at(row)?)))
            .flat_map(|(row, bar)| {
                let colour = COLOURS[(count - row - 1) % COLOURS.len()].filled();
                let from = (0.0, SegmentValue::Exact(row));
                let to = (bar.value, SegmentValue::Exact(row + 1));
                let mut rectangle = Rectangle::new([from, to], colour);
                rectangle.set_margin(6, 6, 0, 0);
                let beside = (bar.value + longest * 0.01, SegmentValue::CenterOf(row));
                [
                    rectangle.into_dyn(),
                    Text::new(figure(bar.value), beside, (FONT, 14)).into_dyn(),
                ]
            });
        chart.draw_series(drawn).map_err(failed)?;
        area.present().map_err(failed)?;
    }
    Ok(svg)
}

/// Curves over two logarithmic axes, so that what grows linearly rises by 45 degrees wherever both axes span as much.
///
/// Errors: [`ChartError`] where there is no point above 0, or the drawing library refuses.
pub fn curve_chart(curves: &Curves) -> Result<String, ChartError> {
    let mut svg = String::new();
    let points = || {
        curves
            .curves
            .iter()
            .flat_map(|curve| curve.points.iter().copied())
    };
    let (x, y) = (span(points().map(|(x, _)| x))?, span(points().map(|(_, y)| y))?);
    {
        let area = blank(&mut svg)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(&curves.title, (FONT, 20))
            .margin(16)
            .x_label_area_size(44)
            .y_label_area_size(80)
            .build_cartesian_2d((x.0..x.1).log_scale(), (y.0..y.1).log_scale())
            .map_err(failed)?;
        chart
            .configure_mesh()
            .label_style((FONT, 14))
            .x_desc(&curves.x)
            .y_desc(&curves.y)
            .x_label_formatter(&|value| figure(*value))
            .y_label_formatter(&|value| figure(*value))
            .draw()
            .map_err(failed)?;
        for (number, curve) in curves.curves.iter().enumerate() {
            let colour = COLOURS[number % COLOURS.len()];
            let line = LineSeries::new(curve.points.iter().copied(), colour.stroke_width(2)).point_size(4);
            chart
                .draw_series(line)
                .map_err(failed)?
                .label(&curve.label)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        }
        let legend = chart
            .configure_series_labels()
            .label_font((FONT, 14))
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .draw();
        legend.map_err(failed)?;
        area.present().map_err(failed)?;
    }
    Ok(svg)
}

fn blank(svg: &mut String) -> Result<DrawingArea<SVGBackend<'_>, Shift>, ChartError> {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE).map_err(failed)?;
    Ok(area)
}

fn failed(error: impl Display) -> ChartError {
    ChartError(error.to_string())
}

/// The whole decades that hold these values.
fn span(values: impl Iterator<Item = f64>) -> Result<(f64, f64), ChartError> {
    let (least, most) = values.fold((f64::INFINITY, 0.0), |(least, most), value| {
        (value.min(least), value.max(most))
    });
    if least <= 0.0 || most <= 0.0 || !least.is_finite() || !most.is_finite() {
        return Err(ChartError("a logarithmic axis needs values above 0".to_owned()));
    }
    let (low, high) = (
        10_f64.powf(least.log10().floor()),
        10_f64.powf(most.log10().ceil()),
    );
    Ok((low, if high > low { high } else { low * 10.0 }))
}

/// A figure as short as it can be read: 1.5k, 20M.
fn figure(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        large if large >= 1e6 => (value / 1e6, "M"),
        large if large >= 1e3 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let digits = if scaled.abs() >= 100.0 {
        0
    } else if scaled.abs() >= 1.0 {
        1
    } else {
        3
    };
    let text = format!("{scaled:.digits$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    format!("{text}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        for (value, told) in [
            (0.0, "0"),
            (0.25, "0.25"),
            (48_900.0, "48.9k"),
            (100_000.0, "100k"),
            (2.5e6, "2.5M"),
        ] {
            assert_eq!(figure(value), told);
        }
    }

    #[test]
    fn a_bar_has_its_label_and_its_value() {
        let bars = ["echo", "Onsale"].map(|label| Bar {
            label: label.to_owned(),
            value: 1_500.0,
        });
        let svg = bar_chart("Holds", "per second", &bars).unwrap();
        for told in ["echo", "Onsale", "1.5k", "Holds", "per second"] {
            assert!(svg.contains(told), "{told}: {svg}");
        }
    }

    #[test]
    fn a_curve_goes_through_its_points_and_stands_in_the_legend() {
        let curve = Curve {
            label: "events".to_owned(),
            points: vec![(1.0, 2.0), (1_000.0, 2_000.0)],
        };
        let curves = Curves {
            title: "Memory".to_owned(),
            x: "events".to_owned(),
            y: "bytes".to_owned(),
            curves: vec![curve],
        };
        let svg = curve_chart(&curves).unwrap();
        assert!(svg.contains("polyline") && svg.contains("Memory"), "{svg}");
        let nothing = Curves {
            curves: Vec::new(),
            ..curves
        };
        assert!(curve_chart(&nothing).is_err());
    }
}
