//! Every query of every panel, and every rule, against a real Prometheus that watches a small sale.

use std::time::Duration;

use crate::documented::selectors_in;
use crate::prometheus::Prometheus;
use crate::sale::Sale;
use crate::support::{Journal, PrivateRedis, World};
use crate::{dashboards, rules};

/// What Grafana would put in.
fn filled_in(expression: &str) -> String {
    let mut filled = expression.to_owned();
    // What stands in where nothing is must not hide that nothing is, except for what the sale below does not meet.
    if !filled.contains("status=\"429\"") {
        filled = filled.replace(" or vector(0)", "");
    }
    for (variable, value) in [
        ("$__rate_interval", "30s"),
        ("$__range", "1m"),
        ("$instance", ".*"),
    ] {
        filled = filled.replace(variable, value);
    }
    assert!(!filled.contains('$'), "an unknown variable: {filled}");
    filled
}

/// Rounds of the sale before the first look: a rate needs two scrapes.
const ROUNDS: usize = 3;
/// And at most, where the machine is so busy that scrapes come late.
const ROUNDS_MAX: usize = 12;

/// Panels that show nothing, and what rules ask for and nobody tells.
async fn nothing_to_see(prometheus: &Prometheus) -> Vec<String> {
    let mut empty = vec![];
    for query in dashboards::queries() {
        let values = prometheus.query(&filled_in(&query.expression)).await;
        // No quantile of nothing: NaN is an empty panel too.
        if values.iter().all(|value| value.is_nan()) {
            empty.push(format!("{}\n    {}", query.place, query.expression));
        }
    }
    for rule in rules::all() {
        prometheus.query(&rule.expression).await;
        // With their labels: a value that nobody sets is a rule that never fires.
        for selector in selectors_in(&rule.expression) {
            if prometheus.query(&format!("count({selector})")).await.is_empty() {
                empty.push(format!("rule {}: {selector}", rule.name));
            }
        }
    }
    for query in rules::of_the_page() {
        // That it parses; many of them have something to show only when something is the matter.
        prometheus.query(&query).await;
    }
    empty
}

#[tokio::test]
async fn no_panel_is_empty_and_every_rule_has_its_series() {
    let redis = PrivateRedis::start().await;
    let world = World::with(Journal::Local, &[("REDIS_URL", &redis.url())]).await;
    let prometheus = Prometheus::start(world.directory.path(), world.server.internal).await;
    let sale = Sale::open(&world).await;
    let mut empty = vec![];
    for round in 0..ROUNDS_MAX {
        sale.round(round).await;
        sale.crash().await;
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        if round + 1 < ROUNDS {
            continue;
        }
        world.settled().await;
        // The slowest gauges are read every five seconds, and the last scrape must have seen them.
        tokio::time::sleep(Duration::from_secs(3)).await;
        empty = nothing_to_see(&prometheus).await;
        if empty.is_empty() {
            break;
        }
    }
    assert!(empty.is_empty(), "nothing to see in:\n{}", empty.join("\n"));
    assert_eq!(prometheus.unhealthy_rules().await, Vec::<String>::new());
    // The drill crashed an actor on purpose; nothing else may be the matter.
    let firing = "count(ALERTS{alertstate=\"firing\", alertname!=\"OnsaleActorsCrash\"}) by (alertname)";
    assert_eq!(prometheus.query(firing).await, Vec::<f64>::new(), "{firing}");
    assert_eq!(
        prometheus
            .query("count(ALERTS{alertname=\"OnsaleActorsCrash\"})")
            .await,
        [1.0]
    );
}
