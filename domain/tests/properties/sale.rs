//! The inventory against the reference.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use onsale_domain::codec::{decode_records, decode_snapshot, encode_records, encode_snapshot};
use onsale_domain::inventory::GateCounts;
use onsale_domain::{
    BuyerId, Command, Decision, Direction, Inventory, Record, Refusal, TicketStatus, UnixMillis,
};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::common::{OPENS, START, hold_id, kind};
use super::reference::{Reference, State};
use super::steps::{Step, prepared};
use super::strategies::steps;

/// An inventory, the reference beside it, and a second inventory that only ever sees the journal's bytes.
#[derive(Default)]
struct Trio {
    inventory: Inventory,
    reference: Reference,
    replica: Inventory,
}

impl Trio {
    /// Applies one command to all three and checks everything that must hold after it. Names the outcome.
    fn step(&mut self, command: &Command, now: i64) -> &'static str {
        let before = self.inventory.clone();
        let ends_before: Vec<_> = self
            .reference
            .holdings
            .iter()
            .map(|holding| (holding.id, holding.ends))
            .collect();
        let gate = self.gate(command, now);
        let answer = self.inventory.apply(command, UnixMillis(now));
        let expected = self.reference.apply(command, now);
        assert_eq!(answer, expected, "{command:?} at {now}");
        let outcome = match answer {
            Ok(Decision::Recorded(records)) => {
                self.replicate(&records);
                for record in &records {
                    assert_eq!(record.at(), UnixMillis(now));
                    none_expires_early(record, &ends_before);
                    self.within_buyer_limit(record);
                }
                kind(records.last().unwrap())
            }
            Ok(Decision::Replayed(seq)) => {
                self.is_answer(command, seq);
                assert_eq!(self.inventory, before);
                "replayed"
            }
            Ok(Decision::Unchanged) => {
                assert!(gate.is_ok());
                assert_eq!(self.inventory, before);
                "unchanged"
            }
            Err(refusal) => {
                assert!(!matches!(refusal, Refusal::Violation(_)), "{refusal}");
                assert_eq!(self.inventory, before, "a refusal changes nothing");
                refusal.code()
            }
        };
        if gate.is_err() {
            let may_only_reject = !matches!(outcome, "HoldPlaced" | "unchanged");
            assert!(
                may_only_reject,
                "the gate refused {command:?}, which was {outcome}"
            );
        }
        self.check();
        outcome
    }

    fn gate(&self, command: &Command, now: i64) -> Result<(), onsale_domain::Refusal> {
        match (command, self.inventory.availability()) {
            (Command::PlaceHold(place), Some(availability)) => {
                availability.gate(&place.lines, UnixMillis(now))
            }
            _ => Ok(()),
        }
    }

    /// Hands the records to the replica as the journal would: through bytes.
    fn replicate(&mut self, records: &[Record]) {
        let bytes = encode_records(records.iter()).unwrap();
        let decoded = decode_records(&bytes).unwrap();
        assert_eq!(decoded, records);
        for record in &decoded {
            self.replica.replay(record).unwrap();
        }
    }

    /// The record that a repeated key is answered with came from that key.
    fn is_answer(&self, command: &Command, seq: u64) {
        let record = &self.reference.journal[usize::try_from(seq).unwrap() - 1];
        let (key, settles) = match command {
            Command::PlaceHold(place) => (place.key, false),
            Command::StartPayment(start) => (start.key, false),
            Command::RefundTickets(refund) => (refund.key, false),
            Command::TransferTicket(transfer) => (transfer.key, false),
            Command::ConfirmHold(confirm) => (confirm.key, true),
            Command::ReleaseHold { key, .. } => (*key, true),
            Command::ScanTicket(scan) => {
                let Record::TicketScanned(scanned) = record else {
                    panic!("{record:?} answers a scan")
                };
                assert_eq!((scanned.scan, scanned.direction), (scan.scan, scan.direction));
                return;
            }
            other => panic!("{other:?} has no key"),
        };
        assert_eq!(record.key(), key);
        let placed = matches!(record, Record::HoldPlaced(_) | Record::PaymentStarted(_));
        assert!(!settles || !placed, "{record:?}");
    }

    fn check(&self) {
        self.inventory.check_invariants().unwrap();
        assert_eq!(self.inventory.seq(), self.reference.journal.len() as u64);
        assert_eq!(
            self.replica, self.inventory,
            "replaying the journal's bytes gives the same state"
        );
        let snapshot = decode_snapshot(&encode_snapshot(&self.inventory).unwrap()).unwrap();
        assert_eq!(snapshot, self.inventory, "a snapshot gives the same state");
        assert_eq!(self.inventory.next_expiry_at(), self.reference.next_end());
        self.check_counts();
        self.check_holds();
        self.check_tickets();
    }

    fn check_counts(&self) {
        let (Some(availability), Some(event)) = (self.inventory.availability(), &self.reference.event) else {
            assert!(self.reference.event.is_none());
            return;
        };
        assert_eq!(availability.definition.status, event.status);
        assert_eq!(availability.definition.version, event.version);
        assert_eq!(availability.quotas.len(), event.quotas.len());
        for (counts, quota) in availability.quotas.iter().zip(&event.quotas) {
            let (held, sold) = (
                self.reference.units(quota.id, State::Live),
                self.reference.units(quota.id, State::Sold),
            );
            assert_eq!(
                (counts.capacity, counts.held, counts.sold),
                (quota.capacity, held, sold)
            );
            assert!(held + sold <= quota.capacity, "oversold");
            assert_eq!(counts.available() + held + sold, quota.capacity, "conservation");
        }
        for (counts, ticket_type) in availability.ticket_types.iter().zip(&event.types) {
            assert_eq!(
                counts.held,
                self.reference.type_units(ticket_type.id, State::Live)
            );
            assert_eq!(
                counts.sold,
                self.reference.type_units(ticket_type.id, State::Sold)
            );
        }
    }

    /// Staff may lower the limit below what a buyer has, but nobody gets more then.
    fn within_buyer_limit(&self, record: &Record) {
        let limit = self
            .reference
            .event
            .as_ref()
            .and_then(|event| event.details.buyer_limit);
        let taker: Option<BuyerId> = match record {
            Record::HoldPlaced(placed) => Some(placed.buyer_id),
            Record::HoldReclaimed(order) => Some(order.buyer_id),
            _ => None,
        };
        if let (Some(taker), Some(limit)) = (taker, limit) {
            assert!(self.reference.live_tickets(taker) <= limit);
        }
    }

    /// I15: every ticket stands as all that was done with it says, and the gates have counted each scan once.
    fn check_tickets(&self) {
        let mut gates: BTreeMap<&str, GateCounts> = BTreeMap::new();
        for issued in &self.reference.tickets {
            let ticket = self.inventory.ticket(issued.id).unwrap();
            assert_eq!(
                (ticket.owner, ticket.status, ticket.version, Some(&ticket.code)),
                (issued.owner, issued.status, issued.version(), issued.codes.last())
            );
            let used = issued.status == TicketStatus::Used;
            assert!(!used || !issued.scans.is_empty());
            let in_turn = |pair: &[super::reference::Scan]| pair[0].direction != pair[1].direction;
            assert!(issued.scans.windows(2).all(in_turn), "somebody came in twice");
            for scan in &issued.scans {
                let counts = gates.entry(&scan.gate).or_default();
                match scan.direction {
                    Direction::In => counts.entries += 1,
                    Direction::Out => counts.exits += 1,
                }
            }
        }
        assert_eq!(self.inventory.gates().collect::<BTreeMap<_, _>>(), gates);
    }

    fn check_holds(&self) {
        for holding in &self.reference.holdings {
            let live = self.inventory.hold(holding.id);
            let order = self.inventory.order(holding.id.into());
            let ended = self.inventory.ended_hold(holding.id);
            assert_eq!(
                live.map(|hold| hold.expires_at.0),
                (holding.state == State::Live).then_some(holding.ends)
            );
            assert_eq!(
                order.map(|order| order.cancelled),
                match holding.state {
                    State::Sold => Some(false),
                    State::Cancelled => Some(true),
                    State::Live | State::Released | State::Expired => None,
                }
            );
            assert_eq!(self.inventory.pending_payment(holding.id), holding.payment);
            assert_eq!(self.inventory.package_of(holding.id), holding.package);
            let issued = self
                .reference
                .tickets
                .iter()
                .filter(|ticket| ticket.order == holding.id);
            let tickets = self.inventory.tickets_of(holding.id.into());
            assert!(tickets.map(|(id, _)| id).eq(issued.map(|ticket| ticket.id)));
            assert_eq!(
                ended.is_some(),
                matches!(holding.state, State::Released | State::Expired)
            );
        }
    }
}

fn none_expires_early(record: &Record, ends: &[(onsale_domain::HoldId, i64)]) {
    if let Record::HoldsExpired { at, holds } = record {
        for expired in holds {
            let (_, end) = ends.iter().find(|(id, _)| *id == expired.hold_id).unwrap();
            assert!(*end <= at.0, "a hold expired early");
        }
    }
}

/// Runs the steps and counts the outcomes.
fn run(start: &[(i64, Command)], steps: &[Step], outcomes: &mut BTreeMap<&'static str, u32>) -> Trio {
    let mut trio = Trio::default();
    let mut now = START;
    for (at, command) in start {
        now = *at;
        trio.step(command, now);
    }
    for step in steps {
        now = step.wait.end(now, &trio.reference);
        let command = step.action.command(&trio.reference);
        *outcomes.entry(trio.step(&command, now)).or_default() += 1;
    }
    trio
}

/// Every record, and every refusal that a sale can come to.
const OUTCOMES: &[&str] = &[
    "EventEdited",
    "QuotaSet",
    "TicketTypeSet",
    "StatusChanged",
    "HoldPlaced",
    "HoldExtended",
    "HoldReleased",
    "HoldsExpired",
    "HoldConfirmed",
    "OrderCancelled",
    "PaymentStarted",
    "HoldReclaimed",
    "TicketsRefunded",
    "TicketTransferred",
    "TicketScanned",
    "payment_in_progress",
    "nothing_to_pay",
    "part_of_package",
    "not_reclaimable",
    "already_cancelled",
    "ticket_used",
    "ticket_transferred_away",
    "transfer_to_self",
    "already_used",
    "unknown_ticket",
    "ticket_cancelled",
    "ticket_refunded",
    "ticket_transferred",
    "check_in_too_early",
    "not_leaving",
    "replayed",
    "unchanged",
    "not_found",
    "already_exists",
    "sale_ended",
    "sale_paused",
    "event_cancelled",
    "sold_out",
    "all_held",
    "insufficient_availability",
    "buyer_limit_exceeded",
    "validation_failed",
    "hold_expired",
    "already_released",
    "already_confirmed",
    "extension_limit_reached",
    "payment_mismatch",
    "idempotency_key_reused",
    "version_mismatch",
    "invalid_transition",
    "capacity_below_committed",
    "frozen_field",
    "internal",
];

#[test]
fn a_sale_does_what_the_reference_does() {
    let outcomes = Mutex::new(BTreeMap::new());
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 384,
        failure_persistence: None,
        ..Default::default()
    });
    let strategy = (prop::array::uniform3(2..30_u32), steps(120));
    let result = runner.run(&strategy, |(capacities, steps)| {
        // A failing run poisons the lock, and the shorter runs that look for its cause go on.
        let mut outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        run(&prepared(capacities), &steps, &mut outcomes);
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
    // A random test that never reaches a rule says nothing about it.
    let outcomes = outcomes.into_inner().unwrap();
    for wanted in OUTCOMES {
        let times = outcomes.get(*wanted).copied().unwrap_or(0);
        assert!(times >= 3, "{times} steps were answered {wanted}: {outcomes:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..Default::default() })]

    #[test]
    fn an_event_that_is_not_prepared_does_what_the_reference_does(steps in steps(80)) {
        run(&[], &steps, &mut BTreeMap::new());
    }

    #[test]
    fn a_state_recovered_at_any_sequence_from_snapshot_and_journal_is_the_same(
        steps in steps(60),
        cut in 0..100_usize,
    ) {
        let trio = run(&prepared([10, 5, 3]), &steps, &mut BTreeMap::new());
        let journal = &trio.reference.journal;
        let cut = journal.len() * cut / 100;
        let mut recovered = Inventory::default();
        for record in &journal[..cut] {
            recovered.replay(record).unwrap();
        }
        recovered = decode_snapshot(&encode_snapshot(&recovered).unwrap()).unwrap();
        for record in &journal[cut..] {
            recovered.replay(record).unwrap();
            recovered.check_invariants().unwrap();
        }
        prop_assert_eq!(recovered, trio.inventory);
    }

    #[test]
    fn letting_time_pass_ends_every_hold(steps in steps(60)) {
        let mut trio = run(&prepared([10, 5, 3]), &steps, &mut BTreeMap::new());
        let end = OPENS + 10_000 * super::common::HOUR;
        while trio.step(&Command::Advance, end) != "unchanged" {}
        prop_assert_eq!(trio.inventory.live_holds(), 0);
        prop_assert!(trio.inventory.hold(hold_id(0)).is_none());
    }
}
