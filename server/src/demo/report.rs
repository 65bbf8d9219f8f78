//! The verdict for people: the numbers, what they show, and how to go on.

use std::fmt::Write as _;

use super::Outcome;
use super::plan::{Crash, Plan};
use super::verdict::{self, Verdict};

/// A readable report.
pub(crate) fn text(plan: &Plan, outcome: &Outcome) -> String {
    let verdict = &outcome.verdict;
    let mut text = String::from("\n");
    for (name, value, meaning) in rows(verdict) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name:<24} {value:>12}  {meaning}");
    }
    let turned_away: Vec<_> = outcome
        .clients
        .refusals
        .iter()
        .map(|(code, count)| format!("{count} {code}"))
        .collect();
    let _ = writeln!(text, "\n  turned away: {}", turned_away.join(", "));
    for finding in &outcome.audit.findings {
        let _ = writeln!(
            text,
            "  audit: {} does not hold at record {} of event {}: {}",
            finding.invariant, finding.seq, finding.event_id, finding.what
        );
    }
    let _ = match verdict.verdict {
        verdict::Outcome::Pass => writeln!(text, "\n  PASS: {}", shown(plan, outcome)),
        verdict::Outcome::Fail => writeln!(
            text,
            "\n  FAIL: look at the numbers above and at {}",
            plan.directory.join("serve.log").display()
        ),
    };
    text.push_str(
        "\n  Go on: onsale demo --crash process      kill -9 on the whole server instead of the actor\n\
         \x20        onsale demo --seed 7             another storm\n\
         \x20        onsale serve --help              run it for real, on your own Postgres",
    );
    text
}

fn rows(verdict: &Verdict) -> Vec<(&'static str, String, &'static str)> {
    let recovery = verdict
        .recovery_ms
        .map_or_else(|| "-".to_owned(), |millis| format!("{millis:.1}"));
    vec![
        ("capacity", verdict.capacity.to_string(), "seats, in two quotas"),
        ("sold", verdict.sold.to_string(), "valid tickets in Postgres"),
        ("oversold", verdict.oversold.to_string(), "must be 0"),
        (
            "duplicate_seats",
            verdict.duplicate_seats.to_string(),
            "must be 0",
        ),
        (
            "lost_acknowledgements",
            verdict.lost_acknowledgements.to_string(),
            "orders that clients have and Postgres has not; must be 0",
        ),
        (
            "captured_minor",
            verdict.captured_minor.to_string(),
            "money taken",
        ),
        (
            "orders_minor",
            verdict.orders_minor.to_string(),
            "must equal the money taken",
        ),
        (
            "offered_per_second",
            format!("{:.1}", verdict.offered_per_second),
            "buyers arriving",
        ),
        (
            "acknowledged_per_second",
            format!("{:.1}", verdict.acknowledged_per_second),
            "orders, until 95 % of them were placed",
        ),
        (
            "p50_ms",
            format!("{:.1}", verdict.p50_ms),
            "from the scheduled arrival to the order",
        ),
        (
            "p99_ms",
            format!("{:.1}", verdict.p99_ms),
            "crash and retries included",
        ),
        ("p999_ms", format!("{:.1}", verdict.p999_ms), ""),
        (
            "recovery_ms",
            recovery,
            "from the crash to the first order after it",
        ),
    ]
}

fn shown(plan: &Plan, outcome: &Outcome) -> String {
    let crash = match plan.crash {
        Crash::None => "nothing was crashed",
        Crash::Actor => "the event's actor was killed midway and rebuilt from the journal",
        Crash::Process => "the serving process was killed with kill -9 midway and started again",
    };
    format!(
        "{} buyers wanted {} seats; {crash}; every one of the {} orders that a client was told it has is in \
         {}, no seat was sold twice, and the books agree ({} records audited).",
        plan.buyers,
        plan.capacity,
        outcome.clients.acknowledgements.len(),
        outcome.postgres,
        outcome
            .audit
            .events
            .iter()
            .map(|event| event.records)
            .sum::<u64>(),
    )
}
