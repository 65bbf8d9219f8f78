//! The environment variables that settings are read from, and those that look as if they were.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::ConfigurationError;
use super::setting::{ALL, Setting};

/// What the variables of Onsale begin with; `DATABASE_URL` and `REDIS_URL` are as others spell them.
const PREFIX: &str = "ONSALE_";
/// Names the configuration file.
pub(super) const CONFIG: &str = "ONSALE_CONFIG";
/// Variables of the test suite.
const TEST_PREFIX: &str = "ONSALE_TEST_";
/// What Kubernetes calls the variables that it makes for a service of the name `onsale`, or one that begins so.
const SERVICE_LINKS: [&str; 5] = [
    "_SERVICE_HOST",
    "_SERVICE_PORT",
    "_SERVICE_PORT_",
    "_PORT",
    "_PORT_",
];
/// Edits between a name and the setting that was meant.
const EDITS_MAX: usize = 3;

/// The variables of a process, empty ones left out: compose files pass those on for what nobody set.
#[derive(Debug, Default)]
pub(super) struct Environment(BTreeMap<String, Option<String>>);

impl Environment {
    /// What is not UTF-8 is kept without its value, so that asking for it is an error.
    pub(super) fn new(variables: impl Iterator<Item = (OsString, OsString)>) -> Self {
        let variables = variables
            .filter(|(_, value)| !value.is_empty())
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok())));
        Self(variables.collect())
    }

    /// The value of a variable that is set.
    ///
    /// Errors: a value that is not UTF-8.
    pub(super) fn get(&self, setting: &Setting, name: &str) -> Result<Option<&str>, ConfigurationError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Some(value)) => Ok(Some(value)),
            Some(None) => Err(ConfigurationError::of(
                setting,
                format!("the value of {name} is not UTF-8"),
            )),
        }
    }

    /// The configuration file's name.
    pub(super) fn config(&self) -> Option<&str> {
        self.0.get(CONFIG)?.as_deref()
    }

    /// Variables that begin as ours and are none, each with what is wrong with it.
    pub(super) fn strangers(&self) -> Vec<String> {
        let names = self.0.keys().filter(|name| name.starts_with(PREFIX));
        names.filter_map(|name| stranger(name)).collect()
    }
}

fn stranger(name: &str) -> Option<String> {
    let is_ours = |known: &&&Setting| {
        name == known.env || known.secret && name.strip_suffix("_FILE").is_some_and(|name| name == known.env)
    };
    let is_linked = || {
        SERVICE_LINKS.iter().any(|link| match link.strip_suffix('_') {
            Some(_) => name.contains(link),
            None => name.ends_with(link),
        })
    };
    if name == CONFIG
        || name.starts_with(TEST_PREFIX)
        || ALL.iter().any(|known| is_ours(&known))
        || is_linked()
    {
        return None;
    }
    let plain = name.strip_suffix("_FILE").unwrap_or(name);
    if ALL.iter().any(|known| known.env == plain) {
        return Some(format!(
            "{name} is ignored: only secrets come from files, give {plain}"
        ));
    }
    let nearest = ALL
        .iter()
        .map(|known| (edits(plain, known.env), known.env))
        .min()
        .filter(|(edits, _)| *edits <= EDITS_MAX);
    Some(match nearest {
        Some((_, meant)) => format!("{name} is no setting and is ignored; {meant} is one"),
        None => format!("{name} is no setting and is ignored; `onsale config check` lists them"),
    })
}

/// Insertions, deletions and exchanges of bytes from one word to another (Levenshtein).
fn edits(from: &str, to: &str) -> usize {
    let to = to.as_bytes();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (deleted, byte) in from.bytes().enumerate() {
        let mut diagonal = deleted;
        row[0] = deleted + 1;
        for (position, other) in to.iter().enumerate() {
            let exchanged = diagonal + usize::from(byte != *other);
            diagonal = row[position + 1];
            row[position + 1] = exchanged.min(diagonal + 1).min(row[position] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_by_what_a_typo_changes() {
        assert_eq!(edits("ONSALE_LISTEN", "ONSALE_LISTEN"), 0);
        assert_eq!(edits("ONSALE_LISTN", "ONSALE_LISTEN"), 1);
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
    }

    #[test]
    fn what_kubernetes_and_tests_set_is_no_typo() {
        for name in [
            "ONSALE_SERVICE_HOST",
            "ONSALE_SERVICE_PORT_HTTP",
            "ONSALE_PORT",
            "ONSALE_PORT_8080_TCP_ADDR",
            "ONSALE_REDIS_SERVICE_PORT",
            "ONSALE_TEST_PG_BIN_DIR",
            "ONSALE_CONFIG",
            "ONSALE_LISTEN",
            "ONSALE_TOKEN_KEYS_FILE",
        ] {
            assert_eq!(stranger(name), None, "{name}");
        }
        assert!(stranger("ONSALE_LISTEN_FILE").is_some_and(|told| told.contains("only secrets")));
        assert!(stranger("ONSALE_COLOUR").is_some_and(|told| told.contains("config check")));
    }
}
