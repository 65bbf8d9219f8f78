//! How cost grows: points in, charts, tables and verdicts out.
//!
//! A run replaces the charts that it measured and leaves the others as they were. To add a chart: a line in
//! [`catalogue::CHARTS`], its points in `http/benches/scaling`, its marker in `docs/SCALING.md`.

mod catalogue;
mod measured;
mod page;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use onsale_report::{Machine, table};

use measured::{Measured, Point};

/// Reads the points, writes everything, and tells the verdicts on stdout. Exit code 1 where one is missed.
pub(crate) fn run(lines: &Path, into: &Path, quick: bool) -> Result<ExitCode> {
    let text = fs::read_to_string(lines).with_context(|| format!("cannot read {}", lines.display()))?;
    let points = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| serde_json::from_str(line).with_context(|| format!("not a point: {line}")))
        .collect::<Result<Vec<Point>>>()?;
    let fresh = measured::measured(&points, &Machine::this().line(), quick)?;
    fs::create_dir_all(into.join("scaling"))
        .with_context(|| format!("cannot write to {}", into.display()))?;
    for chart in &fresh {
        let path = into.join("scaling").join(format!("{}.svg", chart.chart));
        fs::write(&path, chart.svg()?).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let all = keep(&into.join("scaling.json"), &fresh)?;
    page::update(&into.join("SCALING.md"), &all)?;
    let rows = fresh.iter().flat_map(page::verdicts).collect::<Vec<_>>();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", table(page::VERDICTS, &rows))?;
    let missed = fresh.iter().any(Measured::is_missed);
    Ok(if missed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Writes the charts into the file that keeps them, beside the earlier ones that were not measured again.
fn keep(path: &Path, fresh: &[Measured]) -> Result<Vec<Measured>> {
    let earlier: Vec<Measured> = match fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).with_context(|| format!("cannot read {}", path.display()))?,
        Err(_) => Vec::new(),
    };
    let mut all = Vec::new();
    for chart in catalogue::CHARTS {
        let is = |measured: &&Measured| measured.chart == chart.name;
        all.extend(fresh.iter().find(is).or_else(|| earlier.iter().find(is)).cloned());
    }
    let text = serde_json::to_string_pretty(&all).context("figures are numbers")?;
    fs::write(path, text + "\n").with_context(|| format!("cannot write {}", path.display()))?;
    Ok(all)
}
