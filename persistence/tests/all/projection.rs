//! The projection writes each record's rows once, and never rows that break a check.

use std::collections::HashSet;

use onsale_domain::{Command, EventStatus, OrderId, UnixMillis};
use onsale_engine::port::{JournalEntry, ProjectionError, ProjectionSink};
use onsale_persistence::audit::Counters;
use onsale_persistence::{OrderRow, OrderStatus, PaymentStatus, PostgresProjection, TicketStatus};

use crate::support::{Sale, TestDatabase};

async fn project(test: &TestDatabase, entries: &[JournalEntry]) -> Result<(), ProjectionError> {
    PostgresProjection::new(test.database.clone())
        .project(entries)
        .await
}

/// What the event's quotas add up to.
async fn counters(test: &TestDatabase, sale: &Sale) -> Counters {
    let rows = test.rows(sale.event_id).await;
    let mut sum = Counters::default();
    for quota in rows.quotas.values() {
        sum.capacity += quota.capacity;
        sum.held += quota.held;
        sum.sold += quota.sold;
    }
    sum
}

async fn order_row(test: &TestDatabase, sale: &Sale, order_id: OrderId) -> OrderRow {
    let order = test.database.order(sale.event_id, order_id).await;
    order.expect("order").expect("projected")
}

#[tokio::test]
async fn a_hold_and_its_end_in_one_batch_are_one_row() {
    let test = TestDatabase::new().await;
    let mut sale = Sale::new();
    let (kept, bought, returned) = (
        sale.place(&[(0, 3)]),
        sale.place(&[(1, 2)]),
        sale.place(&[(2, 1)]),
    );
    let order_id = sale.confirm(bought);
    sale.release(returned).expect("released");
    let entry = sale.entry();
    project(&test, std::slice::from_ref(&entry))
        .await
        .expect("project");
    let rows = test.rows(sale.event_id).await;
    for ((hold_id, _), expected) in [(kept, "held"), (bought, "confirmed"), (returned, "released")] {
        assert_eq!(rows.holds[&hold_id.0].status, expected);
    }
    let order = order_row(&test, &sale, order_id).await;
    assert_eq!((order.status, order.total_minor), (OrderStatus::Confirmed, 5_000));
    assert_eq!(
        order.payment.as_ref().map(|payment| payment.status),
        Some(PaymentStatus::Authorized)
    );
    assert!(
        order
            .tickets
            .iter()
            .all(|ticket| ticket.status == TicketStatus::Valid)
    );
    let quotas = counters(&test, &sale).await;
    assert_eq!((quotas.capacity, quotas.held, quotas.sold), (200, 3, 2));
    assert_eq!(
        (rows.holds.len(), rows.orders.len(), rows.tickets.len()),
        (3, 1, 2)
    );
    let codes: HashSet<_> = rows.tickets.values().map(|ticket| &ticket.code).collect();
    assert_eq!(codes.len(), 2);
    let quantities: Vec<_> = order.lines.iter().map(|line| line.quantity).collect();
    assert_eq!(quantities, [2]);
    assert_eq!(rows.payments[&order_id.0].amount_minor, 5_000);
    assert_eq!(rows.watermark, entry.last_seq);
    let event = test.event(sale.event_id).await.expect("projected");
    assert_eq!(event.status, EventStatus::OnSale);
    assert_eq!(event.definition_version, sale.version());
}

#[tokio::test]
async fn later_batches_change_earlier_rows() {
    let test = TestDatabase::new().await;
    let mut sale = Sale::new();
    let (extended, paid, free) = (
        sale.place(&[(0, 3)]),
        sale.place(&[(1, 2)]),
        sale.place(&[(2, 1)]),
    );
    project(&test, &[sale.entry()]).await.expect("project");
    sale.now = sale.now.plus_ms(60_000);
    let (hold_id, buyer_id) = extended;
    sale.apply(&Command::ExtendHold { hold_id, buyer_id });
    let (paid, free) = (sale.confirm(paid), sale.confirm(free));
    project(&test, &[sale.entry()]).await.expect("project");
    let marked = |from, to| test.database.mark_payment(sale.event_id, paid, from, to);
    assert!(
        marked(PaymentStatus::Authorized, PaymentStatus::Captured)
            .await
            .expect("mark")
    );
    assert!(
        !marked(PaymentStatus::Authorized, PaymentStatus::Captured)
            .await
            .expect("mark")
    );
    sale.cancel(paid).expect("cancelled");
    sale.cancel(free).expect("cancelled");
    sale.now = sale.now.plus_ms(700_000);
    sale.apply(&Command::Advance);
    project(&test, &[sale.entry()]).await.expect("project");

    let rows = test.rows(sale.event_id).await;
    let hold = &rows.holds[&hold_id.0];
    assert_eq!(hold.status, "expired");
    let (placed_at_ms, quantity) = test.placed(sale.event_id, hold_id).await;
    assert_eq!((hold.expires_at_ms - placed_at_ms, quantity), (660_000, 3));
    let order = order_row(&test, &sale, paid).await;
    assert_eq!(order.status, OrderStatus::Cancelled);
    assert!(order.cancelled_at.is_some());
    assert_eq!(order.payment.expect("paid").status, PaymentStatus::Refunding);
    assert!(
        order
            .tickets
            .iter()
            .all(|ticket| ticket.status == TicketStatus::Cancelled)
    );
    let free = order_row(&test, &sale, free).await;
    assert!(free.payment.is_none());
    let quotas = counters(&test, &sale).await;
    assert_eq!((quotas.held, quotas.sold), (0, 0));
    assert_eq!(rows.orders.len(), 2);
    assert!(rows.orders.values().all(|order| order.status == "cancelled"));
    assert_eq!(rows.payments[&paid.0].amount_minor, 5_000);
}

#[tokio::test]
async fn an_authorization_of_a_cancelled_order_is_voided() {
    let test = TestDatabase::new().await;
    let mut sale = Sale::new();
    let hold = sale.place(&[(0, 1)]);
    let earlier = sale.confirm(hold);
    project(&test, &[sale.entry()]).await.expect("project");
    let hold = sale.place(&[(0, 1)]);
    let same_batch = sale.confirm(hold);
    sale.cancel(earlier).expect("cancelled");
    sale.cancel(same_batch).expect("cancelled");
    project(&test, &[sale.entry()]).await.expect("project");
    for order_id in [earlier, same_batch] {
        let order = order_row(&test, &sale, order_id).await;
        assert_eq!(order.status, OrderStatus::Cancelled);
        assert_eq!(order.payment.expect("paid").status, PaymentStatus::Voiding);
        assert_eq!(order.tickets[0].status, TicketStatus::Cancelled);
    }
}

/// Between the records of the batch the capacity fits; taken one by one in another order it would not.
#[tokio::test]
async fn a_smaller_capacity_may_come_with_the_units_that_allow_it() {
    let test = TestDatabase::new().await;
    let mut sale = Sale::new();
    let hold = sale.place(&[(0, 90)]);
    project(&test, &[sale.entry()]).await.expect("project");
    sale.release(hold).expect("released");
    sale.set_quota(0, 10);
    sale.place(&[(0, 10)]);
    project(&test, &[sale.entry()]).await.expect("project");
    let rows = test.rows(sale.event_id).await;
    let full = |quota: &&Counters| (quota.capacity, quota.held, quota.sold) == (10, 10, 0);
    assert_eq!(rows.quotas.values().filter(full).count(), 1);
}

#[tokio::test]
async fn a_batch_counts_once() {
    let test = TestDatabase::new().await;
    let mut sale = Sale::new();
    sale.place(&[(0, 1)]);
    let first = sale.entry();
    sale.place(&[(0, 1)]);
    let second = sale.entry();
    let gap = project(&test, std::slice::from_ref(&second)).await;
    assert!(
        matches!(gap, Err(ProjectionError::WatermarkMoved { watermark: 0, .. })),
        "{gap:?}"
    );
    project(&test, std::slice::from_ref(&first))
        .await
        .expect("project");
    let again = project(&test, &[first.clone(), second.clone()]).await;
    match again {
        Err(ProjectionError::WatermarkMoved {
            event_id,
            watermark,
            expected,
        }) => {
            assert_eq!(
                (event_id, watermark, expected),
                (sale.event_id, first.last_seq, 0)
            );
        }
        other => panic!("{other:?}"),
    }
    project(&test, &[second]).await.expect("project");
    assert_eq!(counters(&test, &sale).await.held, 2);
}

#[tokio::test]
async fn one_moved_watermark_holds_the_whole_batch_back() {
    let test = TestDatabase::new().await;
    let (mut one, mut other) = (Sale::new(), Sale::new());
    let (first, entry) = (one.entry(), other.entry());
    project(&test, std::slice::from_ref(&first))
        .await
        .expect("project");
    assert!(project(&test, &[entry.clone(), first]).await.is_err());
    assert!(test.event(other.event_id).await.is_none());
    project(&test, &[entry]).await.expect("project");
    let sink = PostgresProjection::new(test.database.clone());
    let mut watermarks = sink
        .watermarks(&[one.event_id, other.event_id, crate::support::event_id()])
        .await
        .expect("watermarks");
    watermarks.sort();
    assert_eq!(watermarks.len(), 2);
}

#[tokio::test]
async fn checks_refuse_what_the_rules_never_make() {
    let test = TestDatabase::new().await;
    let mut sale = Sale::with_capacity(5);
    project(&test, &[sale.entry()]).await.expect("project");
    // Sold twice: the same units, as an engine gone wrong would have it.
    sale.place(&[(0, 5)]);
    let records = std::mem::take(&mut sale.records);
    let entry = sale.entry_of(&records);
    project(&test, &[entry]).await.expect("project");
    let mut twin = records;
    for record in &mut twin {
        if let onsale_domain::Record::HoldPlaced(hold) = record {
            hold.hold_id = onsale_domain::HoldId(uuid::Uuid::now_v7());
        }
    }
    let entry = sale.entry_of(&twin);
    match project(&test, &[entry]).await {
        Err(ProjectionError::Unavailable(detail)) => {
            assert!(detail.contains("quotas_available_check"), "{detail}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(counters(&test, &sale).await.held, 5);
}

#[tokio::test]
async fn unreadable_entries_are_named() {
    let test = TestDatabase::new().await;
    let mut sale = Sale::new();
    let good = sale.entry();
    let cut = JournalEntry {
        payload: good.payload.slice(..good.payload.len() / 2),
        ..good.clone()
    };
    let miscounted = JournalEntry {
        last_seq: good.last_seq + 1,
        ..good.clone()
    };
    for damaged in [cut, miscounted] {
        let result = project(&test, &[damaged]).await;
        assert!(matches!(result, Err(ProjectionError::Damaged(_))), "{result:?}");
    }
    project(&test, &[good]).await.expect("project");
}

#[tokio::test]
async fn events_with_live_holds_or_a_window_that_turned_are_due() {
    let test = TestDatabase::new().await;
    let (mut with, mut without) = (Sale::new(), Sale::new());
    with.place(&[(0, 1)]);
    let hold = without.place(&[(0, 1)]);
    without.release(hold).expect("released");
    project(&test, &[with.entry(), without.entry()])
        .await
        .expect("project");
    let sink = PostgresProjection::new(test.database.clone());
    let due = sink.events_due(UnixMillis(0)).await.expect("due events");
    assert_eq!(due, [with.event_id]);
    let mut due = sink.events_due(UnixMillis(i64::MAX)).await.expect("due events");
    due.sort();
    let mut both = [with.event_id, without.event_id];
    both.sort();
    assert_eq!(due, both, "both windows have closed by then");
}
