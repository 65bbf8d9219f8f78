//! The dashboards as files: what every panel must have.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::documented::{in_repository, metrics, name_of, series_in};

/// A query of a panel.
pub(crate) struct Query {
    /// Dashboard and panel.
    pub(crate) place: String,
    pub(crate) expression: String,
}

fn all() -> Vec<(String, Value)> {
    let folder = in_repository("grafana/dashboards");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty());
    let read = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, serde_json::from_str(&text).unwrap())
    };
    files.iter().map(read).collect()
}

fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    let panels = dashboard["panels"].as_array().unwrap();
    panels.iter().filter(|panel| panel["type"] != "row")
}

/// Every query of every panel.
pub(crate) fn queries() -> Vec<Query> {
    let mut queries = vec![];
    for (file, dashboard) in all() {
        for panel in panels(&dashboard) {
            for target in panel["targets"].as_array().unwrap() {
                queries.push(Query {
                    place: format!("{file}: {}", panel["title"]),
                    expression: target["expr"].as_str().unwrap().to_owned(),
                });
            }
        }
    }
    queries
}

#[test]
fn every_panel_says_what_it_shows() {
    let (mut uids, mut titles) = (BTreeSet::new(), BTreeSet::new());
    for (file, dashboard) in all() {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        assert!(
            uids.insert(text(&dashboard["uid"])),
            "{file}: its uid is another's"
        );
        assert!(
            titles.insert(text(&dashboard["title"])),
            "{file}: its title is another's"
        );
        assert_eq!(dashboard["schemaVersion"], 41, "{file}");
        let variables = dashboard["templating"]["list"].as_array().unwrap();
        assert_eq!(
            (&variables[0]["name"], &variables[0]["type"]),
            (&"datasource".into(), &"datasource".into()),
            "{file}"
        );
        let mut ids = BTreeSet::new();
        for panel in panels(&dashboard) {
            let place = format!("{file}: {}", panel["title"]);
            assert!(ids.insert(panel["id"].as_u64()), "{place}: its id is another's");
            assert!(!text(&panel["title"]).is_empty(), "{place}");
            assert!(
                text(&panel["description"]).ends_with('.'),
                "{place}: no description"
            );
            assert!(
                !text(&panel["fieldConfig"]["defaults"]["unit"]).is_empty(),
                "{place}: no unit"
            );
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "{place}");
            let targets = panel["targets"].as_array().unwrap();
            assert!(!targets.is_empty(), "{place}");
            for target in targets {
                assert_eq!(target["datasource"]["uid"], "${datasource}", "{place}");
            }
        }
    }
}

#[test]
fn every_panel_asks_for_documented_metrics_of_the_chosen_processes() {
    let metrics = metrics();
    for Query { place, expression } in queries() {
        let series = series_in(&expression);
        assert!(!series.is_empty(), "{place}: {expression}");
        for name in series {
            assert!(
                name_of(&name, &metrics).is_some(),
                "{place}: docs/METRICS.md has no {name}"
            );
            // These are names of all Prometheus clients.
            assert!(
                !name.starts_with("process_") || expression.contains(&format!("{name}{{job=\"onsale\", ")),
                "{place}: {name} of every program"
            );
        }
        assert!(
            expression.contains("instance=~\"$instance\""),
            "{place}: {expression}"
        );
        assert!(
            !expression.contains("rate(") || expression.contains("[$__rate_interval]"),
            "{place}: {expression}"
        );
    }
}
