//! The results: a table for people, JSON for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use onsale_report::{LatencySummary, Machine, table};
use serde::Serialize;

use crate::arguments::{Arguments, Share};
use crate::audit::Audit;
use crate::journeys::Journey;
use crate::ledger::Log;
use crate::verdict::Books;

/// Pass or fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Pass,
    Fail,
}

/// One step of a journey.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct StepRow {
    pub(crate) journey: Journey,
    pub(crate) step: &'static str,
    pub(crate) acknowledged: u64,
    pub(crate) refused: u64,
    /// From when it was due.
    pub(crate) latency: LatencySummary,
    pub(crate) refusal_latency: LatencySummary,
}

/// A journey's part of the users.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ShareRow {
    pub(crate) journey: Journey,
    pub(crate) share: u32,
}

/// All that a run found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub(crate) verdict: Verdict,
    /// Why it failed; empty for a pass.
    pub(crate) reasons: Vec<String>,
    pub(crate) address: String,
    /// The machine that the load came from.
    pub(crate) machine: Machine,
    pub(crate) users: u32,
    /// Journeys a second; 0 for a closed loop.
    pub(crate) rate: f64,
    pub(crate) duration_seconds: u32,
    pub(crate) seed: u64,
    pub(crate) journeys: Vec<ShareRow>,
    /// Orders that were acknowledged.
    pub(crate) sales: u64,
    /// Orders of the door's tickets, acknowledged before the run and counted nowhere else.
    pub(crate) sales_before: u64,
    /// Tickets of `sales`.
    pub(crate) tickets: u64,
    /// Sales a second until most (95 of 100) were made.
    pub(crate) goodput_per_second: f64,
    /// Sales in the best second.
    pub(crate) goodput_peak_per_second: u64,
    pub(crate) sales_by_second: Vec<u64>,
    /// Of sales, from when the acknowledged request was due.
    pub(crate) sale_latency: LatencySummary,
    pub(crate) requests: u64,
    pub(crate) retries: u64,
    pub(crate) visits: u64,
    /// Visits that were due and that no user was free for; they are in no latency.
    pub(crate) not_begun: u64,
    pub(crate) refusals: BTreeMap<String, u64>,
    pub(crate) errors: BTreeMap<String, u64>,
    pub(crate) steps: Vec<StepRow>,
    #[serde(flatten)]
    pub(crate) books: Books,
    pub(crate) audit: Audit,
}

/// What is judged beside the log.
pub(crate) struct Findings {
    pub(crate) books: Books,
    pub(crate) audit: Audit,
    pub(crate) sales_before: usize,
    pub(crate) interrupted: bool,
    pub(crate) users: u32,
}

impl Report {
    /// Puts the results together and judges them.
    pub(crate) fn new(arguments: &Arguments, shares: &[Share], log: &Log, findings: Findings) -> Self {
        let steps = log.steps.iter().map(|((journey, step), told)| StepRow {
            journey: *journey,
            step,
            acknowledged: told.acknowledged.count(),
            refused: told.refused.count(),
            latency: told.acknowledged.summary(),
            refusal_latency: told.refused.summary(),
        });
        let sales = count(log.sales.len());
        let mut report = Self {
            verdict: Verdict::Pass,
            reasons: vec![],
            address: arguments.shown_address(),
            machine: Machine::this(),
            users: findings.users,
            rate: arguments.rate,
            duration_seconds: arguments.duration,
            seed: arguments.seed,
            journeys: shares
                .iter()
                .map(|share| ShareRow {
                    journey: share.journey,
                    share: share.weight,
                })
                .collect(),
            sales,
            sales_before: count(findings.sales_before),
            tickets: log.sales.iter().map(|sale| count(sale.ticket_ids.len())).sum(),
            goodput_per_second: log.goodput_per_second(),
            goodput_peak_per_second: log.sales_by_second.iter().copied().max().unwrap_or_default(),
            sales_by_second: log.sales_by_second.clone(),
            sale_latency: log.sale_latency.summary(),
            requests: log.requests,
            retries: log.retries,
            visits: log.visits,
            not_begun: log.not_begun,
            refusals: log.refusals.clone(),
            errors: log.errors.clone(),
            steps: steps.collect(),
            books: findings.books,
            audit: findings.audit,
        };
        report.reasons = report.failures(arguments, findings.interrupted);
        if !report.reasons.is_empty() {
            report.verdict = Verdict::Fail;
        }
        report
    }

    /// Whether everything holds and every threshold is met.
    pub fn passed(&self) -> bool {
        self.verdict == Verdict::Pass
    }

    /// Acknowledged sales a second.
    pub const fn goodput_per_second(&self) -> f64 {
        self.goodput_per_second
    }

    /// The results as programs read them.
    pub fn json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(self)?)
    }

    /// The steps as a table, the figures, the refusals, and the verdict last.
    pub(crate) fn text(&self) -> String {
        let rows: Vec<_> = self.steps.iter().map(row).collect();
        let header = [
            "step",
            "acknowledged",
            "p50 ms",
            "p99 ms",
            "p99.9 ms",
            "max ms",
            "refused",
            "p99 ms",
        ];
        let mut text = table(header, &rows);
        text.push_str("\n\n");
        for (name, value) in self.figures() {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {name:<24} {value}");
        }
        for (title, counts) in [("refusals", &self.refusals), ("errors", &self.errors)] {
            for (name, number) in counts {
                let _ = writeln!(text, "  {title:<12} {number:>11} {name}");
            }
        }
        let _ = write!(text, "\n  {}", self.verdict_line());
        text
    }

    /// Names and values, as table and page show them.
    pub(crate) fn figures(&self) -> Vec<(&'static str, String)> {
        let books = &self.books;
        let latency = &self.sale_latency;
        vec![
            ("load from", self.machine.line()),
            ("capacity", books.capacity.to_string()),
            ("sold", format!("{} by the server's count", books.sold)),
            ("oversold", books.oversold.to_string()),
            (
                "sales acknowledged",
                format!("{} ({} tickets)", self.sales, self.tickets),
            ),
            (
                "lost acknowledgements",
                format!(
                    "{} ({} read back, {} could not be)",
                    books.lost_acknowledgements, books.read_back, books.not_read_back
                ),
            ),
            (
                "goodput",
                format!(
                    "{:.1} sales/s, {} in the best second",
                    self.goodput_per_second, self.goodput_peak_per_second
                ),
            ),
            (
                "latency of sales",
                format!(
                    "p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms",
                    latency.p50_ms, latency.p99_ms, latency.p999_ms
                ),
            ),
            (
                "requests",
                format!("{}, {} of them sent again", self.requests, self.retries),
            ),
            (
                "journeys",
                format!("{} begun, {} had no free user", self.visits, self.not_begun),
            ),
            ("audit", self.audit.line()),
        ]
    }

    /// One line.
    pub(crate) fn verdict_line(&self) -> String {
        match self.verdict {
            Verdict::Pass => match self.audit {
                Audit::NotAsked => "PASS, not audited".to_owned(),
                Audit::Clean | Audit::Findings(_) | Audit::Failed(_) => "PASS".to_owned(),
            },
            Verdict::Fail => format!("FAIL: {}", self.reasons.join("; ")),
        }
    }
}

fn row(step: &StepRow) -> [String; 8] {
    let ms = |ms: f64| {
        if step.acknowledged > 0 {
            format!("{ms:.1}")
        } else {
            "-".to_owned()
        }
    };
    let refused = if step.refused > 0 {
        format!("{:.1}", step.refusal_latency.p99_ms)
    } else {
        "-".to_owned()
    };
    [
        format!("{}: {}", step.journey, step.step),
        step.acknowledged.to_string(),
        ms(step.latency.p50_ms),
        ms(step.latency.p99_ms),
        ms(step.latency.p999_ms),
        ms(step.latency.max_ms),
        step.refused.to_string(),
        refused,
    ]
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
