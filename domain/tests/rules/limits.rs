//! Quantities, prices and sizes at and beyond their bounds.

use onsale_domain::limits::{
    CAPACITY_MAX, LINES_MAX, ORDER_QUANTITY_MAX, QUOTAS_MAX, TICKET_TYPES_MAX, UNIT_PRICE_MINOR_MAX,
};
use onsale_domain::price::totals;
use onsale_domain::record::Line;
use onsale_domain::{EventDetails, Quota, Refusal, TicketType};

use super::common::*;
use super::{Records, Refused, Sale, check};

fn invalid(field: &'static str) -> super::Expected<'static> {
    Refused(Refusal::InvalidField { field }, "validation_failed")
}

#[test]
fn a_quantity_outside_its_range_is_refused_and_not_wrapped() {
    let sale = Sale::unlimited();
    for quantity in [0, -1, 101, 1 << 32, (1 << 32) + 1, i64::MAX, i64::MIN] {
        let refused = Refused(Refusal::QuantityOutOfRange { line: 1 }, "validation_failed");
        check(&sale, &place(1, 1, &[(1, 1), (4, quantity)]), refused);
    }
    check(&sale, &place(1, 1, &[(4, 100)]), Records(&["HoldPlaced"]));
}

#[test]
fn lines_must_be_few_distinct_and_known() {
    let sale = Sale::unlimited();
    let bad = |reason| Refused(Refusal::BadLines { reason }, "validation_failed");
    check(&sale, &place(1, 1, &[]), bad("at least one line is needed"));
    check(&sale, &place(1, 1, &vec![(4, 1); 10_000]), bad("too many lines"));
    check(
        &sale,
        &place(1, 1, &[(4, 1); LINES_MAX + 1]),
        bad("too many lines"),
    );
    check(
        &sale,
        &place(1, 1, &[(4, 1), (5, 1), (4, 1)]),
        bad("two lines have the same ticket type"),
    );
    let unknown = Refused(Refusal::UnknownTicketType { line: 1 }, "validation_failed");
    check(&sale, &place(1, 1, &[(4, 1), (99, 1)]), unknown);
    let most: Vec<(u32, i64)> = (4..20).map(|ticket_type| (ticket_type, 1)).collect();
    assert_eq!(most.len(), LINES_MAX);
    check(&sale, &place(1, 1, &most), Records(&["HoldPlaced"]));
}

#[test]
fn an_order_has_a_largest_number_of_tickets() {
    let sale = Sale::unlimited();
    let ten: Vec<(u32, i64)> = (4..14).map(|ticket_type| (ticket_type, 100)).collect();
    check(&sale, &place(1, 1, &ten), Records(&["HoldPlaced"]));
    let more: Vec<_> = ten.into_iter().chain([(14, 1)]).collect();
    check(
        &sale,
        &place(1, 1, &more),
        Refused(
            Refusal::BadLines {
                reason: "too many tickets",
            },
            "validation_failed",
        ),
    );
}

#[test]
fn money_is_checked_and_never_wraps() {
    let total = |lines: &[Line]| totals(lines).map(|totals| totals.total_minor);
    assert_eq!(total(&[line(1, 1, i64::MAX)]), Some(i64::MAX));
    assert_eq!(total(&[line(1, 2, i64::MAX)]), None);
    assert_eq!(total(&[line(1, 2, i64::MAX / 2 + 1)]), None);
    assert_eq!(total(&[line(1, 1, i64::MAX), line(2, 1, 1)]), None);
    assert_eq!(total(&[line(1, 2, 2_500), line(2, 1, 1_000)]), Some(6_000));
    assert_eq!(total(&[]), Some(0));
}

#[test]
fn the_dearest_order_can_be_sold() {
    let sale = Sale::draft(EventDetails {
        buyer_limit: None,
        ..details()
    });
    let mut sale = (4..14).fold(sale, |sale, number| {
        sale.then_at_version(|version| set_ticket_type(ticket_type(number, 3, UNIT_PRICE_MINOR_MAX), version))
    });
    sale = sale
        .then(change_status(onsale_domain::EventStatus::Published))
        .at(OPENS);
    let lines: Vec<(u32, i64)> = (4..14).map(|ticket_type| (ticket_type, 100)).collect();
    let sale = sale.then(place(1, 1, &lines));
    let total = UNIT_PRICE_MINOR_MAX * i64::from(ORDER_QUANTITY_MAX);
    check(
        &sale,
        &confirm(1, 1, total, ORDER_QUANTITY_MAX),
        Records(&["HoldConfirmed"]),
    );
}

#[test]
fn details_are_checked_field_by_field() {
    type Spoil = fn(&mut EventDetails);
    let table: [(&str, Spoil); 14] = [
        ("name", |details| {
            details.name = " ".to_owned();
        }),
        ("name", |details| {
            details.name = "x".repeat(201);
        }),
        ("name", |details| {
            details.name = "a\0b".to_owned();
        }),
        ("description", |details| {
            details.description = "x".repeat(8_001);
        }),
        ("description", |details| {
            details.description = "\0".to_owned();
        }),
        ("venue", |details| {
            details.venue = "x".repeat(201);
        }),
        ("time_zone", |details| {
            details.time_zone = "Mars/Olympus".to_owned();
        }),
        ("sales_window", |details| {
            details.sales_window.closes_at = details.sales_window.opens_at;
        }),
        ("hold_duration_seconds", |details| {
            details.hold_duration_ms = 999;
        }),
        ("hold_duration_seconds", |details| {
            details.hold_duration_ms = 24 * HOUR + 1;
        }),
        ("hold_duration_seconds", |details| {
            details.hold_duration_ms = -1;
        }),
        ("hold_lifetime_seconds_max", |details| {
            details.hold_lifetime_ms_max = HOLD_DURATION - 1;
        }),
        ("hold_lifetime_seconds_max", |details| {
            details.hold_lifetime_ms_max = 24 * HOUR + 1;
        }),
        ("buyer_limit", |details| {
            details.buyer_limit = Some(0);
        }),
    ];
    for (field, spoil) in table {
        let mut spoiled = details();
        spoil(&mut spoiled);
        check(&Sale::nothing(), &create(spoiled.clone()), invalid(field));
        let draft = Sale::draft(details());
        check(&draft, &edit(spoiled, draft.version()), invalid(field));
    }
}

#[test]
fn ticket_types_and_quotas_are_checked_field_by_field() {
    let draft = Sale::draft(details());
    let version = draft.version();
    for unit_price_minor in [-1, UNIT_PRICE_MINOR_MAX + 1, i64::MAX, i64::MIN] {
        check(
            &draft,
            &set_ticket_type(ticket_type(1, 1, unit_price_minor), version),
            invalid("price"),
        );
    }
    let nameless = TicketType {
        name: String::new(),
        ..ticket_type(1, 1, 1)
    };
    check(&draft, &set_ticket_type(nameless, version), invalid("name"));
    check(
        &draft,
        &set_quota(quota(1, CAPACITY_MAX + 1), version),
        invalid("capacity"),
    );
    let nameless = Quota {
        name: String::new(),
        ..quota(1, 1)
    };
    check(&draft, &set_quota(nameless, version), invalid("name"));
    check(
        &draft,
        &set_quota(quota(1, CAPACITY_MAX), version),
        Records(&["QuotaSet"]),
    );
}

#[test]
fn an_event_has_a_largest_number_of_quotas_and_ticket_types() {
    let mut sale = Sale::nothing().then(create(details()));
    for number in 0..u32::try_from(QUOTAS_MAX).unwrap() {
        sale = sale.then_at_version(|version| set_quota(quota(number, 1), version));
    }
    let too_many = |what| Refused(Refusal::TooMany { what }, "too_many");
    check(
        &sale,
        &set_quota(quota(999, 1), sale.version()),
        too_many("quotas"),
    );
    check(
        &sale,
        &set_quota(quota(0, 2), sale.version()),
        Records(&["QuotaSet"]),
    );
    for number in 0..u32::try_from(TICKET_TYPES_MAX).unwrap() {
        sale = sale.then_at_version(|version| set_ticket_type(ticket_type(number, 0, 1), version));
    }
    check(
        &sale,
        &set_ticket_type(ticket_type(999, 0, 1), sale.version()),
        too_many("ticket types"),
    );
    check(
        &sale,
        &set_ticket_type(ticket_type(0, 0, 2), sale.version()),
        Records(&["TicketTypeSet"]),
    );
}

/// A rule that reads the machine's own zones would decide differently on the next machine.
#[test]
fn time_zones_come_from_the_program_and_not_from_the_machine() {
    let database = format!("{:?}", jiff::tz::db()).to_lowercase();
    assert!(database.contains("bundled"), "{database}");
    for machine in ["zoneinfo\"", "/usr/share", "concatenated"] {
        assert!(!database.contains(machine), "{database}");
    }
    assert!(jiff::tz::TimeZone::get("Europe/Berlin").is_ok());
    // Many machines have this one.
    assert!(jiff::tz::TimeZone::get("right/Europe/Berlin").is_err());
}
