//! The table of the event's states, and the sales window.

use onsale_domain::EventStatus::{self, Cancelled, Closed, Deleted, Draft, OnSale, Paused, Published};
use onsale_domain::{Command, Refusal, UnixMillis};

use super::common::*;
use super::{Expected, Records, Refused, Sale, Unchanged, check};

const ALL: [EventStatus; 7] = [Draft, Published, OnSale, Paused, Closed, Cancelled, Deleted];

/// Each status, before the sales window except for those that only the window leads to.
fn sale_in(status: EventStatus) -> Sale {
    let sale = match status {
        Draft => Sale::draft(details()),
        Published => Sale::published(),
        OnSale | Closed => Sale::on_sale(),
        Paused => Sale::on_sale().then(change_status(Paused)),
        Cancelled => Sale::published().then(change_status(Cancelled)),
        Deleted => Sale::draft(details()).then(change_status(Deleted)),
    };
    if status == Closed {
        sale.then(change_status(Closed))
    } else {
        sale
    }
}

const CHANGED: Expected<'static> = Records(&["StatusChanged"]);

fn no_arrow(from: EventStatus, to: EventStatus) -> Expected<'static> {
    Refused(Refusal::InvalidTransition { from, to }, "invalid_transition")
}

#[test]
fn staff_move_an_event_only_along_the_table() {
    let arrows = [
        (Draft, Published),
        (OnSale, Paused),
        (Paused, OnSale),
        (Published, Closed),
        (OnSale, Closed),
        (Paused, Closed),
        (Draft, Deleted),
        (Draft, Cancelled),
        (Published, Cancelled),
        (OnSale, Cancelled),
        (Paused, Cancelled),
        (Closed, Cancelled),
    ];
    for from in ALL {
        for to in ALL {
            let expected = if from == to {
                Unchanged
            } else if arrows.contains(&(from, to)) {
                CHANGED
            } else if to == Deleted {
                Refused(Refusal::NotDraft, "not_draft")
            } else if (from, to) == (Published, OnSale) {
                let opens_at = Some(UnixMillis(OPENS));
                Refused(Refusal::SaleNotStarted { opens_at }, "sale_not_started")
            } else {
                no_arrow(from, to)
            };
            check(&sale_in(from), &change_status(to), expected);
        }
    }
}

#[test]
fn an_event_without_ticket_types_cannot_be_published() {
    let empty = Sale::nothing().then(create(details()));
    let nothing = Refused(Refusal::NothingToSell, "nothing_to_sell");
    check(&empty, &change_status(Published), nothing);
    check(&empty, &change_status(Cancelled), CHANGED);
}

#[test]
fn the_sales_window_opens_and_closes_the_sale() {
    let sale = Sale::published();
    assert_eq!(sale.inventory.next_status_at(), Some(UnixMillis(OPENS)));
    check(&sale.clone().at(OPENS - 1), &Command::Advance, Unchanged);
    let open = check(&sale.clone().at(OPENS), &Command::Advance, CHANGED);
    assert_eq!(open.status(), OnSale);
    assert_eq!(open.inventory.next_status_at(), Some(UnixMillis(CLOSES)));
    check(&open.clone().at(CLOSES - 1), &Command::Advance, Unchanged);
    let paused = open.clone().then(change_status(Paused));
    for sale in [sale, open, paused] {
        let closed = check(&sale.at(CLOSES), &Command::Advance, CHANGED);
        assert_eq!(closed.status(), Closed);
        assert_eq!(closed.inventory.next_status_at(), None);
    }
}

#[test]
fn a_draft_waits_for_staff_however_late_it_is() {
    check(&Sale::draft(details()).at(CLOSES), &Command::Advance, Unchanged);
}

#[test]
fn stopping_does_not_wait_for_a_fresh_read() {
    let sale = Sale::on_sale();
    check(&sale, &change_status(Paused), CHANGED);
    let version = sale.version();
    let command = Command::ChangeStatus {
        to: Paused,
        expected_version: Some(version),
    };
    check(&sale, &command, CHANGED);
}

#[test]
fn a_window_that_closed_a_moment_ago_counts_for_staff() {
    for before in [Published, OnSale, Paused] {
        let due = sale_in(before).at(CLOSES);
        check(&due, &change_status(Closed), CHANGED);
        check(
            &due,
            &change_status(Cancelled),
            Records(&["StatusChanged", "StatusChanged"]),
        );
        for to in [Published, OnSale, Paused] {
            check(&due, &change_status(to), no_arrow(Closed, to));
        }
    }
}

#[test]
fn a_window_that_opened_a_moment_ago_counts_for_staff() {
    let due = Sale::published().at(OPENS);
    check(&due, &change_status(OnSale), CHANGED);
    let paused = check(
        &due,
        &change_status(Paused),
        Records(&["StatusChanged", "StatusChanged"]),
    );
    assert_eq!(paused.status(), Paused);
    check(&due, &change_status(Published), no_arrow(OnSale, Published));
}
