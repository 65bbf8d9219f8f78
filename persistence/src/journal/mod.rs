//! The two durable journals.

mod local;
mod postgres;
mod snapshot;

pub use local::{JournalCopy, LocalJournal};
pub use postgres::PostgresJournal;
