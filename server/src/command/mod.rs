//! The subcommands, one file each. To add one: a file with `Arguments` and `run`, a variant in
//! [`crate::cli::Command`], an arm here.

pub(crate) mod admin_create;
pub(crate) mod audit;
pub(crate) mod completions;
pub(crate) mod config_check;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod healthcheck;
pub(crate) mod journal_backup;
pub(crate) mod man;
pub(crate) mod migrate;
pub(crate) mod openapi;
pub(crate) mod serve;
pub(crate) mod token;
pub(crate) mod token_key;

use std::future::Future;
use std::io::Write as _;

use anyhow::Context as _;

use crate::cli::{AdminCommand, Cli, Command, ConfigCommand, JournalCommand};
use crate::exit::Failure;

/// Runs what the command line asks for.
pub(crate) fn run(cli: Cli) -> Result<(), Failure> {
    let common = &cli.common;
    match cli.command {
        Command::Serve(arguments) => block_on(serve::run(common, arguments)),
        Command::Migrate(arguments) => block_on(migrate::run(common, arguments)),
        Command::Demo(arguments) => demo::run(common, arguments),
        Command::Audit(arguments) => block_on(audit::run(common, arguments)),
        Command::Journal(JournalCommand::Backup(arguments)) => {
            block_on(journal_backup::run(common, arguments))
        }
        Command::Admin(AdminCommand::Create(arguments)) => block_on(admin_create::run(common, arguments)),
        Command::Token(arguments) => token::run(common, &arguments),
        Command::TokenKey(arguments) => token_key::run(&arguments),
        Command::Doctor(arguments) => block_on(doctor::run(common, arguments)),
        Command::Config(ConfigCommand::Check(arguments)) => config_check::run(common, &arguments),
        Command::Healthcheck(arguments) => block_on(healthcheck::run(common, arguments)),
        Command::Openapi => openapi::run(),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Man(arguments) => man::run(&arguments),
    }
}

/// Runs a future on a runtime of all cores.
fn block_on(future: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(future)
}

/// Prints a result. A reader that went away (`| head`) is not an error.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(anyhow::Error::new(error).context("cannot write to stdout").into())
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Says something on stderr that is no result and ends nothing.
#[expect(clippy::print_stderr, reason = "for people; results go to stdout")]
fn warn(text: &str) {
    eprintln!("onsale: warning: {text}");
}

/// Prints a result as one JSON object.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    print(&serde_json::to_string_pretty(value).context("cannot write JSON")?)
}
