//! The tables between the markers of the page.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use onsale_report::Limit;

use super::measured::{Measured, Series};

/// Header of [`verdicts`].
pub(super) const VERDICTS: [&str; 6] = ["cost", "curve", "from … to", "grows by x to the", "last step", ""];

/// What stands for a chart in the page, up to [`END`]: `<!-- measured: NAME -->`.
const BEGIN: &str = "<!-- measured: ";
const END: &str = "<!-- end -->";
/// The name of the table of all verdicts.
const SUMMARY: &str = "summary";

/// Writes the tables of the page anew; what has no figures yet stays. Without a page there is nothing to do.
pub(super) fn update(path: &Path, all: &[Measured]) -> Result<()> {
    let Ok(text) = fs::read_to_string(path) else {
        return Ok(());
    };
    fs::write(path, updated(&text, all)?).with_context(|| format!("cannot write {}", path.display()))
}

fn updated(text: &str, all: &[Measured]) -> Result<String> {
    let mut page = String::new();
    let mut rest = text;
    while let Some((before, marked)) = rest.split_once(BEGIN) {
        let (name, marked) = marked.split_once(" -->").context("a marker without its end")?;
        let (old, after) = marked
            .split_once(END)
            .with_context(|| format!("{name} has no {END}"))?;
        ensure!(!old.contains(BEGIN), "{name} has no {END}");
        let fresh = if name == SUMMARY {
            Some(summary(all))
        } else {
            all.iter().find(|chart| chart.chart == name).map(section)
        };
        let body = fresh.map_or_else(|| old.to_owned(), |fresh| format!("\n{fresh}"));
        page.extend([before, BEGIN, name, " -->", &body, END]);
        rest = after;
    }
    page.push_str(rest);
    Ok(page)
}

/// Picture, table and machine of a chart.
fn section(chart: &Measured) -> String {
    let (title, x) = chart
        .in_catalogue()
        .map_or(("", ""), |known| (known.title, known.x));
    let unit = chart.in_catalogue().map_or("", |known| known.y);
    let name = &chart.chart;
    let mut sizes: Vec<f64> = chart
        .series
        .iter()
        .flat_map(|series| &series.points)
        .map(|(x, _)| *x)
        .collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    let labels: Vec<&str> = chart.series.iter().map(|series| series.label.as_str()).collect();
    let row = |size: f64| {
        let at = |series: &Series| {
            let point = series.points.iter().find(|(x, _)| x.total_cmp(&size).is_eq());
            point.map_or_else(String::new, |(_, y)| figure(*y))
        };
        let cells: Vec<String> = chart.series.iter().map(at).collect();
        format!("| {} | {} |", figure(size), cells.join(" | "))
    };
    let rows: Vec<String> = sizes.into_iter().map(row).collect();
    let quick = if chart.quick { ", a quick run" } else { "" };
    [
        format!("![{title}](scaling/{name}.svg)\n"),
        format!("| {x} | {} |", labels.join(" | ")),
        format!("| ---: |{}", " ---: |".repeat(labels.len())),
        rows.join("\n"),
        format!("\n{unit}; {}{quick}\n", chart.machine),
    ]
    .join("\n")
}

fn summary(all: &[Measured]) -> String {
    let mut lines = vec![
        format!("| {} |", VERDICTS.join(" | ")),
        "| --- | --- | --- | ---: | ---: | --- |".to_owned(),
    ];
    lines.extend(
        all.iter()
            .flat_map(verdicts)
            .map(|row| format!("| {} |", row.join(" | "))),
    );
    lines.join("\n") + "\n"
}

/// A row for each curve: its growth, and whether it is within the limit.
pub(super) fn verdicts(chart: &Measured) -> Vec<[String; 6]> {
    let title = chart.in_catalogue().map_or("", |known| known.title);
    let limit = match chart.limit {
        Limit::Flat => "0",
        Limit::Linear => "1",
        Limit::Told => "",
    };
    let row = |series: &Series| {
        let exponent = |of: fn(onsale_report::Growth) -> f64| {
            series
                .growth
                .map_or_else(String::new, |growth| format!("{:.2}", of(growth)))
        };
        let ends = match &series.points[..] {
            [first, .., last] => format!("{} … {}", figure(first.1), figure(last.1)),
            points => points.iter().map(|(_, y)| figure(*y)).collect(),
        };
        let verdict = match series.met {
            Some(true) => format!("at most {limit}: met"),
            Some(false) => format!("at most {limit}: **missed**"),
            None => String::new(),
        };
        [
            title.to_owned(),
            series.label.clone(),
            ends,
            exponent(|growth| growth.overall),
            exponent(|growth| growth.last_step),
            verdict,
        ]
    };
    chart.series.iter().map(row).collect()
}

/// Three digits that count, thousands apart: 10,900, 298, 3.05, 0.0021.
fn figure(value: f64) -> String {
    if value >= 100.0 {
        let digits = format!("{value:.0}");
        let grouped: Vec<&str> = digits
            .as_bytes()
            .rchunks(3)
            .rev()
            .filter_map(|chunk| std::str::from_utf8(chunk).ok())
            .collect();
        return grouped.join(",");
    }
    let decimals: usize = match value {
        tens if tens >= 10.0 => 1,
        ones if ones >= 1.0 => 2,
        parts if parts >= 0.1 => 3,
        _ => 4,
    };
    let text = format!("{value:.decimals$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::measured::{Point, measured};
    use super::*;

    fn charts() -> Vec<Measured> {
        let points = [(1_000.0, 0.25), (10_000.0, 2.5)].map(|(x, y)| Point {
            chart: "recovery".to_owned(),
            series: "local".to_owned(),
            x,
            y,
        });
        measured(&points, "a machine", false).unwrap()
    }

    #[test]
    fn tables_between_markers_are_written_anew_and_the_rest_stays() {
        let page = "# Page\n<!-- measured: recovery -->\nold\n<!-- end -->\ntext\n\
                    <!-- measured: expiry -->\nkept\n<!-- end -->\n<!-- measured: summary --><!-- end -->\n";
        let once = updated(page, &charts()).unwrap();
        for told in [
            "# Page",
            "| 10,000 | 2.5 |",
            "a machine",
            "text",
            "kept",
            "at most 1: met",
        ] {
            assert!(once.contains(told), "{told}: {once}");
        }
        assert!(!once.contains("old\n"));
        assert_eq!(updated(&once, &charts()).unwrap(), once);
    }

    #[test]
    fn a_marker_without_its_end_is_told() {
        assert!(updated("<!-- measured: recovery -->", &charts()).is_err());
        let swallowed = "<!-- measured: recovery --><!-- measured: expiry --><!-- end -->";
        assert!(updated(swallowed, &charts()).is_err());
    }

    #[test]
    fn figures_have_three_digits_that_count() {
        for (value, told) in [
            (10_900.0, "10,900"),
            (1_234_567.0, "1,234,567"),
            (298.4, "298"),
            (3.05, "3.05"),
            (0.25, "0.25"),
            (0.0, "0"),
        ] {
            assert_eq!(figure(value), told);
        }
    }
}
