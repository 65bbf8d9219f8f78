//! Who decides what is traced.

use std::time::Duration;

use crate::collector::{Collector, Told};
use crate::support::{Journal, World, get};
use crate::traced_world;

const EVENTS: &str = "GET /v1/events";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

fn traceparent(flags: &str) -> String {
    format!("00-{TRACE}-{SPAN}-{flags}")
}

/// A world in which the lot hardly ever falls on a request, and this process is a proxy of ours.
async fn world_that_believes_us(collector: &Collector) -> World {
    let endpoint = collector.endpoint();
    let settings = [
        ("ONSALE_OTLP_ENDPOINT", endpoint.as_str()),
        ("ONSALE_TRACE_SAMPLE_RATIO", "0.0000000001"),
        ("ONSALE_TRUSTED_PROXIES", "127.0.0.1"),
    ];
    World::with(Journal::Local, &settings).await
}

/// Lists events with these headers; whatever the traces say, the answer comes.
async fn ask(world: &World, headers: &[(&'static str, &str)]) {
    let call = headers
        .iter()
        .fold(get("/v1/events"), |call, (name, value)| call.header(name, *value));
    world.send(call).await.expect(200);
}

/// All first spans, once the server has stopped and told everything.
async fn all_first_spans(collector: &Collector, world: &mut World) -> Vec<Told> {
    world.server.stop().await;
    collector
        .spans()
        .into_iter()
        .filter(|span| span.name == EVENTS)
        .collect()
}

#[tokio::test]
async fn a_proxy_of_ours_has_its_traces_gone_on_with() {
    let collector = Collector::start().await;
    let mut world = world_that_believes_us(&collector).await;
    ask(&world, &[("traceparent", &traceparent("01"))]).await;
    ask(&world, &[("traceparent", &traceparent("00"))]).await;
    ask(&world, &[]).await;
    let spans = all_first_spans(&collector, &mut world).await;
    assert_eq!(spans.len(), 1, "{spans:#?}");
    assert_eq!(
        (spans[0].trace_id.as_str(), spans[0].parent.as_str()),
        (TRACE, SPAN)
    );
    assert!(spans[0].links.is_empty());
}

#[tokio::test]
async fn what_our_proxy_does_not_trace_is_left_to_the_lot() {
    let collector = Collector::start().await;
    let believed = [("ONSALE_TRUSTED_PROXIES", "127.0.0.1")];
    let mut world = traced_world(&collector, Journal::Local, &believed).await;
    ask(&world, &[("traceparent", &traceparent("00"))]).await;
    let spans = all_first_spans(&collector, &mut world).await;
    assert_eq!(spans.len(), 1, "{spans:#?}");
    assert_ne!(spans[0].trace_id, TRACE);
    assert_eq!(spans[0].links, [(TRACE.to_owned(), SPAN.to_owned())]);
}

#[tokio::test]
async fn a_proxy_that_asks_for_everything_gets_a_hundred_a_second() {
    let collector = Collector::start().await;
    let mut world = world_that_believes_us(&collector).await;
    let began = std::time::Instant::now();
    for _ in 0..500 {
        ask(&world, &[("traceparent", &traceparent("01"))]).await;
    }
    let seconds = began.elapsed().as_secs() + 2;
    let spans = all_first_spans(&collector, &mut world).await;
    let traced = u64::try_from(spans.len()).unwrap();
    assert!((100..=seconds * 100).contains(&traced), "{traced} in {seconds} s");
}

#[tokio::test]
async fn a_stranger_is_linked_to_and_decides_nothing() {
    let collector = Collector::start().await;
    let mut world = traced_world(&collector, Journal::Local, &[]).await;
    ask(&world, &[("traceparent", &traceparent("01"))]).await;
    ask(&world, &[("traceparent", &traceparent("00"))]).await;
    let spans = all_first_spans(&collector, &mut world).await;
    assert_eq!(spans.len(), 2, "{spans:#?}");
    for span in spans {
        assert_ne!(span.trace_id, TRACE);
        assert_eq!(span.parent, "");
        assert_eq!(span.links, [(TRACE.to_owned(), SPAN.to_owned())]);
    }
}

#[tokio::test]
async fn what_is_no_traceparent_is_as_none() {
    let collector = Collector::start().await;
    let mut world = traced_world(
        &collector,
        Journal::Local,
        &[("ONSALE_TRUSTED_PROXIES", "127.0.0.1")],
    )
    .await;
    let (good, long) = (traceparent("01"), "0".repeat(8_000));
    let bad = [
        format!("00-{TRACE}-{SPAN}"),
        format!("00-{TRACE}-{SPAN}-01-more"),
        format!("ff-{TRACE}-{SPAN}-01"),
        format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
        format!("00-{}-{SPAN}-01", "0".repeat(32)),
        format!("00-{TRACE}-{}-01", "0".repeat(16)),
        "\"; DROP TABLE events; --".to_owned(),
        long,
    ];
    for value in &bad {
        ask(&world, &[("traceparent", value)]).await;
    }
    ask(&world, &[("traceparent", &good), ("traceparent", &good)]).await;
    ask(
        &world,
        &[("tracestate", "vendor=canary"), ("baggage", "key=canary")],
    )
    .await;
    let spans = all_first_spans(&collector, &mut world).await;
    assert_eq!(spans.len(), bad.len() + 2, "{spans:#?}");
    for span in spans {
        assert_ne!(span.trace_id, TRACE);
        assert_eq!((span.parent.as_str(), span.links.len()), ("", 0));
    }
    assert!(!collector.raw().contains("canary"));
}

#[tokio::test]
async fn at_a_share_of_nothing_nothing_is_sent() {
    let collector = Collector::start().await;
    let settings = [
        ("ONSALE_TRACE_SAMPLE_RATIO", "0"),
        ("ONSALE_TRUSTED_PROXIES", "127.0.0.1"),
    ];
    let mut world = traced_world(&collector, Journal::Local, &settings).await;
    ask(&world, &[("traceparent", &traceparent("01"))]).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(all_first_spans(&collector, &mut world).await.is_empty());
    assert_eq!(collector.requests(), 0);
}
