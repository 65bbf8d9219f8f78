//! Each way in which a sale can have gone wrong must fail the verdict.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use super::*;

const QUOTA: Uuid = Uuid::from_u128(1);

/// Two orders of one ticket each at 500, quota of 2: everything as it should be.
struct Case {
    evidence: Evidence,
    clients: Summary,
    context: Context,
}

fn order(number: u128) -> Uuid {
    Uuid::from_u128(100 + number)
}

fn ticket(number: u128) -> Uuid {
    Uuid::from_u128(200 + number)
}

fn hold(number: u128) -> Uuid {
    Uuid::from_u128(300 + number)
}

fn sound() -> Case {
    Case {
        evidence: Evidence {
            quotas: HashMap::from([(QUOTA, 2)]),
            tickets: (0..2)
                .map(|number| TicketEvidence {
                    ticket_id: ticket(number),
                    order_id: order(number),
                    quota_id: QUOTA,
                    code: format!("CODE{number}"),
                })
                .collect(),
            holds: HashMap::from([(order(0), 500), (order(1), 500), (hold(2), 700)]),
            orders: HashMap::from([(order(0), 500), (order(1), 500)]),
            captured_minor: 1_000,
            payments_pending: 0,
        },
        clients: Summary {
            acknowledgements: (0..2)
                .map(|number| Acknowledgement {
                    order_id: order(number),
                    ticket_ids: vec![ticket(number)],
                    key: number.to_string(),
                    total_minor: 500,
                })
                .collect(),
            // One became the second order, one was left to expire.
            holds: [(order(1), 500), (hold(2), 700)]
                .map(|(hold_id, total_minor)| AcknowledgedHold { hold_id, total_minor })
                .to_vec(),
            acknowledged_per_second: 12.34,
            p50_ms: 1.0,
            p99_ms: 2.0,
            p999_ms: 3.0,
            recovery_ms: Some(4.0),
            refusals: BTreeMap::new(),
        },
        context: Context {
            offered_per_second: 10.0,
            crashed: true,
            audit_clean: true,
        },
    }
}

fn check(name: &str, spoil: impl FnOnce(&mut Case), expect: impl FnOnce(&Verdict) -> bool) {
    let mut case = sound();
    spoil(&mut case);
    let verdict = judge(&case.evidence, &case.clients, case.context);
    assert!(expect(&verdict), "{name}: {verdict:?}");
}

fn fails(verdict: &Verdict) -> bool {
    verdict.verdict == Outcome::Fail
}

#[test]
fn a_sound_sale_passes() {
    check(
        "sound",
        |_| {},
        |verdict| verdict.verdict == Outcome::Pass && verdict.capacity == 2 && verdict.sold == 2,
    );
}

#[test]
fn a_sale_that_nobody_crashed_needs_no_recovery() {
    let no_crash = |case: &mut Case| {
        case.context.crashed = false;
        case.clients.recovery_ms = None;
    };
    check("no crash", no_crash, |verdict| verdict.verdict == Outcome::Pass);
}

#[test]
fn a_cut_off_answer_is_no_loss() {
    // The server sold it, the client never heard: Postgres may know more than the clients, not less.
    let unheard = |case: &mut Case| {
        case.clients.acknowledgements.pop();
    };
    check("unheard", unheard, |verdict| verdict.verdict == Outcome::Pass);
}

#[test]
fn lost_acknowledgements_fail() {
    let lost = |verdict: &Verdict| fails(verdict) && verdict.lost_acknowledgements == 1;
    check(
        "order missing",
        |case| {
            case.evidence.orders.remove(&order(1));
            case.evidence.captured_minor = 500;
        },
        lost,
    );
    check(
        "ticket missing",
        |case| {
            case.evidence.tickets.pop();
        },
        lost,
    );
    check(
        "ticket of another order",
        |case| {
            case.evidence.tickets[1].order_id = order(0);
        },
        lost,
    );
    check(
        "another total",
        |case| {
            case.evidence.orders.insert(order(1), 400);
            case.evidence.captured_minor = 900;
        },
        lost,
    );
    check(
        "abandoned hold missing",
        |case| {
            case.evidence.holds.remove(&hold(2));
        },
        lost,
    );
    check(
        "hold of an order missing",
        |case| {
            case.evidence.holds.remove(&order(1));
        },
        lost,
    );
    check(
        "hold at another total",
        |case| {
            case.evidence.holds.insert(hold(2), 600);
        },
        lost,
    );
    check(
        "told without tickets",
        |case| {
            case.clients.acknowledgements[0].ticket_ids.clear();
        },
        lost,
    );
}

#[test]
fn overselling_fails() {
    check(
        "capacity 1",
        |case| {
            case.evidence.quotas.insert(QUOTA, 1);
        },
        |verdict| fails(verdict) && verdict.oversold == 1,
    );
    check(
        "free seats elsewhere do not make up for it",
        |case| {
            case.evidence.quotas.insert(QUOTA, 1);
            case.evidence.quotas.insert(Uuid::from_u128(2), 5);
        },
        |verdict| fails(verdict) && verdict.oversold == 1,
    );
    check(
        "unknown quota",
        |case| {
            case.evidence.tickets[0].quota_id = Uuid::from_u128(9);
        },
        |verdict| fails(verdict) && verdict.oversold == 1,
    );
}

#[test]
fn duplicate_tickets_fail() {
    let duplicate = |verdict: &Verdict| fails(verdict) && verdict.duplicate_seats == 1;
    check(
        "same code",
        |case| {
            case.evidence.tickets[1].code = case.evidence.tickets[0].code.clone();
        },
        duplicate,
    );
    check(
        "same id stored twice",
        |case| {
            let again = case.evidence.tickets[0].clone();
            case.evidence.tickets.push(again);
            case.evidence.quotas.insert(QUOTA, 3);
        },
        duplicate,
    );
    check(
        "one ticket told to two buyers",
        |case| {
            case.clients.acknowledgements[1].ticket_ids.push(ticket(0));
        },
        duplicate,
    );
}

#[test]
fn money_that_does_not_add_up_fails() {
    check(
        "captured too little",
        |case| case.evidence.captured_minor = 500,
        fails,
    );
    check(
        "captured too much",
        |case| case.evidence.captured_minor = 1_500,
        fails,
    );
    check("not settled", |case| case.evidence.payments_pending = 1, fails);
}

#[test]
fn an_unhappy_auditor_no_recovery_or_no_sale_fails() {
    check("audit", |case| case.context.audit_clean = false, fails);
    check("no recovery", |case| case.clients.recovery_ms = None, fails);
    check(
        "nobody served",
        |case| case.clients.acknowledgements.clear(),
        fails,
    );
}

#[test]
fn json_has_exactly_the_promised_fields() {
    let case = sound();
    let verdict = judge(&case.evidence, &case.clients, case.context);
    let json = serde_json::to_value(&verdict).unwrap();
    let fields: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let mut promised = vec![
        "capacity",
        "sold",
        "oversold",
        "duplicate_seats",
        "lost_acknowledgements",
        "captured_minor",
        "orders_minor",
        "offered_per_second",
        "acknowledged_per_second",
        "p50_ms",
        "p99_ms",
        "p999_ms",
        "recovery_ms",
        "verdict",
    ];
    promised.sort_unstable();
    let mut fields = fields;
    fields.sort_unstable();
    assert_eq!(fields, promised);
    assert_eq!(json["verdict"], "pass");
}
