//! What a running server tells against `docs/METRICS.md`, both ways.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::documented::{self, Documented};
use crate::sale::Sale;
use crate::support::{Journal, PrivateRedis, World, get};

/// Every metric of the exposition, and names without a HELP line.
fn parse(text: &str) -> (BTreeMap<String, Documented>, Vec<String>) {
    let mut found: BTreeMap<String, Documented> = BTreeMap::new();
    let mut helped = BTreeSet::new();
    let mut described = BTreeMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            helped.extend(rest.split(' ').next());
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            let kind = kind.to_owned();
            let labels = BTreeSet::new();
            described.insert(name.to_owned(), Documented { kind, labels });
        } else if let Some(end) = line.find(['{', ' ']) {
            let name = documented::name_of(&line[..end], &described).expect(line);
            let metric = found.entry(name.clone()).or_insert(described[&name].clone());
            metric.labels.extend(labels(line));
        }
    }
    let helpless = found.keys().filter(|name| !helped.contains(name.as_str()));
    let helpless = helpless.cloned().collect();
    (found, helpless)
}

/// Names of a sample's labels, without the one that the format adds.
fn labels(line: &str) -> Vec<String> {
    let Some((_, rest)) = line.split_once('{') else {
        return vec![];
    };
    let mut names = vec![];
    // Values may hold commas and braces, but no `="`.
    for part in rest.split("=\"") {
        let name = part.rsplit([',', '"']).next().unwrap_or_default();
        if part.contains("} ") || name == "le" {
            continue;
        }
        names.push(name.to_owned());
    }
    names
}

/// What two rounds of the sale and a crash come to.
const TOLD: [&str; 9] = [
    "onsale_tickets_total{change=\"sold\"} 13",
    "onsale_tickets_total{change=\"cancelled\"} 4",
    "onsale_tickets_total{change=\"refunded\"} 2",
    "onsale_sales_minor_total{currency=\"EUR\"} 13000",
    "onsale_inventory_units{state=\"sold\"} 7",
    "onsale_inventory_units{state=\"held\"} 0",
    "onsale_check_ins_total{outcome=\"admitted\"} 2",
    "onsale_actor_restarts_total 1",
    "onsale_redis_up 1",
];

#[tokio::test]
async fn a_server_tells_exactly_the_metrics_of_the_document() {
    let redis = PrivateRedis::start().await;
    let world = World::with(Journal::Local, &[("REDIS_URL", &redis.url())]).await;
    let sale = Sale::open(&world).await;
    sale.round(0).await;
    sale.crash().await;
    sale.round(1).await;
    world.settled().await;
    // The gauges of jobs and payments are read every five seconds.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let text = get("/metrics").send(world.server.internal).await.raw;
    let text = std::str::from_utf8(&text).unwrap();
    for line in TOLD {
        assert!(text.lines().any(|told| told == line), "{line} is not in:\n{text}");
    }
    let (found, helpless) = parse(text);
    assert_eq!(helpless, Vec::<String>::new(), "without HELP");
    let documented = documented::metrics();
    let differing: Vec<_> = found
        .iter()
        .filter(|(name, metric)| documented.get(*name) != Some(metric))
        .collect();
    assert!(
        differing.is_empty(),
        "told otherwise than in docs/METRICS.md: {differing:#?}"
    );
    let silent: Vec<_> = documented
        .keys()
        .filter(|name| !found.contains_key(*name))
        .collect();
    assert!(silent.is_empty(), "in docs/METRICS.md and not told: {silent:?}");
}
