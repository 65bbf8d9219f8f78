//! What folding must do, without a database.

use onsale_domain::money::Currency;
use onsale_domain::record::{HoldConfirmed, HoldPlaced, HoldReleased, Line, ReleaseReason};
use onsale_domain::{
    BuyerId, EventId, EventStatus, HoldId, Money, Record, Tax, TicketTypeId, UnixMillis, codec,
};
use onsale_engine::port::{Chain, Epoch, JournalEntry, ProjectionError};
use uuid::Uuid;

use super::{HoldStatus, RowChanges, UnitChange, fold};

const AT: UnixMillis = UnixMillis(1_800_000_000_000);
const EVENT: EventId = EventId(Uuid::from_u128(1));
const BUYER: BuyerId = BuyerId(Uuid::from_u128(2));
const TYPE: TicketTypeId = TicketTypeId(Uuid::from_u128(3));

fn hold(number: u128) -> HoldId {
    HoldId(Uuid::from_u128(100 + number))
}

fn line(quantity: u32) -> Line {
    Line {
        ticket_type_id: TYPE,
        quantity,
        unit_price_minor: 500,
        unit_fee_minor: 0,
        tax: Tax::NONE,
    }
}

fn placed(number: u128, quantity: u32) -> Record {
    Record::HoldPlaced(HoldPlaced {
        at: AT,
        hold_id: hold(number),
        buyer_id: BUYER,
        lines: [line(quantity)].into_iter().collect(),
        currency: Currency::EUR,
        expires_at: AT.plus_ms(1_000),
        payment: None,
        package_order_id: None,
        key: None,
    })
}

fn confirmed(number: u128, quantity: u32) -> Record {
    Record::HoldConfirmed(HoldConfirmed {
        at: AT,
        hold_id: hold(number),
        buyer_id: BUYER,
        lines: [line(quantity)].into_iter().collect(),
        total: Money {
            amount_minor: 500 * i64::from(quantity),
            currency: Currency::EUR,
        },
        payment: None,
        pending_since: None,
        package_order_id: None,
        tickets: Vec::new(),
        key: None,
    })
}

fn released(number: u128, quantity: u32) -> Record {
    Record::HoldReleased(HoldReleased {
        at: AT,
        hold_id: hold(number),
        buyer_id: BUYER,
        lines: [line(quantity)].into_iter().collect(),
        reason: ReleaseReason::Buyer,
        payment: None,
        key: None,
    })
}

fn extended(number: u128, by_ms: i64) -> Record {
    Record::HoldExtended {
        at: AT,
        hold_id: hold(number),
        expires_at: AT.plus_ms(by_ms),
    }
}

fn cancelled(number: u128, quantity: u32) -> Record {
    Record::OrderCancelled {
        at: AT,
        order_id: hold(number).into(),
        buyer_id: BUYER,
        lines: [line(quantity)].into_iter().collect(),
    }
}

fn entry(first_seq: u64, records: &[Record]) -> JournalEntry {
    JournalEntry {
        event_id: EVENT,
        epoch: Epoch(1),
        first_seq,
        last_seq: first_seq + u64::try_from(records.len()).expect("a length") - 1,
        chain: Chain::default(),
        payload: codec::encode_records(records.iter()).expect("encodes").into(),
    }
}

fn folded(records: &[Record]) -> RowChanges {
    fold(&[entry(11, records)]).expect("folds")
}

fn units(changes: &RowChanges) -> (i64, i64) {
    let change = changes.units.get(&(EVENT, TYPE)).copied().unwrap_or_default();
    let UnitChange { held, sold } = change;
    (held, sold)
}

#[test]
fn a_hold_of_this_batch_ends_as_one_row() {
    for (records, status, counts) in [
        (vec![placed(1, 3)], HoldStatus::Held, (3, 0)),
        (vec![placed(1, 3), confirmed(1, 3)], HoldStatus::Confirmed, (0, 3)),
        (vec![placed(1, 3), released(1, 3)], HoldStatus::Released, (0, 0)),
        (
            vec![placed(1, 3), confirmed(1, 3), cancelled(1, 3)],
            HoldStatus::Confirmed,
            (0, 0),
        ),
    ] {
        let changes = folded(&records);
        assert_eq!((changes.new_holds.len(), changes.changed_holds.len()), (1, 0));
        assert_eq!(changes.new_holds[0].status, status);
        assert_eq!(units(&changes), counts);
    }
}

#[test]
fn a_hold_of_an_earlier_batch_changes_once() {
    let changes = folded(&[
        extended(1, 5_000),
        extended(1, 9_000),
        confirmed(1, 2),
        placed(2, 1),
    ]);
    assert_eq!((changes.new_holds.len(), changes.changed_holds.len()), (1, 1));
    let hold = &changes.changed_holds[0];
    assert_eq!(hold.status, Some(HoldStatus::Confirmed));
    assert_eq!(hold.expires_at, Some(AT.plus_ms(9_000)));
    assert_eq!(hold.seq, 13);
    assert_eq!(units(&changes), (-1, 2));
}

#[test]
fn an_order_cancelled_in_its_own_batch_is_one_row() {
    let changes = folded(&[confirmed(1, 2), cancelled(1, 2), cancelled(2, 1)]);
    let rows: Vec<_> = changes
        .orders
        .iter()
        .map(|order| (order.new.is_some(), order.cancelled_at, order.seq))
        .collect();
    assert_eq!(rows, [(true, Some(AT), 12), (false, Some(AT), 13)]);
    assert_eq!(units(&changes), (-2, -1));
}

#[test]
fn the_last_status_stands() {
    let status = |to| Record::StatusChanged { at: AT, to };
    let changes = folded(&[status(EventStatus::Published), status(EventStatus::OnSale)]);
    let change = &changes.events[&EVENT];
    assert_eq!((change.status, change.version), (Some(EventStatus::OnSale), 12));
    assert!(change.details.is_none());
}

#[test]
fn entries_must_follow_each_other() {
    let changes = fold(&[entry(1, &[placed(1, 1)]), entry(2, &[placed(2, 1)])]).expect("folds");
    assert_eq!(
        (changes.watermarks[&EVENT].from, changes.watermarks[&EVENT].to),
        (0, 2)
    );
    for entries in [
        [entry(1, &[placed(1, 1)]), entry(3, &[placed(2, 1)])],
        [entry(2, &[placed(1, 1)]), entry(1, &[placed(2, 1)])],
        [entry(1, &[placed(1, 1)]), entry(2, &[placed(1, 1)])],
    ] {
        assert!(matches!(fold(&entries), Err(ProjectionError::Damaged(_))));
    }
}
