//! The results as a page that needs nothing else: no script, no style from elsewhere.

use std::fmt::Write as _;

use crate::report::Report;

const STYLE: &str = "body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
table{border-collapse:collapse;margin:1rem 0}td,th{border-bottom:1px solid #bbb;padding:.2rem .8rem;text-align:right}\
td:first-child,th:first-child{text-align:left}.left td{text-align:left}";
/// Width and height of the bars of sales by second.
const CHART: (f64, f64) = (860.0, 160.0);
/// Most bars: a long run has one for some seconds together.
const BARS_MAX: usize = 430;

/// The page.
pub(crate) fn page(report: &Report) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Onsale load test</title>\
         <style>{STYLE}</style></head><body>\n<h1>Onsale load test</h1>\n<p><strong>{}</strong></p>\n",
        escaped(&report.verdict_line()),
    );
    let figures = report.figures();
    rows(
        &mut page,
        ["", ""],
        figures
            .iter()
            .map(|(name, value)| [(*name).to_owned(), value.clone()]),
        " class=\"left\"",
    );
    bars(&mut page, &report.sales_by_second);
    let steps = report.steps.iter().map(|step| {
        [
            format!("{}: {}", step.journey, step.step),
            step.acknowledged.to_string(),
            format!("{:.1}", step.latency.p50_ms),
            format!("{:.1}", step.latency.p99_ms),
            format!("{:.1}", step.latency.p999_ms),
            step.refused.to_string(),
        ]
    });
    rows(
        &mut page,
        ["step", "acknowledged", "p50 ms", "p99 ms", "p99.9 ms", "refused"],
        steps,
        "",
    );
    for (title, counts) in [("refusal", &report.refusals), ("error", &report.errors)] {
        let counted = counts
            .iter()
            .map(|(name, number)| [name.clone(), number.to_string()]);
        rows(&mut page, [title, "times"], counted, "");
    }
    page.push_str(
        "<p>Latencies count from when a request was due, not from when it was sent.</p>\n</body></html>\n",
    );
    page
}

fn rows<const COLUMNS: usize>(
    page: &mut String,
    header: [&str; COLUMNS],
    rows: impl Iterator<Item = [String; COLUMNS]>,
    attributes: &str,
) {
    let line = |cells: &[String; COLUMNS], tag: &str| {
        let cells = cells
            .iter()
            .map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell)));
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    };
    // Writing to a String cannot fail.
    let _ = write!(
        page,
        "<table{attributes}>\n{}",
        line(&header.map(str::to_owned), "th")
    );
    rows.for_each(|cells| page.push_str(&line(&cells, "td")));
    page.push_str("</table>\n");
}

/// Sales by second, or by some seconds together, as bars.
#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn bars(page: &mut String, sales: &[u64]) {
    let seconds = sales.len().div_ceil(BARS_MAX).max(1);
    let sales: Vec<u64> = sales.chunks(seconds).map(|sales| sales.iter().sum()).collect();
    let title = if seconds == 1 {
        "Sales by second".to_owned()
    } else {
        format!("Sales by {seconds} seconds")
    };
    let most = sales.iter().copied().max().unwrap_or_default();
    if most == 0 {
        return;
    }
    let (width, height) = (CHART.0 / sales.len() as f64, CHART.1);
    let _ = write!(
        page,
        "<h2>{title}</h2>\n<svg viewBox=\"0 0 {} {height}\" role=\"img\" aria-label=\"{title}, at most {most}\">",
        CHART.0
    );
    for (bar_number, sold) in sales.iter().enumerate() {
        let second = bar_number * seconds;
        let bar = height * *sold as f64 / most as f64;
        let _ = write!(
            page,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{bar:.1}\" fill=\"#0072b2\"><title>from second {second}: {sold}</title></rect>",
            bar_number as f64 * width,
            height - bar,
            (width - 1.0).max(0.5),
        );
    }
    page.push_str("</svg>\n");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_said_is_no_markup() {
        assert_eq!(escaped("<b a=\"1\">&"), "&lt;b a=&quot;1&quot;&gt;&amp;");
    }

    #[test]
    fn the_tallest_bar_is_the_best_second() {
        let mut page = String::new();
        bars(&mut page, &[1, 4]);
        assert!(
            page.contains("height=\"160.0\"") && page.contains("from second 1: 4"),
            "{page}"
        );
        let mut empty = String::new();
        bars(&mut empty, &[0, 0]);
        assert!(empty.is_empty());
    }

    #[test]
    fn a_day_has_no_more_bars_than_the_page_has_room_for() {
        let mut page = String::new();
        let day: Vec<u64> = std::iter::repeat_n(1, 86_400).collect();
        bars(&mut page, &day);
        assert_eq!(page.matches("<rect").count(), 86_400_usize.div_ceil(201));
        assert!(page.contains("Sales by 201 seconds"));
    }
}
