//! `docs/METRICS.md` as a table of names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// A metric as the document has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Documented {
    pub(crate) kind: String,
    pub(crate) labels: BTreeSet<String>,
}

/// A file of the repository.
pub(crate) fn in_repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Every metric of the document by its name.
pub(crate) fn metrics() -> BTreeMap<String, Documented> {
    let text = std::fs::read_to_string(in_repository("docs/METRICS.md")).unwrap();
    text.lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split(" | ");
            let name = cells.next()?.trim_end_matches('`').to_owned();
            let kind = cells.next()?.to_owned();
            let labels = cells.next()?.split(", ").map(|label| label.trim_matches('`'));
            let labels = labels.filter(|label| !label.is_empty()).map(str::to_owned);
            Some((
                name,
                Documented {
                    kind,
                    labels: labels.collect(),
                },
            ))
        })
        .collect()
}

/// The documented name of a series: that of its histogram for `_bucket`, `_sum` and `_count`.
pub(crate) fn name_of(series: &str, metrics: &BTreeMap<String, Documented>) -> Option<String> {
    if metrics.contains_key(series) {
        return Some(series.to_owned());
    }
    ["_bucket", "_sum", "_count"]
        .iter()
        .filter_map(|suffix| series.strip_suffix(suffix))
        .find(|name| {
            metrics
                .get(*name)
                .is_some_and(|metric| metric.kind == "histogram")
        })
        .map(str::to_owned)
}

/// Names of series in an expression: identifiers that begin as ours do. Recorded ones begin with `job:`.
pub(crate) fn series_in(expression: &str) -> BTreeSet<String> {
    let name = |selector: &String| selector.split('{').next().unwrap_or_default().to_owned();
    selectors_in(expression).iter().map(name).collect()
}

/// The same with their labels.
pub(crate) fn selectors_in(expression: &str) -> BTreeSet<String> {
    let in_word = |character: char| character.is_ascii_alphanumeric() || "_:".contains(character);
    let mut selectors = BTreeSet::new();
    let mut rest = expression;
    while let Some(start) = rest.find(in_word) {
        rest = &rest[start..];
        let (word, after) = rest.split_at(rest.find(|character| !in_word(character)).unwrap_or(rest.len()));
        let (labels, after) = after.split_at(length_of_labels(after));
        if ["onsale_", "process_", "job:"]
            .iter()
            .any(|start| word.starts_with(start))
        {
            selectors.insert(format!("{word}{labels}"));
        }
        rest = after;
    }
    selectors
}

/// Up to the brace that closes the one at the start; 0 where there is none. Values may hold braces, but no quotes.
fn length_of_labels(text: &str) -> usize {
    if !text.starts_with('{') {
        return 0;
    }
    let mut quoted = false;
    for (index, character) in text.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '}' if !quoted => return index + 1,
            _ => {}
        }
    }
    panic!("labels without an end: {text}");
}

#[test]
fn series_are_found_with_their_labels() {
    let expression = "sum by (job) (rate(onsale_a_total{route=\"/v1/{id}\", job=\"onsale_x\"}[5m])) > 1 and job:b:c > 0 \
                      or up{job=\"onsale\"} == 0 and onsale_d";
    let selectors = [
        "job:b:c",
        "onsale_a_total{route=\"/v1/{id}\", job=\"onsale_x\"}",
        "onsale_d",
    ];
    assert_eq!(selectors_in(expression), selectors.map(str::to_owned).into());
    let names = ["job:b:c", "onsale_a_total", "onsale_d"];
    assert_eq!(series_in(expression), names.map(str::to_owned).into());
}
