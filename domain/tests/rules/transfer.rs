//! Giving a ticket to another account.

use onsale_domain::limits::TICKET_VERSION_MAX;
use onsale_domain::{Direction, EventStatus, Presented, Refusal};

use super::common::*;
use super::{Expected, Records, Refused, Replayed, Sale, check};

const TRANSFERRED: Expected<'static> = Records(&["TicketTransferred"]);

/// Order 1 of buyer 1: two tickets, numbered from 1,000.
fn sold() -> Sale {
    Sale::on_sale()
        .then(place(1, 1, &[(1, 2)]))
        .then(confirm(1, 1, 5_000, 2))
}

#[test]
fn a_transfer_raises_the_version_and_kills_the_former_code() {
    let sale = check(&sold(), &transfer(1_000, 1, 2, 9), TRANSFERRED);
    let ticket = sale.inventory.ticket(ticket_id(1_000)).unwrap();
    assert_eq!(
        (ticket.owner, ticket.version, ticket.code),
        (buyer_id(2), 2, ticket_code(9))
    );
    let dead = || Refused(Refusal::CodeTransferred, "ticket_transferred");
    check(&sale, &scan(1_000, Direction::In, 1), dead());
    let pass = |version| {
        let ticket_id = ticket_id(1_000);
        scan_at("north", Presented::Pass { ticket_id, version }, Direction::In, 1)
    };
    check(&sale, &pass(1), dead());
    check(&sale, &pass(2), Records(&["TicketScanned"]));
    check(&sale, &pass(3), Refused(Refusal::UnknownCode, "unknown_ticket"));
    check(&sale, &scan(9, Direction::In, 1), Records(&["TicketScanned"]));
    check(&sale, &scan(1_001, Direction::In, 1), Records(&["TicketScanned"]));
}

#[test]
fn a_transfer_needs_no_free_unit_and_counts_against_who_bought() {
    let full = sold().then(place(2, 2, &[(1, 8)])).then(confirm(2, 2, 20_000, 8));
    check(
        &full,
        &place(3, 3, &[(1, 1)]),
        Refused(Refusal::SoldOut, "sold_out"),
    );
    let given = check(&full, &transfer(1_000, 1, 2, 9), TRANSFERRED);
    assert_eq!(given.counts(0), (0, 10));
    let over = Refused(
        Refusal::BuyerLimitExceeded { limit: 8, live: 2 },
        "buyer_limit_exceeded",
    );
    check(&given, &place(3, 1, &[(4, 7)]), over);
    check(&given, &place(3, 1, &[(4, 6)]), Records(&["HoldPlaced"]));
}

#[test]
fn only_its_owner_gives_a_ticket_away() {
    let not_found = || Refused(Refusal::TicketNotFound, "not_found");
    check(&sold(), &transfer(1_000, 2, 3, 9), not_found());
    check(&sold(), &transfer(7, 1, 2, 9), not_found());
    let given = sold().then(transfer(1_000, 1, 2, 9));
    check(&given, &transfer(1_000, 1, 3, 10), not_found());
    check(&given, &transfer(1_000, 2, 1, 10), TRANSFERRED);
}

#[test]
fn a_ticket_goes_to_somebody_else() {
    let own = Refused(Refusal::TransferToSelf, "transfer_to_self");
    check(&sold(), &transfer(1_000, 1, 1, 9), own);
}

#[test]
fn a_ticket_that_is_void_or_used_stays_with_its_owner() {
    let table = [
        (
            sold().then(scan(1_000, Direction::In, 1)),
            Refusal::TicketUsed,
            "ticket_used",
        ),
        (
            sold().then(cancel(1, None)),
            Refusal::TicketCancelled,
            "ticket_cancelled",
        ),
        (
            sold().then(refund(1, 1, &[1_000])),
            Refusal::TicketRefunded,
            "ticket_refunded",
        ),
        (
            sold().then(change_status(EventStatus::Cancelled)),
            Refusal::EventCancelled,
            "event_cancelled",
        ),
    ];
    for (sale, refusal, code) in table {
        check(&sale, &transfer(1_000, 1, 2, 9), Refused(refusal, code));
    }
}

#[test]
fn a_code_is_used_once() {
    let exists = || Refused(Refusal::TicketExists, "internal");
    check(&sold(), &transfer(1_000, 1, 2, 1_001), exists());
    check(&sold(), &transfer(1_000, 1, 2, 1_000), exists());
    let given = sold().then(transfer(1_000, 1, 2, 9));
    check(&given, &transfer(1_000, 2, 1, 1_000), exists());
}

#[test]
fn a_ticket_has_a_largest_number_of_transfers() {
    let mut sale = sold();
    for version in 1..TICKET_VERSION_MAX {
        let (from, to) = if version % 2 == 1 { (1, 2) } else { (2, 1) };
        sale = sale.then(transfer(1_000, from, to, 10_000 + version));
    }
    let many = Refused(
        Refusal::TooMany {
            what: "transfers of a ticket",
        },
        "too_many",
    );
    check(&sale, &transfer(1_000, 2, 1, 9), many);
}

#[test]
fn a_transfer_answers_its_key() {
    let command = keyed(transfer(1_000, 1, 2, 9), key(5, 0));
    let sale = sold().then(command.clone());
    let seq = sale.inventory.seq();
    check(&sale, &command, Replayed(seq));
    let again = keyed(transfer(1_000, 1, 2, 10), key(5, 0));
    check(&sale, &again, Replayed(seq));
    let other = keyed(transfer(1_001, 1, 2, 10), key(5, 1));
    check(
        &sale,
        &other,
        Refused(Refusal::KeyReused, "idempotency_key_reused"),
    );
}
