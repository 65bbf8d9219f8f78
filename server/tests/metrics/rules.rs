//! The rules as files: promtool's opinion, and what every alert must have.

use crate::documented::{in_repository, metrics, name_of, series_in};
use crate::prometheus::promtool;

/// An alert or recording rule, as far as the tests look at it.
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) is_alert: bool,
    pub(crate) expression: String,
    text: String,
}

/// Every rule. The files are read by their lines: each rule begins with `- alert:` or `- record:`.
pub(crate) fn all() -> Vec<Rule> {
    let mut rules = vec![];
    for file in ["recording.yml", "alerts.yml"] {
        let path = in_repository("grafana/prometheus/rules").join(file);
        let text = std::fs::read_to_string(path).unwrap();
        for rule in text.split("      - ").skip(1) {
            let (head, rest) = rule.split_once('\n').unwrap();
            let (kind, name) = head.split_once(": ").unwrap();
            let expression = rest.split_once("expr: ").unwrap().1;
            // A block goes on to the end of the rule, a quoted text to the end of its line.
            let expression = match expression.strip_prefix("|\n") {
                Some(block) => block.to_owned(),
                None => expression
                    .lines()
                    .next()
                    .unwrap()
                    .trim_matches('\'')
                    .replace("''", "'"),
            };
            rules.push(Rule {
                name: name.to_owned(),
                is_alert: kind == "alert",
                expression,
                text: rest.to_owned(),
            });
        }
    }
    rules
}

#[test]
fn promtool_takes_the_configuration_and_the_rules() {
    promtool(&["check", "config", "prometheus.yml"]);
    promtool(&["check", "rules", "rules/recording.yml", "rules/alerts.yml"]);
}

#[test]
fn every_alert_fires_when_it_should_and_only_then() {
    promtool(&["test", "rules", "tests/recording.yml", "tests/alerts.yml"]);
    let tests = in_repository("grafana/prometheus/tests/alerts.yml");
    let tests = std::fs::read_to_string(tests).unwrap();
    for alert in all().iter().filter(|rule| rule.is_alert) {
        let firing = format!("{{alertname=\"{}\"}}", alert.name);
        assert!(tests.contains(&firing), "no test makes {} fire", alert.name);
    }
}

#[test]
fn every_alert_says_what_to_do_and_asks_for_documented_metrics() {
    let metrics = metrics();
    let rules = all();
    let recorded: Vec<_> = rules.iter().map(|rule| rule.name.as_str()).collect();
    assert!(rules.iter().filter(|rule| rule.is_alert).count() > 20);
    for rule in &rules {
        for name in series_in(&rule.expression) {
            assert!(
                name_of(&name, &metrics).is_some() || recorded.contains(&name.as_str()),
                "{}: docs/METRICS.md has no {name}",
                rule.name
            );
        }
        for part in ["severity: ", "summary: ", "description: ", "runbook: "] {
            assert!(
                !rule.is_alert || rule.text.contains(part),
                "{} has no {part}",
                rule.name
            );
        }
    }
}

/// Queries of the page for operators.
pub(crate) fn of_the_page() -> Vec<String> {
    let page = std::fs::read_to_string(in_repository("docs/OPERATING.md")).unwrap();
    let blocks = page.split("```promql\n").skip(1);
    blocks
        .map(|rest| rest.split_once("```").unwrap().0.trim().to_owned())
        .collect()
}

#[test]
fn the_page_for_operators_asks_for_documented_metrics() {
    let (metrics, queries) = (metrics(), of_the_page());
    assert!(queries.len() > 10);
    for query in queries {
        let series = series_in(&query);
        assert!(!series.is_empty(), "{query}");
        for name in series {
            assert!(
                name_of(&name, &metrics).is_some(),
                "docs/METRICS.md has no {name}"
            );
        }
    }
}
