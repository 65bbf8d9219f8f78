//! What the hop costs. Numbers worth telling come from a release binary: `ONSALE_BINARY` names it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::support::{Caller, Event, EventPlan};
use crate::two;

const HOLDS: u32 = 200;
/// Far above what a hop over the loopback takes on a busy machine, and far below every patience.
const HOP_MAX: Duration = Duration::from_millis(250);

/// The median time of a hold, one after the other.
async fn median(api: SocketAddr, event: &Event, name: &str) -> Duration {
    let buyer = Caller::buyer();
    let mut times = vec![];
    for number in 0..HOLDS {
        let call = event.hold(1).by(&buyer).key(format!("{name}{number}"));
        let began = Instant::now();
        call.send(api).await.expect(201);
        times.push(began.elapsed());
    }
    times.sort();
    times[times.len() / 2]
}

#[tokio::test]
async fn a_hold_at_the_other_process_costs_one_hop_more() {
    let (world, other) = two().await;
    let event = world.event(&EventPlan::of(1_000_000)).await;
    for api in [world.api(), other.api] {
        median(api, &event, "warm").await;
    }
    let own = median(world.api(), &event, "own").await;
    let asked = median(other.api, &event, "asked").await;
    eprintln!("median of {HOLDS} holds: at the owner {own:?}, at the other process {asked:?}");
    assert!(asked < own + HOP_MAX, "own {own:?}, asked {asked:?}");
}
