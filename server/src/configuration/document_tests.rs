//! `docs/CONFIGURATION.md` against the register: its table is what the register says.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use clap::CommandFactory as _;

use super::ALL;
use crate::cli::Cli;

const BEGIN: &str = "<!-- settings: written by the test in server/src/configuration/document_tests.rs -->\n";
const END: &str = "<!-- end of settings -->";

/// Commands by the flags that they take; `any command` for the common ones.
fn flags() -> BTreeMap<String, Vec<String>> {
    let cli = Cli::command();
    let mut flags: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for argument in cli.get_arguments().filter_map(clap::Arg::get_long) {
        flags
            .entry(argument.to_owned())
            .or_default()
            .push("any command".to_owned());
    }
    let mut note = |name: &str, command: &clap::Command| {
        for argument in command.get_arguments().filter_map(clap::Arg::get_long) {
            flags
                .entry(argument.to_owned())
                .or_default()
                .push(name.to_owned());
        }
    };
    for command in cli.get_subcommands() {
        note(command.get_name(), command);
        for inner in command.get_subcommands() {
            note(&format!("{} {}", command.get_name(), inner.get_name()), inner);
        }
    }
    flags
}

fn table() -> String {
    let flags = flags();
    let mut table =
        "| key | environment variable | flag | default | meaning |\n| --- | --- | --- | --- | --- |\n"
            .to_owned();
    for setting in ALL {
        let flag = setting.key.replace('_', "-");
        let flag = flags.get(&flag).map_or(String::new(), |commands| {
            format!("`--{flag}` ({})", commands.join(", "))
        });
        let file = if setting.secret {
            format!(", or a file named by `{}_FILE`", setting.env)
        } else {
            String::new()
        };
        let default = setting
            .default
            .map_or(String::new(), |default| format!("`{default}`"));
        let _ = writeln!(
            table,
            "| `{}` | `{}`{file} | {flag} | {default} | {} {}. |",
            setting.key, setting.env, setting.meaning, setting.mend
        );
    }
    table
}

#[test]
fn the_document_lists_what_the_register_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/CONFIGURATION.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = format!("{before}{BEGIN}{}{END}{after}", table());
    if text != expected {
        if std::env::var_os("ONSALE_WRITE_DOCS").is_some() {
            std::fs::write(&path, expected).unwrap();
            return;
        }
        panic!("docs/CONFIGURATION.md is stale: run this test once with ONSALE_WRITE_DOCS=1");
    }
}

#[test]
fn every_setting_says_what_it_is_for() {
    for setting in ALL {
        assert!(setting.meaning.ends_with('.'), "{}", setting.key);
        assert!(!setting.mend.ends_with('.'), "{}", setting.key);
    }
}
