//! Log lines that lead to a trace.

use serde_json::Value;

use crate::collector::Collector;
use crate::support::{Caller, EventPlan, Journal};
use crate::traced_world;

#[tokio::test]
async fn every_line_of_a_traced_request_names_the_request_and_the_trace() {
    let collector = Collector::start().await;
    let settings = [("ONSALE_LOG_LEVEL", "info,onsale_services=debug,onsale_http=debug")];
    let world = traced_world(&collector, Journal::Local, &settings).await;
    let event = world.event(&EventPlan::of(2)).await;
    let call = event.purchase(1, "sim_decline").by(&Caller::buyer()).key("k");
    world
        .send(call.header("x-request-id", "mine-1"))
        .await
        .problem(402, "payment_declined");
    let first = "POST /v1/events/{event_id}/purchases";
    let traces = collector.whole_traces(first, 1, 10).await;
    let trace_id = &traces[0][0].trace_id;

    let log = world.server.stderr();
    let lines = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect(line));
    let lines: Vec<_> = lines.filter(|line| line["request_id"] == "mine-1").collect();
    // One of the request, and one of the task that went on with the purchase.
    for message in ["request", "payment declined"] {
        let line = lines.iter().find(|line| line["message"] == message);
        let line = line.unwrap_or_else(|| panic!("no `{message}` in {log}"));
        assert_eq!(&line["trace_id"], trace_id, "{line}");
    }
}
