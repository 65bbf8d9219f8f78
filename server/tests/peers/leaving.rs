//! The owner leaves under load, by SIGTERM and by kill -9, while clients ask both processes and send again what failed.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::sleep;

use crate::support::{Caller, Event, EventPlan, Reply, until};
use crate::{metric, two};

const CLIENTS: usize = 12;
/// How long one key is sent again: the lease of a killed owner, and a slow machine.
const ANSWER_WITHIN: Duration = Duration::from_secs(40);

/// The sale as clients see it: two addresses, of which one may be dead.
struct Shop {
    apis: [SocketAddr; 2],
    event: Event,
    is_closed: AtomicBool,
    sold: AtomicU32,
}

impl Shop {
    /// Buys until the shop closes; every order that was acknowledged, by its id.
    async fn buy(self: Arc<Self>, client: usize) -> BTreeMap<String, Value> {
        let buyer = Caller::buyer();
        let mut orders = BTreeMap::new();
        for number in 0.. {
            if self.is_closed.load(Ordering::Relaxed) {
                break;
            }
            let reply = self.until_answered(&buyer, &format!("{client}-{number}")).await;
            let order = reply.expect(201);
            orders.insert(order["id"].to_string(), order);
            self.sold.fetch_add(1, Ordering::Relaxed);
        }
        orders
    }

    /// Sends one key again and again, here and there in turn, until it is decided.
    async fn until_answered(&self, buyer: &Caller, key: &str) -> Reply {
        let call = self.event.purchase(1, "sim_approve").by(buyer).key(key);
        let began = Instant::now();
        for turn in key.len().. {
            let reply = call.try_send(self.apis[turn % 2]).await;
            match reply {
                // Under way at the other, or nobody there to decide: that is what Retry-After is for.
                Ok(reply) if [409, 503].contains(&reply.status) => {}
                Ok(reply) => return reply,
                Err(_) => {}
            }
            assert!(began.elapsed() < ANSWER_WITHIN, "{key} is not answered");
            sleep(Duration::from_millis(100)).await;
        }
        unreachable!("it counts on")
    }

    async fn has_sold(&self, more: u32) {
        let target = self.sold.load(Ordering::Relaxed) + more;
        until("the sale goes on", ANSWER_WITHIN, async || {
            self.sold.load(Ordering::Relaxed) >= target
        })
        .await;
    }
}

/// How the owner leaves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leaving {
    Stopped,
    Killed,
}

async fn leaves(leaving: Leaving) {
    let (mut world, mut other) = two().await;
    let event = world.event(&EventPlan::of(1_000_000)).await;
    let shop = Arc::new(Shop {
        apis: [world.api(), other.api],
        event: event.clone(),
        is_closed: AtomicBool::new(false),
        sold: AtomicU32::new(0),
    });
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| tokio::spawn(Arc::clone(&shop).buy(client)))
        .collect();
    shop.has_sold(100).await;
    assert!(metric(&other, "onsale_peer_requests_total{outcome=\"answered\"}").await > 0);
    let left = Instant::now();
    match leaving {
        Leaving::Stopped => world.server.stop().await,
        Leaving::Killed => world.server.kill(),
    }
    shop.has_sold(50).await;
    eprintln!("sells again after {:?}", left.elapsed());
    // Back, and now it is the other that owns.
    world.server.restart().await;
    shop.has_sold(100).await;
    assert_eq!(metric(&world.server, "onsale_active_event_actors").await, 0);
    shop.is_closed.store(true, Ordering::Relaxed);
    let mut told = BTreeMap::new();
    for client in clients {
        told.append(&mut client.await.expect("a client"));
    }
    let sold = u64::try_from(told.len()).unwrap();
    assert_eq!(world.counts(&event).await, (1_000_000 - sold, 0, sold));
    std::mem::swap(&mut world.server, &mut other);
    world.settled().await;
    let orders = "SELECT count(*) FROM ticket_orders WHERE status = 'confirmed'";
    assert_eq!(
        world.database.number(orders).await,
        i64::try_from(told.len()).unwrap()
    );
    other.stop().await;
    let report = world.stop_and_audit().await;
    assert_eq!(report["findings"], serde_json::json!([]), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_is_stopped_under_load_and_retries_cure_it() {
    leaves(Leaving::Stopped).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_is_killed_under_load_and_the_other_takes_over() {
    leaves(Leaving::Killed).await;
}
