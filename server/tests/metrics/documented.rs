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
    expression
        .split(|character: char| !character.is_ascii_alphanumeric() && !"_:".contains(character))
        .filter(|word| {
            ["onsale_", "process_", "job:"]
                .iter()
                .any(|start| word.starts_with(start))
        })
        .map(str::to_owned)
        .collect()
}
