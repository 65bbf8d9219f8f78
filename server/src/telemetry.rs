//! Logs of this process.

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use crate::configuration::{LogFormat, Settings};

/// Sends logs to stderr, as the settings say.
pub(crate) fn log_to_stderr(settings: &Settings) -> anyhow::Result<()> {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(&settings.log).context("log directives")?)
        .with_writer(std::io::stderr);
    match settings.log_format {
        LogFormat::Text => builder
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    }
    .map_err(|error| anyhow::anyhow!("cannot set up logging: {error}"))
}
