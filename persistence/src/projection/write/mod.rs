//! Row changes into Postgres: few statements, many rows each, from arrays.
//!
//! Arrays and not COPY: COPY cannot be compile-checked, needs a second round of messages that the embedded Postgres
//! does not answer, and is not what bounds the speed (see `persistence/examples/speed.rs`).

mod definitions;
mod holds;
mod jobs;
mod orders;
mod tickets;
mod watermarks;

pub(super) use definitions::definitions;
pub(super) use holds::holds;
pub(super) use jobs::jobs;
pub(super) use orders::orders;
pub(super) use tickets::tickets;
pub(super) use watermarks::{advance_watermarks, relax_commit};

use crate::DatabaseError;

/// Every row that the records speak of must be there: anything else means that the projection missed some.
fn all_rows(table: &'static str, affected: u64, expected: usize) -> Result<(), DatabaseError> {
    if usize::try_from(affected) == Ok(expected) {
        Ok(())
    } else {
        Err(DatabaseError::Damaged(format!(
            "{table}: {affected} rows changed, not {expected}"
        )))
    }
}
