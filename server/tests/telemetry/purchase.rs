//! A purchase as its trace shows it.

use std::collections::BTreeSet;

use futures::future::join_all;

use crate::collector::{Collector, Told};
use crate::support::{Caller, EventPlan, Journal, get};
use crate::traced_world;

const PURCHASE: &str = "POST /v1/events/{event_id}/purchases";
/// The request, the provider, and two commands with three spans each below them.
const SPANS: usize = 10;
const SERVER: i32 = 2;
const CLIENT: i32 = 3;

fn named<'a>(spans: &'a [Told], name: &str) -> &'a Told {
    let mut named = spans.iter().filter(|span| span.name == name);
    match (named.next(), named.next()) {
        (Some(span), None) => span,
        _ => panic!("not one `{name}`: {spans:#?}"),
    }
}

/// The spans right under another.
fn under<'a>(spans: &'a [Told], parent: &Told) -> Vec<&'a Told> {
    let mut under: Vec<_> = spans
        .iter()
        .filter(|span| span.parent == parent.span_id)
        .collect();
    under.sort_by_key(|span| span.began_at_ns);
    under
}

fn names<'a>(spans: &[&'a Told]) -> Vec<&'a str> {
    spans.iter().map(|span| span.name.as_str()).collect()
}

async fn a_purchase_is_one_trace_over(journal: Journal) {
    let collector = Collector::start().await;
    let mut world = traced_world(&collector, journal, &[]).await;
    let event = world.event(&EventPlan::of(10)).await;
    let call = event.purchase(2, "sim_approve").by(&Caller::buyer()).key("k");
    let reply = world.send(call.header("x-request-id", "mine-1")).await;
    let order = reply.expect(201);

    let traces = collector.whole_traces(PURCHASE, 1, SPANS).await;
    let spans = &traces[0];
    let request = named(spans, PURCHASE);
    assert_eq!((request.parent.as_str(), request.kind), ("", SERVER));
    assert_eq!(request.attribute("http.request.method"), "POST");
    assert_eq!(request.attribute("http.route"), "/v1/events/{event_id}/purchases");
    assert_eq!(request.attribute("http.response.status_code"), "201");
    assert_eq!(request.attribute("onsale.request_id"), "mine-1");
    assert!(request.links.is_empty());

    let steps = under(spans, request);
    assert_eq!(names(&steps), ["place_hold", "ask_provider", "confirm_hold"]);
    assert!(
        steps
            .windows(2)
            .all(|pair| pair[0].ended_at_ns <= pair[1].began_at_ns)
    );
    let provider = steps[1];
    assert_eq!(provider.kind, CLIENT);
    assert_eq!(provider.attribute("onsale.gateway"), "simulated");
    assert_eq!(provider.attribute("onsale.outcome"), "authorized");
    for command in [steps[0], steps[2]] {
        assert_eq!(command.attribute("onsale.event_id"), event.id.to_string());
        assert_eq!(command.attribute("onsale.outcome"), "recorded");
        let parts = under(spans, command);
        assert_eq!(names(&parts), ["decide", "commit", "project"]);
        let [decide, commit, project] = parts[..] else {
            panic!("{parts:?}");
        };
        assert!(command.began_at_ns <= decide.began_at_ns);
        assert!(decide.ended_at_ns <= commit.began_at_ns);
        assert!(commit.ended_at_ns <= project.began_at_ns);
        // What is acknowledged is committed, and need not be projected.
        assert!(commit.ended_at_ns <= command.ended_at_ns);
        assert!(command.ended_at_ns <= request.ended_at_ns);
        assert_ne!(commit.attribute("onsale.commit.records"), "");
        assert_ne!(project.attribute("onsale.projection.entries"), "");
    }
    assert_eq!(steps[2].attribute("onsale.seq"), order["seq"].to_string());
    assert!(spans.iter().all(|span| !span.failed), "{spans:#?}");

    let resource = collector.resource();
    assert_eq!(resource["service.name"], "onsale");
    assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(resource["service.instance.id"], "one");
    world.server.stop().await;
    world.server.assert_no_panic();
}

#[tokio::test]
async fn a_purchase_is_one_trace_from_the_request_to_the_projection_over_the_local_journal() {
    a_purchase_is_one_trace_over(Journal::Local).await;
}

#[tokio::test]
async fn a_purchase_is_one_trace_from_the_request_to_the_projection_over_the_postgres_journal() {
    a_purchase_is_one_trace_over(Journal::Postgres).await;
}

#[tokio::test]
async fn everybody_of_a_crowd_has_a_whole_trace_and_the_metric_counts_its_spans() {
    let collector = Collector::start().await;
    let mut world = traced_world(&collector, Journal::Local, &[]).await;
    let event = world.event(&EventPlan::of(1_000)).await;
    let buy = |number: usize| {
        let call = event.purchase(1, "sim_approve").by(&Caller::buyer());
        world.send(call.key(format!("k-{number}")))
    };
    for reply in join_all((0..40).map(buy)).await {
        reply.expect(201);
    }
    let traces = collector.whole_traces(PURCHASE, 40, SPANS).await;
    assert!(traces.iter().all(|spans| spans.len() == SPANS), "{traces:#?}");
    let ids: BTreeSet<_> = traces.iter().flatten().map(|span| &span.span_id).collect();
    assert_eq!(ids.len(), 40 * SPANS);
    let metrics = get("/metrics").send(world.server.internal).await;
    let metrics = String::from_utf8_lossy(&metrics.raw).into_owned();
    assert!(
        metrics.contains("onsale_trace_spans_total{outcome=\"dropped\"} 0"),
        "{metrics}"
    );
    assert!(
        metrics.contains("onsale_trace_spans_total{outcome=\"failed\"} 0"),
        "{metrics}"
    );
    world.server.stop().await;
}

#[tokio::test]
async fn a_refusal_is_in_the_trace_by_its_code() {
    let collector = Collector::start().await;
    let world = traced_world(&collector, Journal::Local, &[]).await;
    let event = world.event(&EventPlan::of(1)).await;
    let call = event.purchase(1, "sim_decline").by(&Caller::buyer()).key("k");
    world.send(call).await.problem(402, "payment_declined");
    // The release is a command as well.
    let traces = collector.whole_traces(PURCHASE, 1, SPANS).await;
    let request = named(&traces[0], PURCHASE);
    assert_eq!(request.attribute("onsale.code"), "payment_declined");
    assert_eq!(
        named(&traces[0], "ask_provider").attribute("onsale.outcome"),
        "declined"
    );
    let steps = under(&traces[0], request);
    assert_eq!(names(&steps), ["place_hold", "ask_provider", "release_hold"]);
    // A buyer's bad luck is no failure of ours.
    assert!(traces[0].iter().all(|span| !span.failed), "{traces:#?}");
}
