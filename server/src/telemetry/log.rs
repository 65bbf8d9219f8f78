//! Logs of this process.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use super::lines::Lines;
use crate::configuration::{LogFormat, Settings};

/// Sends logs to stderr, as the settings say.
pub(crate) fn log_to_stderr(settings: &Settings) -> anyhow::Result<()> {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(&settings.log).context("log directives")?)
        .with_writer(std::io::stderr);
    match settings.log_format {
        LogFormat::Text => {
            let is_coloured = std::io::stderr().is_terminal();
            builder
                .with_ansi(is_coloured)
                .map_event_format(|format| Lines::text(format.with_ansi(is_coloured)))
                .try_init()
        }
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .map_event_format(Lines::json)
            .try_init(),
    }
    .map_err(|error| anyhow::anyhow!("cannot set up logging: {error}"))
}
