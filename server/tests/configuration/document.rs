//! `docs/CONFIGURATION.md`, as its tables are written.

use crate::program::{Given, in_repository};

/// A row of the table of settings.
pub(crate) struct Documented {
    pub(crate) key: String,
    pub(crate) variable: String,
    pub(crate) is_secret: bool,
    /// Commands that take it as a flag.
    pub(crate) flag_of: String,
    pub(crate) default: Option<String>,
    /// Meaning and mend.
    pub(crate) text: String,
}

fn rows(section: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(in_repository("docs/CONFIGURATION.md")).unwrap();
    let (_, rest) = text
        .split_once(section)
        .unwrap_or_else(|| panic!("no `{section}`"));
    let table = rest.lines().skip_while(|line| !line.starts_with('|'));
    table
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| {
            let cells = line.trim_matches('|').split(" | ");
            cells.map(|cell| cell.trim().to_owned()).collect()
        })
        .collect()
}

/// Every setting.
pub(crate) fn settings() -> Vec<Documented> {
    let rows = rows("<!-- settings:");
    let of_row = |row: Vec<String>| {
        let [key, variable, flag, default, text] = row.try_into().unwrap_or_else(|row| panic!("{row:?}"));
        let first = |cell: &str| cell.split('`').nth(1).map(str::to_owned);
        Documented {
            key: first(&key).unwrap(),
            is_secret: variable.contains("a file named by"),
            variable: first(&variable).unwrap(),
            flag_of: flag,
            default: first(&default),
            text,
        }
    };
    rows.into_iter().map(of_row).collect()
}

/// Errors that are not about one value: what is wrong, what the message names, and the mend.
pub(crate) fn errors() -> Vec<[String; 3]> {
    let rows = rows("## What can be wrong");
    rows.into_iter()
        .map(|row| row.try_into().unwrap_or_else(|row| panic!("{row:?}")))
        .collect()
}

#[test]
fn the_document_lists_what_the_program_reads() {
    let answer = Given::nothing().run(&["config", "check", "--json"]);
    let read: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
    let mut read: Vec<_> = read.as_object().unwrap().keys().cloned().collect();
    let mut listed: Vec<_> = settings().into_iter().map(|setting| setting.key).collect();
    read.sort();
    listed.sort();
    assert_eq!(read, listed);
}
