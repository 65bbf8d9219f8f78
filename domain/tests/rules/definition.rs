//! Creating and editing the event, its quotas and ticket types.

use onsale_domain::money::Currency;
use onsale_domain::{EventDetails, EventStatus, Refusal};

use super::common::*;
use super::{Records, Refused, Sale, check};

#[test]
fn an_event_is_created_once() {
    let created = check(&Sale::nothing(), &create(details()), Records(&["EventCreated"]));
    assert_eq!(created.status(), EventStatus::Draft);
    check(
        &created,
        &create(details()),
        Refused(Refusal::EventExists, "already_exists"),
    );
}

#[test]
fn an_edit_names_the_version_that_its_editor_saw() {
    let sale = Sale::draft(details());
    let version = sale.version();
    let outdated = || Refused(Refusal::VersionMismatch { version }, "version_mismatch");
    check(&sale, &edit(details(), version - 1), outdated());
    check(&sale, &set_quota(quota(1, 5), version + 1), outdated());
    check(&sale, &set_ticket_type(ticket_type(1, 1, 1), 0), outdated());
    let edited = check(&sale, &edit(details(), version), Records(&["EventEdited"]));
    assert_eq!(edited.version(), version + 1);
    let published = Sale::published();
    let version = published.version();
    let command = onsale_domain::Command::ChangeStatus {
        to: EventStatus::Closed,
        expected_version: Some(version - 1),
    };
    check(
        &published,
        &command,
        Refused(Refusal::VersionMismatch { version }, "version_mismatch"),
    );
}

#[test]
fn selling_does_not_change_the_version() {
    let sale = Sale::on_sale();
    let version = sale.version();
    let sale = sale.then(place(1, 1, &[(1, 1)])).then(confirm(1, 1, 2_500, 1));
    assert_eq!(sale.version(), version);
}

#[test]
fn what_may_have_been_sold_under_does_not_change() {
    let frozen = |field| Refused(Refusal::Frozen { field }, "frozen_field");
    let other_owner = EventDetails {
        organization_id: organization_id(2),
        ..details()
    };
    let dollars = EventDetails {
        currency: Currency::USD,
        ..details()
    };
    let draft = Sale::draft(details());
    check(
        &draft,
        &edit(other_owner.clone(), draft.version()),
        frozen("organization_id"),
    );
    check(
        &draft,
        &edit(dollars.clone(), draft.version()),
        Records(&["EventEdited"]),
    );
    check(
        &draft,
        &set_ticket_type(ticket_type(1, 2, 1), draft.version()),
        Records(&["TicketTypeSet"]),
    );
    let published = Sale::published();
    let version = published.version();
    check(&published, &edit(other_owner, version), frozen("organization_id"));
    check(&published, &edit(dollars, version), frozen("currency"));
    check(
        &published,
        &set_ticket_type(ticket_type(1, 2, 1), version),
        frozen("quota_id"),
    );
    check(
        &published,
        &set_ticket_type(ticket_type(1, 1, 1), version),
        Records(&["TicketTypeSet"]),
    );
}

#[test]
fn capacity_never_goes_below_what_is_sold_and_held() {
    let sale = Sale::on_sale()
        .then(place(1, 1, &[(1, 3)]))
        .then(confirm(1, 1, 7_500, 3))
        .then(place(2, 2, &[(2, 2)]));
    let version = sale.version();
    let below = Refused(
        Refusal::CapacityBelowCommitted { committed: 5 },
        "capacity_below_committed",
    );
    check(&sale, &set_quota(quota(1, 4), version), below);
    let full = check(&sale, &set_quota(quota(1, 5), version), Records(&["QuotaSet"]));
    let next_expiry_at = Some(onsale_domain::UnixMillis(OPENS + HOLD_DURATION));
    check(
        &full,
        &place(3, 3, &[(1, 1)]),
        Refused(Refusal::AllHeld { next_expiry_at }, "all_held"),
    );
    let more = full.then_at_version(|version| set_quota(quota(1, 6), version));
    check(&more, &place(3, 3, &[(1, 1)]), Records(&["HoldPlaced"]));
}

#[test]
fn a_ticket_type_draws_from_a_known_quota() {
    let draft = Sale::draft(details());
    let command = set_ticket_type(ticket_type(30, 9, 1), draft.version());
    check(
        &draft,
        &command,
        Refused(Refusal::UnknownQuota, "validation_failed"),
    );
}

#[test]
fn a_cancelled_event_cannot_be_edited() {
    let sale = Sale::published().then(change_status(EventStatus::Cancelled));
    let version = sale.version();
    let cancelled = || Refused(Refusal::EventCancelled, "event_cancelled");
    check(&sale, &edit(details(), version), cancelled());
    check(&sale, &set_quota(quota(1, 20), version), cancelled());
    check(
        &sale,
        &set_ticket_type(ticket_type(1, 1, 1), version),
        cancelled(),
    );
}
