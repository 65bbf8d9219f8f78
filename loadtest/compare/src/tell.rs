//! What came of it: tables, Markdown and a chart.

use onsale_report::{Bar, bar_chart, table};

use crate::contender::{Contender, Operation};
use crate::figures::{Crash, Figures, SeriesFigures, Workload};

/// Between these the page's figures are replaced.
const BEGIN: &str = "<!-- figures: written by `cargo xtask compare --record` -->";
const END: &str = "<!-- end of figures -->";
const MIB: u64 = 1 << 20;

/// A table, however it is shown.
struct Tabled<const COLUMNS: usize> {
    title: String,
    header: [&'static str; COLUMNS],
    rows: Vec<[String; COLUMNS]>,
}

/// For a terminal.
pub(crate) fn terminal(figures: &Figures) -> String {
    let mut parts = vec![format!("{}\n", heading(figures))];
    for workload in &figures.workloads {
        parts.extend([show(&ceilings(workload)), show(&costs(workload))]);
    }
    parts.push(show(&crashes(&figures.crashes)));
    let problems = figures.problems.iter();
    parts.extend(problems.map(|problem| format!("\nPROBLEM: {problem}")));
    parts.concat()
}

/// For the docs, with a chart that is beside them.
pub(crate) fn markdown(figures: &Figures, chart: Option<&str>) -> String {
    let mut parts = vec![format!("{}\n\n", heading(figures))];
    parts
        .extend(chart.map(|chart| format!("![Acknowledged tickets a second on one hot event]({chart})\n\n")));
    for workload in &figures.workloads {
        parts.extend([marked_down(&ceilings(workload)), marked_down(&costs(workload))]);
    }
    parts.push(marked_down(&crashes(&figures.crashes)));
    let problems = figures.problems.iter();
    parts.extend(problems.map(|problem| format!("**Problem**: {problem}\n\n")));
    parts.concat()
}

/// A page with its figures replaced, or figures with marks around them where the page has none.
pub(crate) fn into_page(page: &str, figures: &str) -> String {
    let marked = format!("{BEGIN}\n{figures}{END}");
    match (page.split_once(BEGIN), page.split_once(END)) {
        (Some((before, _)), Some((_, after))) => format!("{before}{marked}{after}"),
        _ => format!("{page}{marked}\n"),
    }
}

/// The ceilings of the hot event.
pub(crate) fn svg(figures: &Figures) -> anyhow::Result<String> {
    let series = figures
        .workloads
        .first()
        .into_iter()
        .flat_map(|workload| &workload.series);
    let bars: Vec<Bar> = series
        .map(|series| Bar {
            label: series.label.clone(),
            value: series.ceiling,
        })
        .collect();
    let unit = format!("acknowledged a second, {}", figures.machine.line());
    Ok(bar_chart(
        "One hot event: best of all numbers of connections",
        &unit,
        &bars,
    )?)
}

/// Whether every check passed. What others lose is no failure of the comparison; what Onsale loses is.
pub(crate) fn is_good(figures: &Figures) -> bool {
    let ours = [Contender::OnsaleLocal.label(), Contender::OnsalePostgres.label()];
    let mut crashes = figures.crashes.iter();
    figures.problems.is_empty()
        && crashes.all(|crash| !ours.contains(&crash.label.as_str()) || crash.verdict.is_clean())
}

fn heading(figures: &Figures) -> String {
    let run = if figures.quick { "Short run" } else { "Full run" };
    let day = onsale_domain::UnixMillis(figures.ended_at_ms)
        .to_timestamp()
        .to_string();
    format!(
        "{run} on {}: {}; Postgres {}. Clients, servers, Postgres and Redis shared the processors.",
        day.get(..10).unwrap_or(&day),
        figures.machine.line(),
        figures.postgres
    )
}

fn name(workload: &Workload) -> String {
    match workload.events {
        1 => "One hot event".to_owned(),
        events => format!("{events} events"),
    }
}

fn keeps_rows(series: &SeriesFigures) -> bool {
    series.series.operation != Operation::Echo
}

fn ceilings(workload: &Workload) -> Tabled<8> {
    let at = |series: &SeriesFigures, connections| {
        let per_second = series.per_second.get(&connections);
        per_second.map_or_else(|| "-".to_owned(), |per_second| format!("{per_second:.0}"))
    };
    let rows = workload.series.iter().map(|series| {
        [
            series.label.clone(),
            at(series, 8),
            at(series, 64),
            at(series, 256),
            at(series, 1_024),
            if keeps_rows(series) {
                format!("{:.0}", series.ceiling_with_rows)
            } else {
                "-".to_owned()
            },
            format!("{:.2}", series.to_echo),
            series
                .pool
                .map_or_else(|| "-".to_owned(), |pool| pool.to_string()),
        ]
    });
    Tabled {
        title: format!("{}: acknowledged a second, by connections", name(workload)),
        header: [
            "contender",
            "8",
            "64",
            "256",
            "1,024",
            "best, with rows written",
            "best / echo's best",
            "pool",
        ],
        rows: rows.collect(),
    }
}

fn costs(workload: &Workload) -> Tabled<9> {
    let rows = workload.series.iter().map(|series| {
        let latency = |of: fn(&onsale_report::LatencySummary) -> f64| {
            let summary = series.half_load.as_ref();
            summary.map_or_else(|| "-".to_owned(), |summary| format!("{:.2}", of(summary)))
        };
        [
            series.label.clone(),
            latency(|summary| summary.p50_ms),
            latency(|summary| summary.p99_ms),
            latency(|summary| summary.p999_ms),
            format!("{:.0}", series.server_us),
            format!("{:.0}", series.postgres_us),
            format!("{:.0}", series.redis_us),
            if keeps_rows(series) {
                format!("{:.2}", series.drain_seconds)
            } else {
                "-".to_owned()
            },
            (series.memory_bytes_max / MIB).to_string(),
        ]
    });
    Tabled {
        title: format!(
            "{}: latency at half of each one's best, and cost of an acknowledgement at the best",
            name(workload)
        ),
        header: [
            "contender",
            "p50 ms",
            "p99 ms",
            "p99.9 ms",
            "server CPU µs",
            "Postgres CPU µs",
            "Redis CPU µs",
            "drained after s",
            "memory MiB",
        ],
        rows: rows.collect(),
    }
}

fn crashes(crashes: &[Crash]) -> Tabled<8> {
    let rows = crashes.iter().map(|crash| {
        let killed = if crash.redis_too {
            "server and Redis"
        } else {
            "server"
        };
        [
            crash.label.clone(),
            killed.to_owned(),
            crash.capacity.to_string(),
            crash.acknowledged.to_string(),
            crash.verdict.rows.to_string(),
            crash.verdict.lost.to_string(),
            crash.verdict.oversold.to_string(),
            crash.outcome_unknown.to_string(),
        ]
    });
    Tabled {
        title: "kill -9 in the middle of a sale: what was left".to_owned(),
        header: [
            "contender",
            "killed",
            "capacity",
            "acknowledged",
            "rows",
            "lost",
            "oversold",
            "outcome unknown",
        ],
        rows: rows.collect(),
    }
}

fn show<const COLUMNS: usize>(tabled: &Tabled<COLUMNS>) -> String {
    format!("\n{}\n{}\n", tabled.title, table(tabled.header, &tabled.rows))
}

fn marked_down<const COLUMNS: usize>(tabled: &Tabled<COLUMNS>) -> String {
    let line = |cells: &[&str]| format!("| {} |\n", cells.join(" | "));
    let mut text = format!("### {}\n\n{}", tabled.title, line(&tabled.header));
    let mut rule = vec!["---:"; COLUMNS];
    if let Some(first) = rule.first_mut() {
        *first = "---";
    }
    text += &line(&rule);
    for row in &tabled.rows {
        text += &line(&row.each_ref().map(String::as_str));
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_replace_those_of_before_and_leave_the_page() {
        let page = format!("# Page\n\n{BEGIN}\nold\n{END}\n\nAfter.\n");
        let written = into_page(&page, "new\n");
        assert_eq!(written, format!("# Page\n\n{BEGIN}\nnew\n{END}\n\nAfter.\n"));
        assert_eq!(into_page(&written, "new\n"), written);
    }

    #[test]
    fn a_page_without_marks_gets_them() {
        assert_eq!(
            into_page("# Page\n", "new\n"),
            format!("# Page\n{BEGIN}\nnew\n{END}\n")
        );
    }
}
