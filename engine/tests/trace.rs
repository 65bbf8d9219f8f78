//! Traces: what a request's spans are, and that nobody waits for them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::future::join_all;
use onsale_domain::Command;
use onsale_engine::at_hand::{AtHand, RequestId, carried};
use onsale_engine::config::TRACE_QUEUE_SPANS;
use onsale_engine::trace::{self, Span, SpanId, SpanRef, TraceId, Tracer, Value};
use onsale_engine::{EngineError, Receipt};
use support::{Fixture, TestClock};
use tokio::sync::mpsc;

/// A tracer of this share of the requests, and its spans.
fn tracer(share: f64) -> (Tracer, mpsc::Receiver<Span>) {
    Tracer::new(share, Arc::new(TestClock::default()))
}

fn request_id() -> RequestId {
    RequestId::of_number(7)
}

/// Executes a command as a traced request does.
async fn traced(tracer: &Tracer, fixture: &Fixture, command: Command) -> Result<Receipt, EngineError> {
    let root = tracer.begin(tracer.draw().unwrap(), None, "request");
    let at_hand = AtHand {
        request_id: request_id(),
        place: Some(root.place()),
    };
    at_hand
        .known_to(fixture.engine.execute(fixture.event_id, command))
        .await
}

/// The next so many spans.
async fn next(spans: &mut mpsc::Receiver<Span>, number: usize) -> Vec<Span> {
    let mut told = Vec::new();
    while told.len() < number {
        let span = tokio::time::timeout(Duration::from_secs(20), spans.recv()).await;
        told.extend(span.unwrap_or_else(|_| panic!("{} of {number} spans: {told:?}", told.len())));
    }
    told
}

/// That no span comes, also when everything is projected.
async fn silent(fixture: &Fixture, spans: &mut mpsc::Receiver<Span>) {
    fixture.engine.wait_all_projected().await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(spans.try_recv().is_err());
}

/// The spans of one trace by name, with their parents' names.
fn tree(spans: &[Span]) -> BTreeMap<String, String> {
    let name_of = |id: SpanId| spans.iter().find(|span| span.itself.span_id == id);
    let parent = |span: &Span| match span.parent {
        Some(parent) => name_of(parent).map_or("nobody", |parent| &parent.name).to_owned(),
        None => String::new(),
    };
    spans
        .iter()
        .map(|span| (span.name.to_string(), parent(span)))
        .collect()
}

fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    spans.iter().find(|span| span.name == name).unwrap()
}

fn attribute(span: &Span, name: &str) -> Option<Value> {
    let (_, value) = span.attributes.iter().find(|(known, _)| *known == name)?;
    Some(value.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_traced_command_shows_decision_commit_and_projection() {
    let fixture = Fixture::on_sale(10).await;
    // It also opens the sale.
    fixture.hold(1).await.unwrap();
    let (tracer, mut spans) = tracer(1.0);
    let (_, command) = fixture.place(1, Some(1));
    let receipt = traced(&tracer, &fixture, command).await.unwrap();
    let spans = next(&mut spans, 5).await;
    let expected = [
        ("request", ""),
        ("place_hold", "request"),
        ("decide", "place_hold"),
        ("commit", "place_hold"),
        ("project", "place_hold"),
    ];
    let expected = expected.map(|(name, parent)| (name.to_owned(), parent.to_owned()));
    assert_eq!(tree(&spans), expected.into());
    let ids: Vec<_> = spans.iter().map(|span| span.itself.trace_id).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let command = named(&spans, "place_hold");
    assert_eq!(
        attribute(command, "onsale.outcome"),
        Some(Value::Text("recorded".into()))
    );
    assert_eq!(attribute(command, "onsale.seq"), Some(receipt.seq.into()));
    let commit = named(&spans, "commit");
    assert_eq!(attribute(commit, "onsale.commit.records"), Some(1_u64.into()));
    // One after the other; only the projection is nothing that the request waits for.
    let decide = named(&spans, "decide");
    assert!(command.began_at_ns <= decide.began_at_ns);
    assert!(decide.ended_at_ns <= commit.began_at_ns);
    assert!(commit.ended_at_ns <= command.ended_at_ns);
    assert!(commit.ended_at_ns <= named(&spans, "project").began_at_ns);
    assert!(spans.iter().all(|span| !span.failed), "{spans:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_of_many_shows_in_the_trace_of_each() {
    let fixture = Fixture::on_sale(1_000).await;
    fixture.hold(1).await.unwrap();
    let (tracer, mut spans) = tracer(1.0);
    // The journal waits, so that all that is decided meanwhile goes into few commits.
    fixture.journal.open.send_replace(false);
    let commands: Vec<_> = (10..60).map(|number| fixture.place(1, Some(number)).1).collect();
    let executing = join_all(
        commands
            .into_iter()
            .map(|command| traced(&tracer, &fixture, command)),
    );
    let opening = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        fixture.journal.open.send_replace(true);
    };
    let (receipts, ()) = tokio::join!(executing, opening);
    assert!(receipts.iter().all(Result::is_ok));
    let spans = next(&mut spans, 50 * 5).await;
    let mut by_trace: BTreeMap<u128, Vec<Span>> = BTreeMap::new();
    for span in spans {
        let trace_id = span.itself.trace_id.get();
        by_trace.entry(trace_id).or_default().push(span);
    }
    assert_eq!(by_trace.len(), 50);
    let mut largest = 0;
    for spans in by_trace.values() {
        let names: Vec<_> = tree(spans).into_keys().collect();
        assert_eq!(names, ["commit", "decide", "place_hold", "project", "request"]);
        let records = attribute(named(spans, "commit"), "onsale.commit.records");
        let Some(Value::Number(records)) = records else {
            panic!("{records:?}");
        };
        largest = largest.max(records);
    }
    assert!(largest > 1, "no commit had more than one record");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_shows_its_rule_and_is_no_failure_of_ours() {
    let fixture = Fixture::on_sale(1).await;
    fixture.hold(1).await.unwrap();
    let (tracer, mut spans) = tracer(1.0);
    let (_, command) = fixture.place(1, Some(1));
    let refused = traced(&tracer, &fixture, command).await;
    let Err(EngineError::Refused(refusal)) = refused else {
        panic!("{refused:?}");
    };
    let told = next(&mut spans, 2).await;
    silent(&fixture, &mut spans).await;
    let spans = told;
    let command = named(&spans, "place_hold");
    assert_eq!(
        attribute(command, "onsale.outcome"),
        Some(Value::Text(refusal.code().into()))
    );
    assert!(!command.failed);
    // The gate knew: the actor was not asked.
    assert!(!tree(&spans).contains_key("decide"), "{spans:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projection_that_fails_says_so_and_its_repeat_belongs_to_no_trace() {
    let fixture = Fixture::on_sale(10).await;
    fixture.engine.wait_all_projected().await.unwrap();
    fixture.sink.away.store(true, Ordering::Relaxed);
    let (tracer, mut spans) = tracer(1.0);
    let (_, command) = fixture.place(1, Some(1));
    traced(&tracer, &fixture, command).await.unwrap();
    let told = next(&mut spans, 5).await;
    assert!(named(&told, "project").failed);
    fixture.sink.away.store(false, Ordering::Relaxed);
    silent(&fixture, &mut spans).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_place_nothing_is_told() {
    let fixture = Fixture::on_sale(10).await;
    let (tracer, mut spans) = tracer(1.0);
    let (_, command) = fixture.place(1, Some(1));
    let untraced = AtHand {
        request_id: request_id(),
        place: None,
    };
    untraced
        .known_to(fixture.engine.execute(fixture.event_id, command))
        .await
        .unwrap();
    fixture.hold(1).await.unwrap();
    silent(&fixture, &mut spans).await;
    drop(tracer);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_fetches_is_dropped_and_nobody_waits() {
    let fixture = Fixture::on_sale(1_000_000).await;
    let (tracer, mut spans) = tracer(1.0);
    let holds = TRACE_QUEUE_SPANS / 3;
    for number in 0..holds {
        let (_, command) = fixture.place(1, Some(u64::try_from(number).unwrap()));
        traced(&tracer, &fixture, command).await.unwrap();
    }
    let mut kept = 0;
    while spans.try_recv().is_ok() {
        kept += 1;
    }
    assert_eq!(kept, TRACE_QUEUE_SPANS);
}

#[tokio::test]
async fn work_in_a_task_of_its_own_still_belongs_to_its_request() {
    let (tracer, mut spans) = tracer(1.0);
    let root = tracer.begin(tracer.draw().unwrap(), None, "request");
    let at_hand = AtHand {
        request_id: request_id(),
        place: Some(root.place()),
    };
    let look = || AtHand::look(|at_hand| at_hand.request_id.as_str().to_owned());
    let (with, without) = at_hand
        .known_to(async move {
            let with = tokio::spawn(carried(async move {
                drop(trace::begin("work"));
                look()
            }));
            let without = tokio::spawn(async move {
                drop(trace::begin("lost"));
                look()
            });
            (with.await.unwrap(), without.await.unwrap())
        })
        .await;
    assert_eq!((with.as_deref(), without), (Some(request_id().as_str()), None));
    drop(root);
    let names = [spans.recv().await.unwrap(), spans.recv().await.unwrap()].map(|span| span.name);
    assert_eq!(names, ["work", "request"]);
    assert!(spans.try_recv().is_err());
}

#[test]
fn the_lot_falls_on_its_share() {
    for (share, expected) in [(0.0, 0..=0), (0.25, 24_000..=26_000), (1.0, 100_000..=100_000)] {
        let (tracer, _spans) = tracer(share);
        let drawn = (0..100_000).filter(|_| tracer.draw().is_some()).count();
        assert!(expected.contains(&drawn), "{drawn} of {share}");
    }
}

#[test]
fn no_two_traces_have_one_id() {
    let ids: std::collections::HashSet<_> = (0..4)
        .flat_map(|_| {
            let (tracer, _spans) = tracer(1.0);
            (0..10_000).map(move |_| tracer.draw().unwrap())
        })
        .collect();
    assert_eq!(ids.len(), 40_000);
}

#[test]
fn a_trace_of_somebody_else_goes_on_under_their_span() {
    let (tracer, mut spans) = tracer(0.0);
    let theirs = SpanRef {
        trace_id: TraceId::new(5).unwrap(),
        span_id: SpanId::new(6).unwrap(),
    };
    drop(tracer.join(theirs, "request"));
    drop(tracer.begin(TraceId::new(7).unwrap(), Some(theirs), "request"));
    let (joined, linked) = (spans.try_recv().unwrap(), spans.try_recv().unwrap());
    assert_eq!(joined.itself.trace_id, theirs.trace_id);
    assert_eq!(
        (joined.parent, joined.is_parent_remote),
        (Some(theirs.span_id), true)
    );
    assert_eq!(joined.link, None);
    assert_ne!(linked.itself.trace_id, theirs.trace_id);
    assert_eq!((linked.parent, linked.is_parent_remote), (None, false));
    assert_eq!(linked.link, Some(theirs));
}

#[test]
fn a_request_id_is_harmless_or_none() {
    for good in ["a", "trace-1.a_b", &"x".repeat(64)] {
        assert_eq!(RequestId::parse(good.as_bytes()).unwrap().as_str(), good);
    }
    for bad in ["", "a b", "a\"b", "a\nb", "é", &"x".repeat(65)] {
        assert!(RequestId::parse(bad.as_bytes()).is_none(), "{bad}");
    }
    let number = 0x00ab_u128 << 112 | 0xcd;
    assert_eq!(
        RequestId::of_number(number).as_str(),
        "00ab00000000000000000000000000cd"
    );
}
