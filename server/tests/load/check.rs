//! What clients were told against what is there.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{Ledger, Shop};
use crate::support::World;

/// Everything that the clients were told is there, and nothing else.
pub(crate) async fn check(world: &mut World, shop: &Shop, ledger: &Ledger) {
    eprintln!(
        "{} orders, {} holds, {} releases, {} declined, {} other refusals, {} requests sent again",
        ledger.orders.len(),
        ledger.holds.len(),
        ledger.released.len(),
        ledger.declined,
        ledger.refused,
        ledger.retries
    );
    assert!(ledger.orders.len() > 20, "the load did not sell");
    shop.read_back(ledger).await;
    world.settled().await;
    let report = world.stop_and_audit().await;
    assert_eq!(report["findings"], serde_json::json!([]), "{report}");

    let mut postgres = world.database.connect().await;
    let orders: Vec<(Uuid, i64)> =
        sqlx::query_as("SELECT order_id, total_minor FROM ticket_orders WHERE status = 'confirmed'")
            .fetch_all(&mut postgres)
            .await
            .unwrap();
    let stored: BTreeSet<_> = orders.iter().map(|(id, _)| *id).collect();
    let told: BTreeSet<_> = ledger.orders.keys().copied().collect();
    assert_eq!(
        told.difference(&stored).next(),
        None,
        "an acknowledged order is lost"
    );
    assert_eq!(
        stored.difference(&told).next(),
        None,
        "an order that nobody was told of"
    );
    let tickets: Vec<(Uuid,)> = sqlx::query_as("SELECT ticket_id FROM tickets WHERE status = 'valid'")
        .fetch_all(&mut postgres)
        .await
        .unwrap();
    let stored: BTreeSet<_> = tickets.into_iter().map(|(id,)| id).collect();
    let told: BTreeSet<_> = ledger
        .orders
        .values()
        .flat_map(|order| order.tickets.iter().copied())
        .collect();
    assert_eq!(told, stored, "acknowledged and valid tickets differ");
    let holds: Vec<(Uuid, String)> = sqlx::query_as("SELECT hold_id, status FROM holds")
        .fetch_all(&mut postgres)
        .await
        .unwrap();
    let holds: BTreeMap<_, _> = holds.into_iter().collect();
    for hold in &ledger.holds {
        assert!(holds.contains_key(hold), "acknowledged hold {hold} is lost");
    }
    for hold in &ledger.released {
        assert_eq!(holds[hold], "released", "acknowledged release of {hold} is lost");
    }

    let captured = "SELECT COALESCE(sum(amount_minor), 0)::bigint FROM payments WHERE status = 'captured'";
    let total: i64 = orders.iter().map(|(_, total)| total).sum();
    assert_eq!(world.database.number(captured).await, total, "captured ≠ orders");
    let oversold = "SELECT count(*) FROM quotas WHERE sold + held > capacity";
    assert_eq!(world.database.number(oversold).await, 0, "oversold");
    let miscounted = "SELECT count(*) FROM quotas q WHERE sold <> (
        SELECT count(*) FROM tickets t JOIN ticket_types y USING (event_id, ticket_type_id)
        WHERE t.event_id = q.event_id AND y.quota_id = q.quota_id AND t.status = 'valid')";
    assert_eq!(world.database.number(miscounted).await, 0, "sold ≠ valid tickets");
}
