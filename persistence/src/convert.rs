//! Between the types of the domain and those of the database.

use jiff_sqlx::{Timestamp, ToSqlx};
use onsale_domain::{OrganizationId, Sequence, UnixMillis};
use uuid::Uuid;

/// 0001-01-01 and 9999-12-31T23:59:59.999Z: inside the range of both jiff and Postgres.
const FIRST_MILLIS: i64 = -62_135_596_800_000;
const LAST_MILLIS: i64 = 253_402_207_199_999;

/// An instant for a `timestamptz` column. Instants outside the years 1 to 9999 are held at these bounds: an odd
/// date that an organizer wrote must not stop the projection.
pub(crate) fn timestamp(at: UnixMillis) -> Timestamp {
    UnixMillis(at.0.clamp(FIRST_MILLIS, LAST_MILLIS))
        .to_timestamp()
        .to_sqlx()
}

/// An instant from a `timestamptz` column.
pub(crate) fn millis(at: Timestamp) -> UnixMillis {
    at.to_jiff().into()
}

/// A sequence for a `bigint` column. No journal reaches the bound.
pub(crate) fn seq_out(seq: Sequence) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// A sequence from a `bigint` column, where a check forbids negative ones.
pub(crate) fn seq_in(seq: i64) -> Sequence {
    Sequence::try_from(seq).unwrap_or_default()
}

/// A count from a `bigint` column, where a check forbids negative ones.
pub(crate) fn count_in(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

/// A version from its column, where a check forbids what is none.
pub(crate) fn version_in(version: i32) -> u32 {
    u32::try_from(version).unwrap_or_default()
}

/// A version for its column. No ticket is transferred so often.
pub(crate) fn version_out(version: u32) -> i32 {
    i32::try_from(version).unwrap_or(i32::MAX)
}

/// The most rows to ask for, from a caller's limit.
pub(crate) fn limit_out(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Ids as an array for SQL; `None` stays null, for "any".
pub(crate) fn uuids(ids: Option<&[OrganizationId]>) -> Option<Vec<Uuid>> {
    ids.map(|ids| ids.iter().map(|id| id.0).collect())
}

#[cfg(test)]
mod tests {
    use super::{millis, timestamp};
    use onsale_domain::UnixMillis;

    #[test]
    fn instants_survive_and_odd_ones_are_clamped() {
        for at in [0, 1, -1, 1_795_000_000_123] {
            assert_eq!(millis(timestamp(UnixMillis(at))), UnixMillis(at));
        }
        assert!(millis(timestamp(UnixMillis(i64::MIN))).0 < -62_000_000_000_000);
        assert!(millis(timestamp(UnixMillis(i64::MAX))).0 > 253_000_000_000_000);
    }
}
