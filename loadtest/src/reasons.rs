//! Why a run fails.

use crate::arguments::Arguments;
use crate::audit::Audit;
use crate::journeys::Journey;
use crate::report::Report;

impl Report {
    /// Why it fails; nothing for a pass.
    pub(crate) fn failures(&self, arguments: &Arguments, interrupted: bool) -> Vec<String> {
        let mut reasons = self.broken_promises();
        reasons.extend(self.unserved());
        reasons.extend(self.missed(arguments));
        if interrupted {
            reasons.push("the run was interrupted".to_owned());
        }
        reasons
    }

    /// What must not be, whatever the thresholds are.
    fn broken_promises(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        let books = &self.books;
        for (what, number) in [
            ("tickets oversold", books.oversold),
            ("orders acknowledged twice", books.duplicate_orders),
            ("tickets given twice", books.duplicate_tickets),
            ("acknowledgements lost", books.lost_acknowledgements),
            ("acknowledged orders could not be read back", books.not_read_back),
            ("events whose counts could not be read", books.not_counted),
        ] {
            if number > 0 {
                reasons.push(format!("{number} {what}"));
            }
        }
        match &self.audit {
            Audit::Findings(findings) => reasons.push(format!("the audit found {findings}")),
            Audit::Failed(why) => reasons.push(format!("the audit failed: {why}")),
            Audit::Clean | Audit::NotAsked => {}
        }
        reasons
    }

    /// A run in which nobody was served shows nothing.
    fn unserved(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.visits == 0 {
            reasons.push("no journey was begun".to_owned());
        }
        let journeys = self.journeys.iter().map(|share| share.journey);
        if self.sales == 0 && journeys.clone().any(Journey::sells) {
            reasons.push("nothing was sold".to_owned());
        }
        reasons.extend(journeys.filter_map(|journey| self.refused_throughout(journey)));
        reasons
    }

    /// That a journey was told nothing but no.
    fn refused_throughout(&self, journey: Journey) -> Option<String> {
        // Where others were faster, a no is all that those who only want tickets can be told.
        let wants_tickets = matches!(
            journey,
            Journey::FlashCrowd | Journey::Bots | Journey::AbandonedCarts
        );
        let steps = || self.steps.iter().filter(move |step| step.journey == journey);
        let is_refused = steps().next().is_some() && steps().all(|step| step.acknowledged == 0);
        let is_due = wants_tickets && self.sales > 0;
        (is_refused && !is_due).then(|| format!("{journey}: every answer was a refusal"))
    }

    /// Thresholds that were missed.
    fn missed(&self, arguments: &Arguments) -> Vec<String> {
        let mut reasons = Vec::new();
        let thresholds = &arguments.thresholds;
        let errors: u64 = self.errors.values().sum();
        if errors > thresholds.errors_max {
            reasons.push(format!("{errors} errors, more than {}", thresholds.errors_max));
        }
        // What was not sent is in no latency, so that a paced run without it shows less than was asked.
        let not_begun_max = thresholds.not_begun_max.or((self.rate > 0.0).then_some(0));
        if let Some(most) = not_begun_max
            && self.not_begun > most
        {
            let found = self.not_begun;
            reasons.push(format!(
                "{found} journeys had no free user, more than {most}: raise --users"
            ));
        }
        if self.goodput_per_second < thresholds.goodput_min {
            let (found, least) = (self.goodput_per_second, thresholds.goodput_min);
            reasons.push(format!("{found:.1} sales a second, fewer than {least}"));
        }
        if let Some(most) = thresholds.p99_ms_max
            && self.sale_latency.p99_ms > most
        {
            let found = self.sale_latency.p99_ms;
            reasons.push(format!("p99 of sales is {found:.1} ms, more than {most}"));
        }
        reasons
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser as _;
    use uuid::Uuid;

    use super::*;
    use crate::ledger::{Ledger, Sale};
    use crate::report::Findings;
    use crate::verdict::Books;

    /// A run with one sale after 20 ms, judged; `change` what was found, and what was asked.
    fn reasons(given: &[&str], change: impl FnOnce(&Ledger, &mut Findings)) -> Vec<String> {
        let fixed = ["onsale-load", "--admin-token", "token"];
        let arguments = Arguments::try_parse_from(fixed.iter().chain(given)).unwrap();
        let ledger = Ledger::default();
        ledger.log().visits = 1;
        let sale = Sale {
            order_id: Uuid::from_u128(1),
            event_id: Uuid::from_u128(2),
            ticket_ids: vec![Uuid::from_u128(3)],
            total_minor: 100,
            buyer: 0,
            at_ms: 1_000,
        };
        ledger.sell(sale, Duration::from_millis(20));
        let mut findings = Findings {
            books: Books::default(),
            audit: Audit::NotAsked,
            sales_before: 0,
            interrupted: false,
            users: 1,
        };
        change(&ledger, &mut findings);
        let log = ledger.log().clone();
        let report = Report::new(&arguments, &arguments.shares(), &log, findings);
        assert_eq!(report.passed(), report.reasons.is_empty());
        report.reasons
    }

    #[test]
    fn a_run_in_which_all_holds_passes() {
        assert_eq!(reasons(&[], |_, _| {}), Vec::<String>::new());
        assert_eq!(
            reasons(&[], |_, found| found.audit = Audit::Clean),
            Vec::<String>::new()
        );
    }

    #[test]
    fn each_thing_that_must_not_be_is_a_reason() {
        type Change = fn(&Ledger, &mut Findings);
        let changes: [(Change, &str); 10] = [
            (|_, found| found.books.oversold = 1, "1 tickets oversold"),
            (
                |_, found| found.books.duplicate_orders = 1,
                "1 orders acknowledged twice",
            ),
            (
                |_, found| found.books.duplicate_tickets = 2,
                "2 tickets given twice",
            ),
            (
                |_, found| found.books.lost_acknowledgements = 3,
                "3 acknowledgements lost",
            ),
            (
                |_, found| found.books.not_read_back = 4,
                "4 acknowledged orders could not be read back",
            ),
            (
                |_, found| found.books.not_counted = 1,
                "1 events whose counts could not be read",
            ),
            (
                |_, found| found.audit = Audit::Findings("I7".to_owned()),
                "the audit found I7",
            ),
            (
                |_, found| found.audit = Audit::Failed("gone".to_owned()),
                "the audit failed: gone",
            ),
            (|_, found| found.interrupted = true, "the run was interrupted"),
            (
                |ledger, _| ledger.fail(Journey::Bots, "junk", "500"),
                "1 errors, more than 0",
            ),
        ];
        for (change, reason) in changes {
            assert_eq!(reasons(&[], change), [reason]);
        }
    }

    #[test]
    fn thresholds_are_reasons_only_where_they_are_missed() {
        let late = |ledger: &Ledger, _: &mut Findings| ledger.log().not_begun = 2;
        assert!(reasons(&["--p99-ms-max", "30", "--goodput-min", "1"], |_, _| {}).is_empty());
        assert!(reasons(&["--p99-ms-max", "10"], |_, _| {})[0].contains("more than 10"));
        assert!(reasons(&["--goodput-min", "2"], |_, _| {})[0].contains("fewer than 2"));
        assert!(reasons(&[], late).is_empty());
        assert!(reasons(&["--rate", "5"], late)[0].starts_with("2 journeys had no free user"));
        assert!(reasons(&["--rate", "5", "--not-begun-max", "2"], late).is_empty());
    }

    #[test]
    fn a_journey_that_is_told_nothing_but_no_fails_the_run() {
        let refuse = |journey: Journey| {
            move |ledger: &Ledger, _: &mut Findings| {
                ledger.step(journey, "a step", Some("sold_out"), Duration::ZERO);
            }
        };
        let alone = reasons(&["--journey", "check-in"], refuse(Journey::CheckIn));
        assert_eq!(alone, ["check-in: every answer was a refusal"]);
        // Others bought what there was.
        assert!(reasons(&[], refuse(Journey::AbandonedCarts)).is_empty());
        let unsold = reasons(&["--journey", "abandoned-carts"], |ledger, found| {
            ledger.log().sales.clear();
            refuse(Journey::AbandonedCarts)(ledger, found);
        });
        assert_eq!(unsold, ["abandoned-carts: every answer was a refusal"]);
    }

    #[test]
    fn a_run_that_sold_nothing_or_began_nothing_fails() {
        let empty = |ledger: &Ledger, _: &mut Findings| {
            ledger.log().sales.clear();
            ledger.log().visits = 0;
        };
        assert_eq!(reasons(&[], empty), ["no journey was begun", "nothing was sold"]);
        assert_eq!(reasons(&["--journey", "admins"], empty), ["no journey was begun"]);
    }
}
