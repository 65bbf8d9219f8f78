//! `onsale config check`: what is in force and where it came from, secrets hidden.

use clap::Args;

use super::{print, print_json, warn};
use crate::cli::{Common, DataArguments};
use crate::configuration::{ALL, Settings};
use crate::exit::Failure;

/// Arguments of `onsale config check`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  onsale config check
  onsale config check --config /etc/onsale.toml --json
  ONSALE_TOKEN_SECRET_FILE=/run/secrets/token onsale config check

Exits 78 and names the setting, where it came from and the mend when a value is wrong. Variables that begin with ONSALE_
and are no settings are named on stderr.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    data: DataArguments,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Prints every setting; refuses the first one that is wrong.
pub(crate) fn run(common: &Common, arguments: &Arguments) -> Result<(), Failure> {
    let sources = arguments.data.onto(common.sources());
    let values = sources.resolve()?;
    Settings::read(&values)?;
    for stranger in sources.strangers() {
        warn(&stranger);
    }
    let rows = ALL.iter().map(|setting| match values.get(setting.key) {
        Some(value) if setting.secret => (setting, "(hidden)", value.source.to_string()),
        Some(value) => (setting, value.text.as_str(), value.source.to_string()),
        None => (setting, "(not set)", String::new()),
    });
    if arguments.json {
        let object: serde_json::Map<_, _> = rows
            .map(|(setting, value, source)| {
                let set = values.contains_key(setting.key);
                let value = set.then_some(value);
                let entry = serde_json::json!({"value": value, "source": source, "secret": setting.secret});
                (setting.key.to_owned(), entry)
            })
            .collect();
        return print_json(&object);
    }
    let lines: Vec<_> = rows
        .map(|(setting, value, source)| {
            format!("{:<26} {value:<24} {source}", setting.key)
                .trim_end()
                .to_owned()
        })
        .collect();
    print(&lines.join("\n"))
}
