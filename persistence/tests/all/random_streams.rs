//! Whatever happens in whatever batches: the rows equal the fold in memory (I8).

use std::collections::BTreeSet;

use onsale_domain::{BuyerId, HoldId, OrderId, Record, Refusal, TicketId};
use onsale_engine::port::{JournalEntry, ProjectionSink};
use onsale_persistence::audit::Rows;
use onsale_persistence::{OrderStatus, PostgresProjection};

use crate::support::{Made, Rng, Sale, TestDatabase};

const SEEDS: u64 = 8;
const STEPS: usize = 400;
/// Of these seeds every record is a batch of its own, too.
const SINGLE_SEEDS: u64 = 2;

#[tokio::test]
async fn rows_equal_the_fold_of_the_records_however_they_are_cut() {
    let (test, whole) = (TestDatabase::new().await, TestDatabase::new().await);
    for seed in 0..SEEDS {
        let mut rng = Rng::new(seed + 1);
        let mut sale = Sale::new();
        let mut made = Made::default();
        let mut records: Vec<Record> = Vec::new();
        let mut batch = Vec::new();
        for _ in 0..STEPS {
            sale.step(&mut rng, &mut made);
            if rng.below(8) == 0 && !sale.records.is_empty() {
                records.extend_from_slice(&sale.records);
                batch.push(sale.entry());
            }
            if rng.below(20) == 0 && !batch.is_empty() {
                project(&test, &batch, seed).await;
                batch.clear();
            }
        }
        records.extend_from_slice(&sale.records);
        if !sale.records.is_empty() {
            batch.push(sale.entry());
        }
        if !batch.is_empty() {
            project(&test, &batch, seed).await;
        }
        compare(&test, &sale, seed).await;

        let entries = sale.singles(&records);
        project(&whole, &entries, seed).await;
        same_rows(&test, &whole, &sale, seed).await;
        if seed < SINGLE_SEEDS {
            let singles = TestDatabase::new().await;
            for entry in &entries {
                project(&singles, std::slice::from_ref(entry), seed).await;
            }
            same_rows(&test, &singles, &sale, seed).await;
        }
    }
}

async fn project(test: &TestDatabase, entries: &[JournalEntry], seed: u64) {
    PostgresProjection::new(test.database.clone())
        .project(entries)
        .await
        .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
}

/// Jobs may differ: a payment that begins and is declined in one batch needs none.
async fn same_rows(one: &TestDatabase, other: &TestDatabase, sale: &Sale, seed: u64) {
    let rows = async |test: &TestDatabase| Rows {
        payment_jobs: BTreeSet::new(),
        ..test.rows(sale.event_id).await
    };
    assert!(
        rows(one).await == rows(other).await,
        "seed {seed}: rows depend on the batches"
    );
}

async fn compare(test: &TestDatabase, sale: &Sale, seed: u64) {
    let inventory = &sale.inventory;
    let availability = inventory.availability().expect("created");
    let definition = inventory.definition().expect("created");
    let rows = test.rows(sale.event_id).await;
    assert_eq!(rows.quotas.len(), availability.quotas.len(), "seed {seed}");
    for (quota, counts) in definition.quotas.iter().zip(&availability.quotas) {
        let row = rows.quotas[&quota.id.0];
        assert_eq!(
            [row.capacity, row.held, row.sold],
            [counts.capacity, counts.held, counts.sold].map(i64::from),
            "seed {seed}"
        );
    }
    assert_eq!(rows.ticket_types.len(), availability.ticket_types.len());
    for (ticket_type, counts) in definition.ticket_types.iter().zip(&availability.ticket_types) {
        let row = rows.ticket_types[&ticket_type.id.0];
        assert_eq!(
            [row.held, row.sold],
            [counts.held, counts.sold].map(i64::from),
            "seed {seed}"
        );
        assert_eq!(rows.quota_ids[&ticket_type.id.0], ticket_type.quota_id.0);
    }
    let event = test.event(sale.event_id).await.expect("projected");
    assert_eq!(event.status, definition.status);
    assert_eq!(event.definition_version, definition.version);

    let mut live = 0;
    for (hold_id, row) in &rows.holds {
        let hold_id = HoldId(*hold_id);
        let expected = status_of(sale, hold_id, BuyerId(row.buyer_id));
        assert_eq!(row.status, expected, "seed {seed}, hold {hold_id}");
        if let Some(hold) = inventory.hold(hold_id) {
            live += 1;
            assert_eq!(row.expires_at_ms, hold.expires_at.0);
            let placed = test.placed(sale.event_id, hold_id).await;
            assert_eq!(placed, (hold.placed_at.0, hold.quantity().into()));
        }
    }
    assert_eq!(live, inventory.live_holds(), "seed {seed}");
    compare_orders(test, sale, &rows, seed).await;
}

fn status_of(sale: &Sale, hold_id: HoldId, buyer_id: BuyerId) -> &'static str {
    match sale.inventory.live_hold_of(hold_id, buyer_id) {
        Ok(_) => "held",
        Err(Refusal::HoldReleased) => "released",
        Err(Refusal::HoldExpired) => "expired",
        Err(Refusal::HoldConfirmed { .. }) => "confirmed",
        Err(refusal) => panic!("hold {hold_id}: {refusal}"),
    }
}

async fn compare_orders(test: &TestDatabase, sale: &Sale, rows: &Rows, seed: u64) {
    let mut confirmed = 0;
    for (order_id, row) in &rows.orders {
        let order_id = OrderId(*order_id);
        let read = test.database.order(sale.event_id, order_id).await;
        let read = read.expect("order").expect("projected");
        let Some(order) = sale.inventory.order(order_id) else {
            let hold = &rows.holds[&order_id.0];
            let (status, ended) = match hold.status.as_str() {
                "held" => (OrderStatus::Pending, false),
                "released" => (OrderStatus::Cancelled, true),
                _ => (OrderStatus::Expired, true),
            };
            assert_eq!(
                (read.status, row.ended_at_ms.is_some()),
                (status, ended),
                "seed {seed}"
            );
            assert_eq!(row.confirmed_at_ms, None);
            continue;
        };
        confirmed += 1;
        let left: u32 = order.lines().iter().map(|line| line.quantity).sum();
        let issued: i64 = rows.order_lines[&order_id.0]
            .iter()
            .map(|line| line.quantity)
            .sum();
        let status = match (order.cancelled, left) {
            (true, _) => OrderStatus::Cancelled,
            (false, 0) => OrderStatus::Refunded,
            (false, left) if i64::from(left) < issued => OrderStatus::PartiallyRefunded,
            (false, _) => OrderStatus::Confirmed,
        };
        assert_eq!(read.status, status, "seed {seed}");
        assert_eq!(
            (row.ended_at_ms, row.cancelled_at_ms.is_some()),
            (None, order.cancelled)
        );
        let refunds = rows
            .refunds
            .values()
            .filter(|refund| refund.order_id == order_id.0);
        let refunded: i64 = refunds.map(|refund| refund.amount_minor).sum();
        assert_eq!(row.refunded_minor, refunded, "seed {seed}");
        if let Some(payment) = rows.payments.get(&order_id.0) {
            let expected = if order.cancelled { "voiding" } else { "authorized" };
            assert_eq!(payment.status, expected, "seed {seed}");
        }
        let own_payment = row.package_order_id.is_none() && row.total_minor > 0;
        assert_eq!(rows.payments.contains_key(&order_id.0), own_payment);
    }
    let holds = rows.holds.values().filter(|hold| hold.status == "confirmed");
    assert_eq!(confirmed, holds.count(), "seed {seed}");
    for (order_id, payment) in &rows.payments {
        let has_work = payment.status != "declined";
        assert!(!has_work || rows.payment_jobs.contains(order_id), "seed {seed}");
    }
    compare_tickets(sale, rows, seed);
}

fn compare_tickets(sale: &Sale, rows: &Rows, seed: u64) {
    for (ticket_id, row) in &rows.tickets {
        let ticket = sale
            .inventory
            .ticket(TicketId(*ticket_id))
            .expect("known to the fold");
        assert_eq!(
            (row.status.as_str(), row.code.clone(), row.owner_id),
            (ticket.status.as_str(), ticket.code.to_string(), ticket.owner.0),
            "seed {seed}"
        );
        assert_eq!(u32::try_from(row.version), Ok(ticket.version));
        assert_eq!(row.order_id, ticket.order_id.0);
        assert_eq!(row.refund_id.is_some(), row.status == "refunded");
    }
    let issued: i64 = rows
        .order_lines
        .iter()
        .filter(|(order_id, _)| rows.orders[*order_id].confirmed_at_ms.is_some())
        .flat_map(|(_, lines)| lines)
        .map(|line| line.quantity)
        .sum();
    assert_eq!(i64::try_from(rows.tickets.len()), Ok(issued), "seed {seed}");
    let (entries, exits) = sale
        .inventory
        .gates()
        .fold((0, 0), |(entries, exits), (_, gate)| {
            (entries + gate.entries, exits + gate.exits)
        });
    let scans = |direction: &str| {
        rows.check_ins
            .values()
            .filter(|scan| scan.direction == direction)
            .count()
    };
    assert_eq!(
        (scans("in"), scans("out")),
        (entries as usize, exits as usize),
        "seed {seed}"
    );
}
