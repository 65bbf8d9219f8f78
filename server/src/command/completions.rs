//! `onsale completions`: a completion script for a shell.

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::print;
use crate::cli::Cli;
use crate::exit::Failure;

/// Arguments of `onsale completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  onsale completions bash > /etc/bash_completion.d/onsale
  onsale completions zsh > \"${fpath[1]}/_onsale\"
  onsale completions fish > ~/.config/fish/completions/onsale.fish")]
pub(crate) struct Arguments {
    /// Which shell
    shell: Shell,
}

/// Prints the script.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "onsale", &mut script);
    print(
        String::from_utf8(script)
            .context("the script is not text")?
            .trim_end(),
    )
}
