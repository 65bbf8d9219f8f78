//! Whatever happens in whatever batches: the rows equal the fold in memory (I8).

use onsale_domain::{BuyerId, HoldId, OrderId, Refusal};
use onsale_engine::port::ProjectionSink;
use onsale_persistence::audit::Rows;
use onsale_persistence::{OrderStatus, PaymentStatus, PostgresProjection, TicketStatus};

use crate::support::{Rng, Sale, TestDatabase};

const SEEDS: u64 = 12;
const STEPS: usize = 300;

#[tokio::test]
async fn rows_equal_the_fold_of_the_records() {
    let test = TestDatabase::new().await;
    let sink = PostgresProjection::new(test.database.clone());
    for seed in 0..SEEDS {
        let mut rng = Rng::new(seed + 1);
        let mut sale = Sale::new();
        let (mut holds, mut orders) = (Vec::new(), Vec::new());
        let mut batch = Vec::new();
        for _ in 0..STEPS {
            sale.step(&mut rng, &mut holds, &mut orders);
            if rng.below(8) == 0 && !sale.records.is_empty() {
                batch.push(sale.entry());
            }
            if rng.below(30) == 0 && !batch.is_empty() {
                sink.project(&batch)
                    .await
                    .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
                batch.clear();
            }
        }
        if !sale.records.is_empty() {
            batch.push(sale.entry());
        }
        if !batch.is_empty() {
            sink.project(&batch)
                .await
                .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        }
        compare(&test, &sale, seed).await;
    }
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
    let confirmed = rows.holds.values().filter(|hold| hold.status == "confirmed");
    assert_eq!(rows.orders.len(), confirmed.count(), "seed {seed}");
    for order_id in rows.orders.keys() {
        let order_id = OrderId(*order_id);
        let row = test.database.order(sale.event_id, order_id).await;
        let row = row.expect("order").expect("projected");
        let order = sale.inventory.order(row.order_id).expect("known to the fold");
        let (status, tickets, payment) = if order.cancelled {
            (
                OrderStatus::Cancelled,
                TicketStatus::Cancelled,
                PaymentStatus::Voiding,
            )
        } else {
            (
                OrderStatus::Confirmed,
                TicketStatus::Valid,
                PaymentStatus::Authorized,
            )
        };
        assert_eq!(row.status, status, "seed {seed}");
        assert!(row.tickets.iter().all(|ticket| ticket.status == tickets));
        let quantity: u32 = order.lines().iter().map(|line| line.quantity).sum();
        assert_eq!(row.tickets.len(), usize::try_from(quantity).expect("small"));
        assert_eq!(row.payment.is_some(), row.total_minor > 0);
        assert!(row.payment.is_none_or(|row| row.status == payment));
    }
}
