//! What all users together were told.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use onsale_report::Latencies;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::events::id_of;
use crate::journeys::Journey;

/// Kinds of errors that are told apart; the rest are counted together.
const ERROR_KINDS_MAX: usize = 50;
/// Seconds of a run that are told apart: a day and the time after it.
const SECONDS_MAX: usize = 90_000;

/// An order that a buyer was told is theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Sale {
    pub(crate) order_id: Uuid,
    pub(crate) event_id: Uuid,
    pub(crate) ticket_ids: Vec<Uuid>,
    /// What it costs, in minor units.
    pub(crate) total_minor: i64,
    /// Which of the buyers.
    pub(crate) buyer: usize,
    /// When it was acknowledged, in milliseconds from the opening.
    pub(crate) at_ms: u64,
}

impl Sale {
    /// What a confirmed order says; nothing where it is not whole.
    pub(crate) fn of(order: &Value, buyer: usize, at: Duration) -> Option<Self> {
        let uuid = |value: &Value| Uuid::parse_str(value.as_str()?).ok();
        let tickets = order["tickets"].as_array()?.iter();
        let ticket_ids = tickets
            .map(|ticket| uuid(&ticket["id"]))
            .collect::<Option<Vec<_>>>()?;
        let is_whole = order["status"] == "confirmed" && !ticket_ids.is_empty();
        is_whole.then_some(())?;
        Some(Self {
            order_id: id_of(order).ok()?,
            event_id: uuid(&order["event_id"])?,
            ticket_ids,
            total_minor: order["total"]["amount"].as_i64()?,
            buyer,
            at_ms: u64::try_from(at.as_millis()).unwrap_or(u64::MAX),
        })
    }
}

/// What became of one step of a journey.
#[derive(Clone, Debug, Default)]
pub(crate) struct Step {
    /// From when it was due to the answer, where the answer was yes.
    pub(crate) acknowledged: Latencies,
    /// The same where it was no.
    pub(crate) refused: Latencies,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    pub(crate) sales: Vec<Sale>,
    /// Sales by the second in which they were acknowledged.
    pub(crate) sales_by_second: Vec<u64>,
    /// Latency of whole sales: from when the buyer meant to send what was acknowledged.
    pub(crate) sale_latency: Latencies,
    pub(crate) steps: BTreeMap<(Journey, &'static str), Step>,
    /// Refusals by code.
    pub(crate) refusals: BTreeMap<String, u64>,
    /// What no journey expects, by kind.
    pub(crate) errors: BTreeMap<String, u64>,
    /// Requests that were sent again.
    pub(crate) retries: u64,
    /// Requests that were answered, with those that were sent again.
    pub(crate) requests: u64,
    /// Journeys that were begun.
    pub(crate) visits: u64,
    /// Journeys that were due before the end and that no user was free for.
    pub(crate) not_begun: u64,
}

impl Log {
    /// All refusals.
    pub(crate) fn refused(&self) -> u64 {
        self.refusals.values().sum()
    }

    /// Most of the sales (95 of 100) by the seconds that they took from the opening. Not all: when everything is gone,
    /// single tickets come back from holds for as long as the run lasts.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    pub(crate) fn goodput_per_second(&self) -> f64 {
        let mut at: Vec<_> = self.sales.iter().map(|sale| sale.at_ms).collect();
        at.sort_unstable();
        let most = (at.len() * 95).div_ceil(100);
        match most.checked_sub(1).and_then(|last| at.get(last)) {
            Some(last) => most as f64 * 1_000.0 / (*last).max(1) as f64,
            None => 0.0,
        }
    }

    /// All errors.
    pub(crate) fn failed(&self) -> u64 {
        self.errors.values().sum()
    }
}

/// The log that users write to.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Log>);

impl Ledger {
    /// The log as it is now; locked as long as it is held.
    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        // A user that panicked left whole entries behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A sale, acknowledged so long after it was due.
    pub(crate) fn sell(&self, sale: Sale, latency: Duration) {
        let mut log = self.log();
        let second = usize::try_from(sale.at_ms / 1_000);
        let second = second.map_or(SECONDS_MAX, |second| second.min(SECONDS_MAX));
        if log.sales_by_second.len() <= second {
            log.sales_by_second.resize(second + 1, 0);
        }
        log.sales_by_second[second] += 1;
        log.sale_latency.record(latency);
        log.sales.push(sale);
    }

    /// A step that was answered for good.
    pub(crate) fn step(
        &self,
        journey: Journey,
        step: &'static str,
        refused: Option<&str>,
        latency: Duration,
    ) {
        let mut log = self.log();
        let entry = log.steps.entry((journey, step)).or_default();
        match refused {
            None => entry.acknowledged.record(latency),
            Some(_) => entry.refused.record(latency),
        }
        if let Some(code) = refused {
            *log.refusals.entry(code.to_owned()).or_default() += 1;
        }
    }

    /// A refusal that the step goes on after.
    pub(crate) fn refuse(&self, code: &str) {
        *self.log().refusals.entry(code.to_owned()).or_default() += 1;
    }

    /// Something that must not be.
    pub(crate) fn fail(&self, journey: Journey, step: &'static str, what: &str) {
        let mut log = self.log();
        let kind = format!("{journey}: {step}: {what}");
        let kind = if log.errors.len() < ERROR_KINDS_MAX || log.errors.contains_key(&kind) {
            kind
        } else {
            "others".to_owned()
        };
        *log.errors.entry(kind).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_confirmed_order_with_tickets_is_a_sale() {
        let mut order = json!({
            "id": Uuid::now_v7(), "event_id": Uuid::now_v7(), "status": "confirmed",
            "total": {"amount": 6_500, "currency": "EUR"}, "tickets": [{"id": Uuid::now_v7(), "code": "A"}],
        });
        assert_eq!(Sale::of(&order, 3, Duration::ZERO).unwrap().total_minor, 6_500);
        order["status"] = "pending".into();
        assert_eq!(Sale::of(&order, 3, Duration::ZERO), None);
        order["status"] = "confirmed".into();
        order["tickets"] = json!([]);
        assert_eq!(Sale::of(&order, 3, Duration::ZERO), None);
    }

    fn sale(at_ms: u64) -> Sale {
        Sale {
            order_id: Uuid::now_v7(),
            event_id: Uuid::now_v7(),
            ticket_ids: vec![Uuid::now_v7()],
            total_minor: 100,
            buyer: 0,
            at_ms,
        }
    }

    #[test]
    fn sales_are_counted_in_their_second() {
        let ledger = Ledger::default();
        for at in [100, 2_900, 2_950] {
            ledger.sell(sale(at), Duration::from_millis(5));
        }
        let log = ledger.log();
        assert_eq!(log.sales_by_second, [1, 0, 2]);
    }

    #[test]
    fn a_late_sale_does_not_dilute_the_goodput() {
        let ledger = Ledger::default();
        assert!(ledger.log().goodput_per_second().abs() < f64::EPSILON);
        for number in 1..=99 {
            ledger.sell(sale(number * 10), Duration::ZERO);
        }
        ledger.sell(sale(60_000), Duration::ZERO);
        let goodput = ledger.log().goodput_per_second();
        assert!((goodput - 100.0).abs() < 1.0, "{goodput}");
    }

    #[test]
    fn errors_of_endless_variety_are_counted_in_bounded_space() {
        let ledger = Ledger::default();
        for number in 0..1_000 {
            ledger.fail(Journey::Bots, "purchase", &number.to_string());
        }
        let log = ledger.log();
        assert!(log.errors.len() <= ERROR_KINDS_MAX + 1);
        assert_eq!(log.failed(), 1_000);
    }

    #[test]
    fn a_refusal_is_no_latency_of_what_was_acknowledged() {
        let ledger = Ledger::default();
        ledger.step(
            Journey::Browse,
            "hold",
            Some("sold_out"),
            Duration::from_millis(1),
        );
        let log = ledger.log();
        let step = &log.steps[&(Journey::Browse, "hold")];
        assert_eq!((step.acknowledged.count(), step.refused.count()), (0, 1));
        assert_eq!(log.refusals["sold_out"], 1);
    }
}
