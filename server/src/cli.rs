//! The command line: one subcommand for each thing that a person does with Onsale.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::command;
use crate::configuration::Sources;
use crate::telemetry::build;

const EXAMPLES: &str = "\
Examples:
  onsale demo                          see a sold-out on-sale survive a crash, with nothing installed
  onsale migrate && onsale serve       run it on the Postgres that DATABASE_URL names
  onsale config check                  what is in force, and where it came from
  onsale audit --json                  fold every journal and compare it with the tables
  onsale audit --log                   verify the audit log

Settings come from flags, then the environment (DATABASE_URL, ONSALE_*), then a TOML file (--config), then defaults.

Exit codes: 0 ok, 1 the check failed, 2 usage, 70 internal error, 78 configuration.";

/// Sells event tickets at the moment everybody wants them.
#[derive(Debug, Parser)]
#[command(name = "onsale", version = build::VERSION.as_str(), after_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command understands.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// TOML file with settings [env: `ONSALE_CONFIG`]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Log level or directives; logs go to stderr [env: `ONSALE_LOG_LEVEL`] [default: info, demo: warn]
    #[arg(long, global = true, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,
    /// Log lines for people (text) or collectors (json) [env: `ONSALE_LOG_FORMAT`]
    #[arg(long, global = true, value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,
}

impl Common {
    /// The sources of configuration, with what the common flags said.
    pub(crate) fn sources(&self) -> Sources {
        Sources::of_process(self.config.clone())
            .flag("log_level", self.log_level.as_ref())
            .flag("log_format", self.log_format.as_ref())
    }
}

/// The flags of commands that work on a deployment's data.
#[derive(Debug, Args)]
pub(crate) struct DataArguments {
    /// Postgres URL; prefer the environment, other users can see command lines [env: `DATABASE_URL`]
    #[arg(long, value_name = "URL")]
    pub(crate) database_url: Option<String>,
    /// Where records become durable: postgres or local [env: `ONSALE_JOURNAL`]
    #[arg(long, value_name = "KIND")]
    pub(crate) journal: Option<String>,
    /// Directory of the local journal [env: `ONSALE_JOURNAL_DIRECTORY`]
    #[arg(long, value_name = "DIR")]
    pub(crate) journal_directory: Option<PathBuf>,
}

impl DataArguments {
    /// Adds what these flags said.
    pub(crate) fn onto(&self, sources: Sources) -> Sources {
        let directory = self.journal_directory.as_ref();
        sources
            .flag("database_url", self.database_url.as_ref())
            .flag("journal", self.journal.as_ref())
            .flag("journal_directory", directory.map(|path| path.display()))
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the API
    Serve(command::serve::Arguments),
    /// Bring the database's schema up to date
    Migrate(command::migrate::Arguments),
    /// Watch an on-sale being stormed, crashed and audited
    Demo(command::demo::Arguments),
    /// Fold the journals and compare them with the tables, or verify the audit log
    Audit(command::audit::Arguments),
    /// Look after the local journal
    #[command(subcommand)]
    Journal(JournalCommand),
    /// Make the accounts that the API cannot make
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Mint a buyer's access token
    Token(command::token::Arguments),
    /// Make a key for access tokens
    TokenKey(command::token_key::Arguments),
    /// Check this machine, the configuration and the database
    Doctor(command::doctor::Arguments),
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Ask a serving process whether it is ready
    Healthcheck(command::healthcheck::Arguments),
    /// Print the API's `OpenAPI` document
    Openapi,
    /// Print a completion script for a shell
    Completions(command::completions::Arguments),
    /// Print the manual, or write a page for each command
    Man(command::man::Arguments),
}

/// What to do about admins.
#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// Make an account that may do everything but buy
    Create(command::admin_create::Arguments),
}

/// What to do with the local journal.
#[derive(Debug, Subcommand)]
pub(crate) enum JournalCommand {
    /// Copy it elsewhere, also while it is written
    Backup(command::journal_backup::Arguments),
}

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print the settings in force, secrets hidden
    Check(command::config_check::Arguments),
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::path::Path;

    use super::*;

    /// Command lines of the page for operators: whole lines of its scripts, and what it quotes.
    fn documented() -> Vec<String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/OPERATING.md");
        let page = std::fs::read_to_string(path).unwrap();
        let lines = page.lines().map(str::trim);
        let quoted = page.split('`').skip(1).step_by(2);
        lines
            .chain(quoted)
            .filter(|text| text.starts_with("onsale ") && !text.contains('\n'))
            .map(|text| text.replace("EVENT", "0199d2c4-0000-7000-8000-000000000001"))
            .collect()
    }

    #[test]
    fn every_command_line_of_the_page_for_operators_is_one() {
        let commands = documented();
        assert!(commands.len() > 10, "{commands:?}");
        for command in commands {
            let parsed = Cli::try_parse_from(command.split_whitespace());
            assert!(parsed.is_ok(), "{command}: {}", parsed.unwrap_err());
        }
    }
}
