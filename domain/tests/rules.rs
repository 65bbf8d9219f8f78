//! The rules of selling, one example each: `check` applies one command to a prepared sale and compares the answer.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
#![allow(clippy::needless_pass_by_value, reason = "tables read better without borrows")]

mod common;
#[path = "rules/definition.rs"]
mod definition;
#[path = "rules/holds.rs"]
mod holds;
#[path = "rules/keys.rs"]
mod keys;
#[path = "rules/limits.rs"]
mod limits;
#[path = "rules/money.rs"]
mod money;
#[path = "rules/orders.rs"]
mod orders;
#[path = "rules/packages.rs"]
mod packages;
#[path = "rules/payments.rs"]
mod payments;
#[path = "rules/reclaim.rs"]
mod reclaim;
#[path = "rules/refunds.rs"]
mod refunds;
#[path = "rules/scan.rs"]
mod scan;
#[path = "rules/status.rs"]
mod status;
#[path = "rules/transfer.rs"]
mod transfer;

use common::{
    OPENS, START, change_status, create, details, kind, quota, set_quota, set_ticket_type, ticket_type,
};
use onsale_domain::{
    Command, Decision, EventDetails, EventStatus, Inventory, Record, Refusal, Sequence, UnixMillis,
};

/// What a command should be answered.
#[derive(Debug)]
enum Expected<'a> {
    /// New records of these kinds.
    Records(&'a [&'a str]),
    /// The record that answered the same key before.
    Replayed(Sequence),
    Unchanged,
    /// A refusal and its public code; nothing may have changed.
    Refused(Refusal, &'static str),
}

use Expected::{Records, Refused, Replayed, Unchanged};

/// An inventory and the present instant.
#[derive(Clone)]
struct Sale {
    inventory: Inventory,
    now: i64,
}

impl Sale {
    fn nothing() -> Self {
        Self {
            inventory: Inventory::default(),
            now: START,
        }
    }

    /// A draft with quota 1 (10 units: type 1 at 25.00, type 2 at 10.00), quota 2 (5 units: type 3, free) and
    /// quota 3 (5,000 units: types 4 to 19 at 0.01).
    fn draft(details: EventDetails) -> Self {
        let mut sale = Self::nothing().then(create(details));
        for (number, capacity) in [(1, 10), (2, 5), (3, 5_000)] {
            sale = sale.then_at_version(|version| set_quota(quota(number, capacity), version));
        }
        for (number, of, price) in [(1, 1, 2_500), (2, 1, 1_000), (3, 2, 0)] {
            sale = sale.then_at_version(|version| set_ticket_type(ticket_type(number, of, price), version));
        }
        for number in 4..20 {
            sale = sale.then_at_version(|version| set_ticket_type(ticket_type(number, 3, 1), version));
        }
        sale
    }

    fn published() -> Self {
        Self::draft(details()).then(change_status(EventStatus::Published))
    }

    /// The draft's event, selling.
    fn on_sale() -> Self {
        Self::on_sale_with(details())
    }

    fn on_sale_with(details: EventDetails) -> Self {
        Self::draft(details)
            .then(change_status(EventStatus::Published))
            .at(OPENS)
            .then(Command::Advance)
    }

    fn unlimited() -> Self {
        Self::on_sale_with(EventDetails {
            buyer_limit: None,
            ..details()
        })
    }

    /// Moves the clock.
    fn at(mut self, now: i64) -> Self {
        self.now = now;
        self
    }

    fn later(self, duration_ms: i64) -> Self {
        let now = self.now + duration_ms;
        self.at(now)
    }

    /// Applies a command that must not be refused.
    fn then(mut self, command: Command) -> Self {
        self.inventory
            .apply(&command, UnixMillis(self.now))
            .unwrap_or_else(|refusal| panic!("{command:?} was refused: {refusal}"));
        self.inventory.check_invariants().unwrap();
        self
    }

    /// [`Sale::then`] without counting everything again: for long preparations.
    fn then_unchecked(mut self, command: Command) -> Self {
        self.inventory.apply(&command, UnixMillis(self.now)).unwrap();
        self
    }

    fn then_at_version(self, command: impl FnOnce(Sequence) -> Command) -> Self {
        let version = self.version();
        self.then(command(version))
    }

    fn version(&self) -> Sequence {
        self.inventory
            .definition()
            .map_or(0, |definition| definition.version)
    }

    fn status(&self) -> EventStatus {
        self.inventory.definition().unwrap().status
    }

    /// `(held, sold)` of a quota's position.
    fn counts(&self, quota: usize) -> (u32, u32) {
        let counts = self.inventory.availability().unwrap().quotas[quota];
        (counts.held, counts.sold)
    }
}

/// Applies one command to a copy of the sale, compares the answer and hands the copy back.
#[track_caller]
fn check(sale: &Sale, command: &Command, expected: Expected<'_>) -> Sale {
    let mut after = sale.clone();
    let answer = after.inventory.apply(command, UnixMillis(sale.now));
    match (&answer, &expected) {
        (Ok(Decision::Recorded(records)), Records(kinds)) => {
            assert_eq!(
                records.iter().map(kind).collect::<Vec<_>>(),
                *kinds,
                "{command:?}"
            );
            let mut replayed = sale.inventory.clone();
            records.iter().for_each(|record| replayed.replay(record).unwrap());
            assert_eq!(replayed, after.inventory, "replaying gives the same state");
        }
        (Ok(Decision::Replayed(seq)), Replayed(expected)) if seq == expected => {}
        (Ok(Decision::Unchanged), Unchanged) => {}
        (Err(refusal), Refused(expected, code)) => {
            assert_eq!(refusal, expected, "{command:?}");
            assert_eq!(refusal.code(), *code);
        }
        _ => panic!("{command:?}\nanswered {answer:?}\nexpected {expected:?}"),
    }
    if !matches!(expected, Records(_)) {
        assert_eq!(after.inventory, sale.inventory, "nothing may have changed");
    }
    after.inventory.check_invariants().unwrap();
    after
}

/// The last record that a command leads to.
#[track_caller]
fn record_of(sale: &Sale, command: &Command) -> Record {
    match sale.inventory.clone().apply(command, UnixMillis(sale.now)) {
        Ok(Decision::Recorded(mut records)) => records.pop().unwrap(),
        other => panic!("{command:?}\nanswered {other:?}"),
    }
}
