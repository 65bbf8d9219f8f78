//! How a command ends. Scripts and service managers branch on these codes, so they are part of the public surface.

use std::process::ExitCode;

use thiserror::Error;

use crate::configuration::ConfigurationError;
use crate::wiring::StartError;

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Configuration(error) => Self::Configuration(error),
            StartError::Internal(error) => Self::Internal(error),
            StartError::Unavailable(_) | StartError::NotMigrated => Self::CheckFailed(error.to_string()),
        }
    }
}

/// Why a command did not succeed. Usage errors (code 2) never come this far: clap answers them.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// What was to be checked is not so. The results are on stdout; this is the one-line reason.
    #[error("{0}")]
    CheckFailed(String),
    /// The combination of arguments makes no sense.
    #[error("{0}")]
    Usage(String),
    /// A setting is missing or wrong; the message names it and the mend.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// Anything else.
    #[error(transparent)]
    Internal(#[from] anyhow::Error),
}

impl Failure {
    /// The exit code. 70 and 78 are `EX_SOFTWARE` and `EX_CONFIG` of sysexits.h.
    pub(crate) const fn code(&self) -> u8 {
        match self {
            Self::CheckFailed(_) => 1,
            Self::Usage(_) => 2,
            Self::Internal(_) => 70,
            Self::Configuration(_) => 78,
        }
    }

    /// Says why on stderr and hands out the exit code.
    #[expect(
        clippy::print_stderr,
        reason = "the one place where a command's end is told to a person"
    )]
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            Self::Internal(error) => eprintln!("onsale: {error:#}"),
            Self::CheckFailed(_) | Self::Usage(_) | Self::Configuration(_) => eprintln!("onsale: {self}"),
        }
        ExitCode::from(self.code())
    }
}
