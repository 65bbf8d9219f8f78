//! Whatever happens in whatever batches: the rows equal the fold in memory (I8).

use std::collections::HashMap;

use onsale_domain::{BuyerId, HoldId, OrderId, Refusal};
use onsale_engine::port::ProjectionSink;
use onsale_persistence::{HoldStatus, OrderStatus, PaymentStatus, PostgresProjection, TicketStatus};

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
    let database = &test.database;
    let inventory = &sale.inventory;
    let availability = inventory.availability().expect("created");
    let quotas = database.quotas(sale.event_id).await.expect("quotas");
    assert_eq!(quotas.len(), availability.quotas.len(), "seed {seed}");
    for (row, counts) in quotas.iter().zip(&availability.quotas) {
        assert_eq!(
            [row.capacity, row.held, row.sold, row.available],
            [counts.capacity, counts.held, counts.sold, counts.available()].map(u64::from),
            "seed {seed}"
        );
    }
    let ticket_types = database.ticket_types(sale.event_id).await.expect("ticket types");
    for (row, counts) in ticket_types.iter().zip(&availability.ticket_types) {
        assert_eq!(
            [row.held, row.sold],
            [counts.held, counts.sold].map(u64::from),
            "seed {seed}"
        );
    }
    let event = database
        .event(sale.event_id)
        .await
        .expect("event")
        .expect("projected");
    let definition = inventory.definition().expect("created");
    assert_eq!(event.status, definition.status);
    assert_eq!(event.definition_version, definition.version);

    let holds = database
        .holds(sale.event_id, None, usize::MAX)
        .await
        .expect("holds");
    let mut live = 0;
    for row in &holds {
        let expected = status_of(sale, row.hold_id, row.buyer_id);
        assert_eq!(row.status, expected, "seed {seed}, hold {}", row.hold_id);
        if let Some(hold) = inventory.hold(row.hold_id) {
            live += 1;
            assert_eq!((row.expires_at, row.placed_at), (hold.expires_at, hold.placed_at));
            let quantity: u32 = row.lines.iter().map(|line| line.quantity).sum();
            assert_eq!(quantity, hold.quantity());
        }
    }
    assert_eq!(live, inventory.live_holds(), "seed {seed}");
    compare_orders(test, sale, seed).await;
}

fn status_of(sale: &Sale, hold_id: HoldId, buyer_id: BuyerId) -> HoldStatus {
    match sale.inventory.live_hold_of(hold_id, buyer_id) {
        Ok(_) => HoldStatus::Held,
        Err(Refusal::HoldReleased) => HoldStatus::Released,
        Err(Refusal::HoldExpired) => HoldStatus::Expired,
        Err(Refusal::HoldConfirmed { .. }) => HoldStatus::Confirmed,
        Err(refusal) => panic!("hold {hold_id}: {refusal}"),
    }
}

async fn compare_orders(test: &TestDatabase, sale: &Sale, seed: u64) {
    let orders = test
        .database
        .orders(sale.event_id, None, usize::MAX)
        .await
        .expect("orders");
    let confirmed: HashMap<OrderId, HoldStatus> = test
        .database
        .holds(sale.event_id, None, usize::MAX)
        .await
        .expect("holds")
        .into_iter()
        .filter(|hold| hold.status == HoldStatus::Confirmed)
        .map(|hold| (hold.hold_id.into(), hold.status))
        .collect();
    assert_eq!(orders.len(), confirmed.len(), "seed {seed}");
    for row in orders {
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
