//! The door.

use onsale_domain::command::ScanTicket;
use onsale_domain::limits::GATES_MAX;
use onsale_domain::{
    Command, Direction, EventDetails, EventStatus, Presented, Record, Refusal, TicketStatus, UnixMillis,
};

use super::common::*;
use super::{Expected, Records, Refused, Replayed, Sale, check, record_of};
use Direction::{In, Out};

const SCANNED: Expected<'static> = Records(&["TicketScanned"]);

fn sold_with(details: EventDetails) -> Sale {
    Sale::on_sale_with(details)
        .then(place(1, 1, &[(1, 2)]))
        .then(confirm(1, 1, 5_000, 2))
}

/// Two tickets, numbered from 1,000. Who is in stays in.
fn sold() -> Sale {
    sold_with(details())
}

fn with_re_entry() -> Sale {
    sold_with(EventDetails {
        re_entry: true,
        ..details()
    })
}

fn used(at: i64, gate: &str) -> Expected<'static> {
    let (at, gate) = (UnixMillis(at), gate.to_owned());
    Refused(Refusal::AlreadyUsed { at, gate }, "already_used")
}

fn not_leaving(reason: &'static str) -> Expected<'static> {
    Refused(Refusal::NotLeaving { reason }, "not_leaving")
}

/// The same scan, as an offline gate reports it.
fn offline(mut command: Command, scanned_at: i64) -> Command {
    if let Command::ScanTicket(scan) = &mut command {
        scan.scanned_at = Some(UnixMillis(scanned_at));
    }
    command
}

fn at_gate(gate: &str, nonce: u8) -> Command {
    scan_at(gate, Presented::Code(ticket_code(1_000)), In, nonce)
}

#[test]
fn a_ticket_lets_in_once_whichever_gate_it_is_shown_at() {
    let sale = check(&sold(), &at_gate("north", 1), SCANNED);
    let ticket = sale.inventory.ticket(ticket_id(1_000)).unwrap();
    assert_eq!(ticket.status, TicketStatus::Used);
    let later = sale.later(MINUTE);
    check(&later, &at_gate("south", 2), used(OPENS, "north"));
    check(&later, &at_gate("north", 3), used(OPENS, "north"));
    let pass = Presented::Pass {
        ticket_id: ticket_id(1_000),
        version: 1,
    };
    check(&later, &scan_at("south", pass, In, 4), used(OPENS, "north"));
    check(&later, &scan(1_001, In, 5), SCANNED);
}

#[test]
fn a_repeat_of_a_scan_gets_its_answer_again() {
    let sale = sold().then(at_gate("north", 1));
    let seq = sale.inventory.seq();
    check(&sale, &at_gate("north", 1), Replayed(seq));
    let later = sale.later(HOUR).then(change_status(EventStatus::Cancelled));
    check(&later, &at_gate("north", 1), Replayed(seq));
}

#[test]
fn what_is_no_ticket_of_the_event_lets_nobody_in() {
    let unknown = || Refused(Refusal::UnknownCode, "unknown_ticket");
    check(&sold(), &scan(7, In, 1), unknown());
    let pass = |number, version| {
        let ticket_id = ticket_id(number);
        scan_at("north", Presented::Pass { ticket_id, version }, In, 1)
    };
    check(&sold(), &pass(7, 1), unknown());
    check(&sold(), &pass(1_000, 2), unknown());
    check(
        &sold(),
        &pass(1_000, 0),
        Refused(Refusal::CodeTransferred, "ticket_transferred"),
    );
    check(&sold(), &pass(1_000, 1), SCANNED);
}

#[test]
fn a_void_ticket_lets_nobody_in() {
    let cancelled = sold().then(cancel(1, None));
    check(
        &cancelled,
        &scan(1_000, In, 1),
        Refused(Refusal::TicketCancelled, "ticket_cancelled"),
    );
    let refunded = sold().then(refund(1, 1, &[1_000]));
    check(
        &refunded,
        &scan(1_000, In, 1),
        Refused(Refusal::TicketRefunded, "ticket_refunded"),
    );
    let called_off = sold().then(change_status(EventStatus::Cancelled));
    check(
        &called_off,
        &scan(1_000, In, 1),
        Refused(Refusal::EventCancelled, "event_cancelled"),
    );
}

#[test]
fn nobody_is_let_in_before_the_doors_open() {
    let opens_at = UnixMillis(OPENS + HOUR);
    let sale = sold_with(EventDetails {
        check_in_opens_at: Some(opens_at),
        ..details()
    });
    let early = || Refused(Refusal::CheckInTooEarly { opens_at }, "check_in_too_early");
    check(&sale, &scan(1_000, In, 1), early());
    let open = sale.later(HOUR);
    check(&open, &scan(1_000, In, 1), SCANNED);
    check(&open, &offline(scan(1_000, In, 1), OPENS + HOUR - 1), early());
}

#[test]
fn without_re_entry_nobody_is_scanned_out() {
    let nobody = "the event lets nobody in again, so nobody is scanned out";
    check(&sold(), &scan(1_000, Out, 1), not_leaving(nobody));
    check(
        &sold().then(scan(1_000, In, 1)),
        &scan(1_000, Out, 2),
        not_leaving(nobody),
    );
}

#[test]
fn with_re_entry_who_went_out_comes_in_again() {
    let sale = with_re_entry();
    let outside = "the ticket's holder is not inside";
    check(&sale, &scan(1_000, Out, 1), not_leaving(outside));
    let inside = sale.then(scan(1_000, In, 1)).later(MINUTE);
    check(&inside, &scan(1_000, In, 2), used(OPENS, "north"));
    let out = check(&inside, &scan(1_000, Out, 3), SCANNED).later(MINUTE);
    check(&out, &scan(1_000, Out, 4), not_leaving(outside));
    let again = check(&out, &scan(1_000, In, 5), SCANNED);
    check(&again, &scan(1_000, In, 6), used(again.now, "north"));
    let gates: Vec<_> = again.inventory.gates().collect();
    assert_eq!(gates.len(), 1);
    assert_eq!((gates[0].1.entries, gates[0].1.exits), (2, 1));
}

#[test]
fn one_nonce_for_both_ways_is_two_scans() {
    let inside = with_re_entry().then(scan(1_000, In, 1));
    check(&inside, &scan(1_000, Out, 1), SCANNED);
}

#[test]
fn two_gates_that_were_offline_admit_once() {
    let north = offline(at_gate("north", 1), OPENS + 5 * MINUTE);
    let south = offline(at_gate("south", 2), OPENS + 3 * MINUTE);
    let sale = sold().later(HOUR).then(north.clone());
    let seq = sale.inventory.seq();
    check(&sale, &south, used(OPENS + 5 * MINUTE, "north"));
    check(&sale, &north, Replayed(seq));
    let Record::TicketScanned(scanned) = record_of(&sold().later(HOUR), &south) else {
        panic!("a scan was expected")
    };
    assert_eq!(
        (scanned.at.0, scanned.scanned_at.0),
        (OPENS + HOUR, OPENS + 3 * MINUTE)
    );
}

#[test]
fn a_gate_that_reports_its_scans_again_lets_nobody_in_again() {
    let scans: Vec<Command> = [(In, 1), (Out, 2), (In, 3), (Out, 4)]
        .into_iter()
        .map(|(direction, nonce)| offline(scan(1_000, direction, nonce), OPENS + MINUTE * i64::from(nonce)))
        .collect();
    let sale = scans
        .iter()
        .fold(with_re_entry().later(HOUR), |sale, scan| sale.then(scan.clone()));
    let last = sale.inventory.seq();
    for (scan, seq) in scans.iter().zip(last - 3..) {
        check(&sale, scan, Replayed(seq));
    }
    let inside = sale.then(scan(1_000, In, 5));
    for (scan, seq) in scans.iter().zip(last - 3..) {
        check(&inside, scan, Replayed(seq));
    }
}

#[test]
fn what_is_reported_after_a_later_scan_has_lost_against_it() {
    let outside = [(In, 1), (Out, 3)]
        .into_iter()
        .map(|(direction, nonce)| offline(scan(1_000, direction, nonce), OPENS + MINUTE * i64::from(nonce)))
        .fold(with_re_entry().later(HOUR), super::Sale::then);
    let reported = |direction| offline(scan(1_000, direction, 9), OPENS + 2 * MINUTE);
    check(&outside, &reported(In), used(OPENS + 3 * MINUTE, "north"));
    let inside = outside.then(scan(1_000, In, 5));
    check(
        &inside,
        &reported(Out),
        not_leaving("the ticket was scanned since then"),
    );
}

#[test]
fn no_scan_is_of_the_future_or_of_before_1970() {
    let sale = sold();
    let ahead = offline(scan(1_000, In, 1), i64::MAX);
    let Record::TicketScanned(scanned) = record_of(&sale, &ahead) else {
        panic!("a scan was expected")
    };
    assert_eq!(scanned.scanned_at.0, OPENS);
    let field = "scanned_at";
    let refused = Refused(Refusal::InvalidField { field }, "validation_failed");
    check(&sale, &offline(scan(1_000, In, 1), -1), refused);
}

#[test]
fn gates_have_names_and_a_largest_number() {
    let invalid = || Refused(Refusal::InvalidField { field: "gate" }, "validation_failed");
    for gate in ["", " ", "a\0b", &"x".repeat(201)] {
        check(&sold(), &at_gate(gate, 1), invalid());
    }
    let mut sale = with_re_entry();
    for number in 0..GATES_MAX {
        let direction = if number % 2 == 0 { In } else { Out };
        let shown = Presented::Code(ticket_code(1_000));
        let mut command = scan_at(&format!("gate {number}"), shown, direction, 0);
        if let Command::ScanTicket(scan) = &mut command {
            let ScanTicket { scan, .. } = &mut **scan;
            scan.0[..8].copy_from_slice(&number.to_be_bytes());
        }
        sale = sale.then_unchecked(command);
    }
    let many = Refused(Refusal::TooMany { what: "gates" }, "too_many");
    check(&sale, &at_gate("one more", 1), many);
    check(&sale, &at_gate("gate 0", 1), SCANNED);
}

#[test]
fn an_event_that_stops_re_entry_lets_nobody_in_again_who_went_out() {
    let sale = with_re_entry()
        .then(scan(1_000, In, 1))
        .then(scan(1_000, Out, 2))
        .then_at_version(|version| edit(details(), version));
    check(&sale, &scan(1_000, In, 3), used(OPENS, "north"));
}
