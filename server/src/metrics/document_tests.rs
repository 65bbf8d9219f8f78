//! `docs/METRICS.md` against the registers: its tables are what they say.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use super::registers;

const BEGIN: &str = "<!-- metrics: written by the test in server/src/metrics/document_tests.rs -->\n";
const END: &str = "<!-- end of metrics -->";

fn tables() -> String {
    let mut text = String::new();
    for (title, metrics) in registers() {
        let _ = write!(
            text,
            "\n### {title}\n\n| name | type | labels | meaning |\n| --- | --- | --- | --- |\n"
        );
        for metric in metrics {
            let labels: Vec<_> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
            let _ = writeln!(
                text,
                "| `{}` | {} | {} | {} |",
                metric.name,
                metric.kind.as_str(),
                labels.join(", "),
                metric.help
            );
        }
    }
    text.push('\n');
    text
}

#[test]
fn the_document_lists_what_the_registers_do() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/METRICS.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = format!("{before}{BEGIN}{}{END}{after}", tables());
    if text != expected {
        if std::env::var_os("ONSALE_WRITE_DOCS").is_some() {
            std::fs::write(&path, expected).unwrap();
            return;
        }
        panic!("docs/METRICS.md is stale: run this test once with ONSALE_WRITE_DOCS=1");
    }
}

#[test]
fn names_follow_the_rules_and_stand_once() {
    let mut names = BTreeSet::new();
    for metric in registers().iter().flat_map(|(_, metrics)| *metrics) {
        let name = metric.name;
        assert!(names.insert(name), "{name} stands twice");
        assert!(
            name.starts_with("onsale_") || name.starts_with("process_"),
            "{name}"
        );
        assert_eq!(
            name.ends_with("_total"),
            metric.kind.as_str() == "counter",
            "{name}"
        );
        assert!(metric.help.ends_with('.') && !metric.help.contains('|'), "{name}");
        assert!(
            !metric.labels.iter().any(|label| label.contains("event")),
            "{name}: series of single events grow with the sale"
        );
    }
}
