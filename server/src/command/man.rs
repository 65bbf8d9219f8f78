//! `onsale man`: manual pages, one for each command, from the same words as `--help`.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, roman};

use super::print;
use crate::cli::Cli;
use crate::configuration::{ALL, Setting};
use crate::exit::Failure;

/// Arguments of `onsale man`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  onsale man | man -l -                                      read the first page
  onsale man --directory /usr/local/share/man/man1           install them all, for man onsale-serve

With --directory, a page for each command is written there: onsale.1, onsale-serve.1 and so on.")]
pub(crate) struct Arguments {
    /// Write every page into this directory, which is made where it is not there
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
}

/// Prints the first page, or writes them all.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut cli = Cli::command().disable_help_subcommand(true);
    cli.build();
    match &arguments.directory {
        None => {
            let page = String::from_utf8(page(&cli, true)?).context("the page is not text")?;
            print(page.trim_end())
        }
        Some(directory) => {
            std::fs::create_dir_all(directory)
                .with_context(|| format!("cannot make {}", directory.display()))?;
            Ok(write_all(&cli, directory)?)
        }
    }
}

/// The page of a command, and those of its subcommands.
fn write_all(command: &clap::Command, directory: &Path) -> anyhow::Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let file = directory.join(format!("{name}.1"));
    let is_first = command.get_name() == "onsale";
    std::fs::write(&file, page(command, is_first)?)
        .with_context(|| format!("cannot write {}", file.display()))?;
    for subcommand in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        write_all(subcommand, directory)?;
    }
    Ok(())
}

/// Settings and exit codes are told on every page, since each is read alone; what each setting means, on the first.
fn page(command: &clap::Command, is_first: bool) -> anyhow::Result<Vec<u8>> {
    let man = Man::new(command.clone()).manual("Onsale");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.get_subcommands().next().is_some() {
        man.render_subcommands_section(&mut page)?;
    }
    let mut roff = Roff::new();
    examples(&mut roff, command);
    environment(&mut roff, is_first);
    files(&mut roff);
    exit_status(&mut roff, command.get_name() == "serve");
    if !is_first {
        roff.control("SH", ["SEE ALSO"]);
        roff.text([bold("onsale"), roman("(1)")]);
    }
    page.write_all(roff.to_roff().as_bytes())?;
    Ok(page)
}

/// What `--help` ends with: indented lines as they are, the others as paragraphs.
fn examples(roff: &mut Roff, command: &clap::Command) {
    let Some(help) = command.get_after_help().map(ToString::to_string) else {
        return;
    };
    roff.control("SH", ["EXAMPLES"]);
    for block in help.split("\n\n") {
        roff.control("PP", []);
        for line in block.lines().filter(|line| *line != "Examples:") {
            if line.starts_with(' ') {
                roff.control("nf", []).text([roman(line)]).control("fi", []);
            } else {
                roff.text([roman(line)]);
            }
        }
    }
}

fn environment(roff: &mut Roff, with_meanings: bool) {
    roff.control("SH", ["ENVIRONMENT"]);
    roff.text([roman(
        "A flag wins over the environment, the environment over the file that --config or ONSALE_CONFIG names, the file \
         over the default. Each secret can also stand in a file that the variable with _FILE after its name names.",
    )]);
    if !with_meanings {
        roff.control("PP", []);
        roff.text([roman("The variables are in "), bold("onsale"), roman("(1).")]);
        return;
    }
    for setting in ALL {
        roff.control("TP", []);
        roff.text([bold(setting.env), roman(secret_file(setting))]);
        let default = setting.default.map(|default| format!(" Default: {default}"));
        roff.text([roman(format!(
            "{} {}.{}",
            setting.meaning,
            setting.mend,
            default.unwrap_or_default()
        ))]);
    }
}

fn secret_file(setting: &Setting) -> String {
    if setting.secret {
        format!(", {}_FILE", setting.env)
    } else {
        String::new()
    }
}

fn files(roff: &mut Roff) {
    roff.control("SH", ["FILES"]);
    for (file, meaning) in [
        (
            "FILE of --config",
            "Settings in TOML, by their keys: the variable's name in small letters, without ONSALE_.",
        ),
        (
            "onsale-journal/",
            "The local journal, unless ONSALE_JOURNAL_DIRECTORY names another directory.",
        ),
        (
            "onsale-files/",
            "Ticket files, unless ONSALE_FILES_FOLDER or ONSALE_S3_BUCKET name another place.",
        ),
        (
            "mail/",
            "Mail, where ONSALE_MAILER is folder and ONSALE_MAIL_FOLDER names no other directory.",
        ),
    ] {
        definition(roff, bold(file), meaning);
    }
}

fn exit_status(roff: &mut Roff, is_serve: bool) {
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in [
        ("0", "It is done."),
        ("1", "What was to be checked is not so, or cannot be done now."),
        ("2", "The command line makes no sense."),
        ("70", "An internal error."),
        (
            "78",
            "A setting is missing or wrong; the message names it, where it came from and the mend.",
        ),
    ] {
        definition(roff, bold(code), meaning);
    }
    if !is_serve {
        return;
    }
    for (code, meaning) in [
        (
            "130",
            "A second SIGTERM or SIGINT came: it ended at once. Nothing acknowledged is lost.",
        ),
        (
            "134",
            "It aborted itself (SIGABRT): the journal could not be written, as the log says. Nothing acknowledged is lost.",
        ),
    ] {
        definition(roff, bold(code), meaning);
    }
}

fn definition(roff: &mut Roff, term: Inline, meaning: &str) {
    roff.control("TP", []).text([term]).text([roman(meaning)]);
}
