//! kill -9 while packages over two events are sold, cancelled and declined: none is ever sold by half.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uuid::Uuid;

use super::load::Random;
use super::number;
use crate::support::{Call, Caller, Event, EventPlan, Journal, World, post, until};

const CLIENTS: u64 = 12;
/// How long one key is sent again before the client calls it a failure of the server.
const ANSWER_WITHIN: Duration = Duration::from_secs(50);
const REST_WITHIN: Duration = Duration::from_mins(2);

/// What clients were told of their package orders: the last word.
type Told = BTreeMap<Uuid, Value>;

struct Shop {
    api: SocketAddr,
    package: Uuid,
    /// The event that is nearly sold out; single tickets of it are bought beside the packages.
    scarce: Event,
    is_closed: AtomicBool,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_rounds_leave_no_package_half_sold() {
    let seed = number("ONSALE_CRASH_SEED").unwrap_or_else(|| getrandom::u64().unwrap());
    let rounds = number("ONSALE_CRASH_ROUNDS").unwrap_or(4);
    eprintln!("packages, {rounds} rounds, ONSALE_CRASH_SEED={seed}");
    let mut random = Random::new(seed);
    let mut world = World::with(Journal::Local, &[]).await;
    let organization = world.organization().await;
    let plan = |capacity| EventPlan::of(capacity);
    let roomy = world.event_of(organization, &plan(100_000)).await;
    let scarce = world.event_of(organization, &plan(60)).await;
    let inclusion =
        |event: &Event| json!({"event_id": event.id, "ticket_type_id": event.types[0], "quantity": 1});
    let body = json!({
        "organization_id": organization,
        "name": "Both nights",
        "price": {"amount": 1_501, "currency": "EUR"},
        "status": "on_sale",
        "inclusions": [inclusion(&roomy), inclusion(&scarce)],
    });
    let package = world
        .staff(post("/v1/admin/packages").json(&body))
        .await
        .expect(201);
    let shop = Arc::new(Shop {
        api: world.api(),
        package: package["id"].as_str().unwrap().parse().unwrap(),
        scarce,
        is_closed: AtomicBool::new(false),
    });
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| tokio::spawn(client_of(Arc::clone(&shop), Random::new(seed ^ (client + 1)))))
        .collect();
    for round in 0..rounds {
        tokio::time::sleep(Duration::from_millis(100 + random.below(500))).await;
        world.server.kill();
        let killed = Instant::now();
        world.server.restart().await;
        eprintln!("round {round}: ready after {:?}", killed.elapsed());
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    shop.is_closed.store(true, Ordering::Relaxed);
    let mut told = Told::new();
    for client in clients {
        let client = tokio::time::timeout(REST_WITHIN, client).await;
        told.append(
            &mut client
                .expect("a client never came to an end")
                .expect("a client panicked"),
        );
    }
    check(&mut world, &told).await;
}

/// Buys packages and single tickets, cancels some, and writes down what it was told at last.
async fn client_of(shop: Arc<Shop>, mut random: Random) -> Told {
    let buyer = Caller::buyer();
    let mut told = Told::new();
    while !shop.is_closed.load(Ordering::Relaxed) {
        let method = match random.below(8) {
            0 => "sim_decline",
            1 => "sim_delay_40",
            2 => "sim_pending_50",
            3 => "sim_pending_decline_50",
            _ => "sim_approve",
        };
        let key = Uuid::now_v7().to_string();
        if random.below(4) == 0 {
            let call = shop.scarce.purchase(1, method).by(&buyer).key(key);
            let order = answered(&shop, &call, &mut random).await;
            if order["status"] == "confirmed" && random.below(2) == 0 {
                cancel(&shop, &buyer, "orders", &order, &mut random).await;
            }
            continue;
        }
        let body = json!({"quantity": 1 + random.below(2), "payment_method": method});
        let call = post(format!("/v1/packages/{}/purchases", shop.package)).json(&body);
        let mut order = answered(&shop, &call.by(&buyer).key(key), &mut random).await;
        if order["status"] != "confirmed" {
            continue;
        }
        if random.below(2) == 0 {
            order = cancel(&shop, &buyer, "package-orders", &order, &mut random).await;
        }
        told.insert(order["id"].as_str().unwrap().parse().unwrap(), order);
    }
    told
}

async fn cancel(shop: &Shop, buyer: &Caller, area: &str, order: &Value, random: &mut Random) -> Value {
    let path = format!("/v1/{area}/{}/cancel", order["id"].as_str().unwrap());
    answered(shop, &post(path).by(buyer), random).await
}

/// Sends a request until it has an answer that stays.
async fn answered(shop: &Shop, call: &Call, random: &mut Random) -> Value {
    let began = Instant::now();
    loop {
        if let Ok(reply) = call.try_send(shop.api).await {
            let code = reply.code();
            let is_passing = reply.status >= 500
                || ["idempotency_in_flight", "payment_in_progress"].contains(&code.as_str())
                || reply.text("status") == "pending";
            if !is_passing {
                return reply.json();
            }
        }
        assert!(began.elapsed() < ANSWER_WITHIN, "no answer that stays: {call:?}");
        tokio::time::sleep(Duration::from_millis(5 + random.below(40))).await;
    }
}

async fn check(world: &mut World, told: &Told) {
    until("package orders rest", REST_WITHIN, async || {
        let open = "SELECT count(*) FROM package_orders WHERE state NOT IN ('confirmed', 'cancelled')
                    OR payment IN ('pending', 'authorized', 'voiding', 'refunding')";
        world.database.number(open).await == 0
    })
    .await;
    world.settled().await;
    let mut postgres = world.database.connect().await;
    let counts: Vec<(String, i64)> =
        sqlx::query_as("SELECT state, count(*) FROM package_orders GROUP BY state")
            .fetch_all(&mut postgres)
            .await
            .unwrap();
    eprintln!("{} told, {counts:?}", told.len());
    assert!(!told.is_empty(), "the load did not sell");

    let half_sold = "SELECT count(*) FROM package_orders AS whole
        WHERE (SELECT count(*) FROM package_order_legs AS leg JOIN ticket_orders AS sold
                   ON sold.event_id = leg.event_id AND sold.order_id = leg.hold_id
               WHERE leg.package_order_id = whole.package_order_id AND sold.status = 'confirmed')
           <> CASE whole.state WHEN 'confirmed' THEN 2 ELSE 0 END";
    assert_eq!(world.database.number(half_sold).await, 0, "half-sold packages");
    let nobodys = "SELECT count(*) FROM ticket_orders AS leg WHERE leg.package_order_id IS NOT NULL
        AND leg.status = 'confirmed' AND NOT EXISTS (SELECT 1 FROM package_orders AS whole
            WHERE whole.package_order_id = leg.package_order_id AND whole.state = 'confirmed')";
    assert_eq!(world.database.number(nobodys).await, 0, "legs of nothing");
    let held = "SELECT count(*) FROM quotas WHERE held <> 0 OR sold > capacity";
    assert_eq!(world.database.number(held).await, 0, "units that nobody has");
    let unequal = "SELECT count(*) FROM package_orders AS whole WHERE whole.state = 'confirmed'
        AND (whole.payment <> 'captured' OR whole.total_minor <> (
            SELECT sum(leg.total_minor) FROM ticket_orders AS leg
            WHERE leg.package_order_id = whole.package_order_id))";
    assert_eq!(world.database.number(unequal).await, 0, "captured ≠ legs");
    let kept = "SELECT count(*) FROM package_orders
        WHERE state = 'cancelled' AND payment NOT IN ('voided', 'refunded', 'declined')";
    assert_eq!(world.database.number(kept).await, 0, "money of nothing");
    for (id, order) in told {
        let state: String =
            sqlx::query_scalar("SELECT state FROM package_orders WHERE package_order_id = $1")
                .bind(id)
                .fetch_one(&mut postgres)
                .await
                .unwrap();
        assert_eq!(order["status"], state.as_str(), "{order}");
    }
    let report = world.stop_and_audit().await;
    assert_eq!(report["findings"], json!([]), "{report}");
}
