//! A collector that is away, unwilling or slow: the sale does not notice.

use std::time::{Duration, Instant};

use crate::collector::{Collector, Mood};
use crate::support::{Caller, EventPlan, Journal, World, free_address, get, until};
use crate::traced_world;

/// What the metric says of an outcome.
async fn counted(world: &World, outcome: &str) -> u64 {
    let metrics = get("/metrics").send(world.server.internal).await;
    let metrics = String::from_utf8_lossy(&metrics.raw).into_owned();
    let start = format!("onsale_trace_spans_total{{outcome=\"{outcome}\"}} ");
    let line = metrics.lines().find_map(|line| line.strip_prefix(&start));
    line.expect("the metric").parse().expect("a number")
}

async fn buy(world: &World, purchases: usize) {
    let event = world.event(&EventPlan::of(1_000)).await;
    let buyer = Caller::buyer();
    for number in 0..purchases {
        let call = event.purchase(1, "sim_approve").by(&buyer);
        world.send(call.key(format!("k-{number}"))).await.expect(201);
    }
}

fn warnings(world: &World) -> usize {
    let log = world.server.stderr();
    log.matches("the collector does not take traces").count()
}

#[tokio::test]
async fn without_a_collector_sales_go_on_and_the_log_says_so_once() {
    let collector = Collector::start().await;
    let endpoint = format!("http://{}", free_address());
    let mut world = traced_world(&collector, Journal::Local, &[("ONSALE_OTLP_ENDPOINT", &endpoint)]).await;
    buy(&world, 5).await;
    until("spans have failed", Duration::from_secs(10), async || {
        counted(&world, "failed").await > 0
    })
    .await;
    buy(&world, 5).await;
    let began = Instant::now();
    world.server.stop().await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(warnings(&world), 1, "{}", world.server.stderr());
    assert_eq!(collector.requests(), 0);
}

#[tokio::test]
async fn a_collector_that_hangs_delays_the_end_by_its_time_limit_at_most() {
    let collector = Collector::start().await;
    let mut world = traced_world(&collector, Journal::Local, &[]).await;
    collector.set_mood(Mood::Hanging);
    buy(&world, 5).await;
    until("it was asked", Duration::from_secs(10), async || {
        collector.requests() > 0
    })
    .await;
    let began = Instant::now();
    world.server.stop().await;
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    let log = world.server.stderr();
    assert!(log.contains("the last spans of traces were cut off"), "{log}");
}

#[tokio::test]
async fn after_an_outage_traces_come_again() {
    let collector = Collector::start().await;
    let world = traced_world(&collector, Journal::Local, &[]).await;
    collector.set_mood(Mood::Refusing);
    buy(&world, 1).await;
    until("spans have failed", Duration::from_secs(10), async || {
        counted(&world, "failed").await > 0
    })
    .await;
    assert_eq!(warnings(&world), 1);
    collector.set_mood(Mood::Taking);
    buy(&world, 1).await;
    until("spans have arrived", Duration::from_secs(10), async || {
        counted(&world, "exported").await > 0
    })
    .await;
    until("the log says so", Duration::from_secs(5), async || {
        world.server.stderr().contains("the collector takes traces again")
    })
    .await;
}

#[tokio::test]
async fn what_is_left_at_the_end_is_told() {
    let collector = Collector::start().await;
    let mut world = traced_world(&collector, Journal::Local, &[]).await;
    buy(&world, 3).await;
    // At once, so that the last spans are told by the farewell.
    world.server.stop().await;
    let traces = collector.traces("POST /v1/events/{event_id}/purchases");
    assert_eq!(traces.len(), 3);
    assert!(traces.iter().all(|spans| spans.len() == 10), "{traces:#?}");
}
