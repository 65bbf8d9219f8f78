//! What can go wrong with Postgres, as callers need to tell it apart.

use onsale_engine::port::{JournalError, ProjectionError};
use thiserror::Error;

/// Why Postgres did not do as asked. The texts are for operators, not for clients.
#[derive(Clone, Debug, Error)]
pub enum DatabaseError {
    /// Not reachable, out of connections, or cut off in the middle: try again later.
    #[error("database unavailable: {0}")]
    Unavailable(String),
    /// A row with this key exists.
    #[error("conflict on {constraint}")]
    Conflict {
        /// Name of the unique constraint.
        constraint: String,
    },
    /// A check refused the row: the second line of defence held.
    #[error("row refused by {constraint}")]
    Refused {
        /// Name of the check.
        constraint: String,
    },
    /// A stored value is not one that this release writes.
    #[error("unreadable row: {0}")]
    Damaged(String),
    /// The schema could not be brought up to date.
    #[error("migration failed: {0}")]
    Migration(String),
    /// The configuration cannot work.
    #[error("misconfigured: {0}")]
    Misconfigured(String),
}

impl From<sqlx::Error> for DatabaseError {
    fn from(error: sqlx::Error) -> Self {
        if let sqlx::Error::Database(database) = &error
            && let Some(constraint) = database.constraint()
        {
            let constraint = constraint.to_owned();
            return if database.is_unique_violation() {
                Self::Conflict { constraint }
            } else {
                Self::Refused { constraint }
            };
        }
        match error {
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::Damaged(error.to_string()),
            error => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for DatabaseError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        match error {
            sqlx::migrate::MigrateError::Execute(error) => Self::from(error),
            error => Self::Migration(error.to_string()),
        }
    }
}

impl From<DatabaseError> for JournalError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Damaged(detail) => Self::Damaged(detail),
            error @ (DatabaseError::Unavailable(_)
            | DatabaseError::Conflict { .. }
            | DatabaseError::Refused { .. }
            | DatabaseError::Migration(_)
            | DatabaseError::Misconfigured(_)) => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<DatabaseError> for ProjectionError {
    fn from(error: DatabaseError) -> Self {
        Self::Unavailable(error.to_string())
    }
}
