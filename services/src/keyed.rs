//! Ids of what staff make under an idempotency key: functions of the key, so that a repeat finds what the first
//! request made and nothing has to remember the key. See docs/adr/0010.

use onsale_domain::UnixMillis;
use onsale_domain::id::KeyDigest;
use uuid::{Builder, Uuid};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The ids that a key may have led to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyedIds {
    /// What a request of the day before would have made.
    pub(crate) earlier: Uuid,
    /// What a request of today makes.
    pub(crate) today: Uuid,
}

impl KeyedIds {
    /// The ids of a key. Another attempt gives others, for where an id is taken by something else.
    pub(crate) fn of(key: KeyDigest, attempt: u32, now: UnixMillis) -> Self {
        let today = now.0.div_euclid(DAY_MS);
        Self {
            earlier: id(key, attempt, today - 1),
            today: id(key, attempt, today),
        }
    }
}

/// A version 7 id: the start of the day (UTC) and a digest.
fn id(key: KeyDigest, attempt: u32, day: i64) -> Uuid {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&key.0);
    hasher.update(&attempt.to_be_bytes());
    hasher.update(&day.to_be_bytes());
    let mut free = [0; 10];
    free.copy_from_slice(&hasher.finalize().as_bytes()[..10]);
    let millis = u64::try_from(day.saturating_mul(DAY_MS)).unwrap_or_default();
    Builder::from_unix_timestamp_millis(millis, &free).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: UnixMillis = UnixMillis(20_000 * DAY_MS + DAY_MS / 2);

    #[test]
    fn a_key_is_known_for_a_day_and_forgotten_after_two() {
        let ids = |key, attempt, hours| {
            let now = NOON.plus_ms(hours * DAY_MS / 24);
            KeyedIds::of(KeyDigest([key; 16]), attempt, now)
        };
        let first = ids(1, 0, 0);
        assert_eq!(ids(1, 0, 11).today, first.today);
        for hours in [12, 24, 35] {
            assert_eq!(ids(1, 0, hours).earlier, first.today, "{hours} h later");
            assert_ne!(ids(1, 0, hours).today, first.today, "{hours} h later");
        }
        let forgotten = ids(1, 0, 36);
        assert!(![forgotten.earlier, forgotten.today].contains(&first.today));
        for other in [ids(2, 0, 0), ids(1, 1, 0)] {
            assert_ne!(other.today, first.today);
        }
    }

    #[test]
    fn ids_are_of_version_7_and_tell_their_day() {
        let id = KeyedIds::of(KeyDigest([7; 16]), 0, NOON).today;
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
        let (seconds, _) = id.get_timestamp().unwrap().to_unix();
        assert_eq!(seconds, 20_000 * 24 * 60 * 60);
    }
}
