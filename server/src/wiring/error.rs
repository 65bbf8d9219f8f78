//! Why the process does not start, and whether waiting helps.

use onsale_engine::port::JournalError;
use onsale_persistence::{DatabaseError, RedisError};
use thiserror::Error;

use crate::configuration::{ConfigurationError, Settings, unusable_database_url, unusable_redis_url};

/// Why the process cannot serve yet, or at all.
#[derive(Debug, Error)]
pub(crate) enum StartError {
    /// Postgres does not answer; waiting helps.
    #[error("{0}")]
    Unavailable(String),
    /// Somebody has to run `onsale migrate`; waiting helps.
    #[error("the schema is older than this release: run `onsale migrate`")]
    NotMigrated,
    /// A setting cannot work; waiting does not help.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// Anything else; waiting does not help.
    #[error(transparent)]
    Internal(#[from] anyhow::Error),
}

impl StartError {
    /// The same error; one about a setting says where that came from.
    pub(super) fn located(self, settings: &Settings) -> Self {
        match self {
            Self::Configuration(error) => Self::Configuration(settings.located(error)),
            Self::Unavailable(_) | Self::NotMigrated | Self::Internal(_) => self,
        }
    }
}

impl From<DatabaseError> for StartError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Unavailable(reason) => Self::Unavailable(reason),
            DatabaseError::Misconfigured(reason) => Self::Configuration(unusable_database_url(reason)),
            DatabaseError::Conflict { .. }
            | DatabaseError::Refused { .. }
            | DatabaseError::Damaged(_)
            | DatabaseError::Migration(_) => Self::Internal(error.into()),
        }
    }
}

impl From<RedisError> for StartError {
    fn from(error: RedisError) -> Self {
        match error {
            RedisError::Misconfigured(reason) => Self::Configuration(unusable_redis_url(reason)),
            RedisError::Unavailable(_) | RedisError::Refused(_) | RedisError::UnknownScript => {
                Self::Internal(error.into())
            }
        }
    }
}

impl From<JournalError> for StartError {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Unavailable(reason) => Self::Unavailable(reason),
            JournalError::NotFound
            | JournalError::Taken
            | JournalError::OwnedElsewhere { .. }
            | JournalError::Damaged(_)
            | JournalError::Fatal(_) => Self::Internal(error.into()),
        }
    }
}
