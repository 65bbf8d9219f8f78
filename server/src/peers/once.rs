//! Messages that must not be taken twice: while a seal is good, its number is remembered.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use onsale_domain::UnixMillis;
use uuid::Uuid;

use super::seal::SKEW_MS_MAX;

/// Numbers that are remembered. Few commands need it: extensions of holds, and changes of an event's status.
const NUMBERS_MAX: usize = 65_536;

/// Whether a message was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// For the first time.
    First,
    /// It came before, or before this process could have noted it.
    Again,
    /// There is no room to remember it.
    Full,
}

/// The numbers of what came.
pub(super) struct Once {
    /// What was sent earlier may have been taken by a process that ran here before.
    since: UnixMillis,
    /// By number: until when its seal is good.
    numbers: Mutex<HashMap<Uuid, UnixMillis>>,
}

impl Once {
    pub(super) fn new(since: UnixMillis) -> Self {
        Self {
            since,
            numbers: Mutex::default(),
        }
    }

    pub(super) fn take(&self, nonce: Uuid, sent_at: UnixMillis, now: UnixMillis) -> Taken {
        if sent_at < self.since {
            return Taken::Again;
        }
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        if numbers.len() >= NUMBERS_MAX {
            numbers.retain(|_, until| *until >= now);
            if numbers.len() >= NUMBERS_MAX {
                return Taken::Full;
            }
        }
        match numbers.insert(nonce, sent_at.plus_ms(SKEW_MS_MAX)) {
            None => Taken::First,
            Some(_) => Taken::Again,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SINCE: UnixMillis = UnixMillis(1_800_000_000_000);

    #[test]
    fn a_message_is_taken_once_and_never_from_before_the_start() {
        let once = Once::new(SINCE);
        let nonce = Uuid::from_u128(1);
        assert_eq!(once.take(nonce, SINCE, SINCE), Taken::First);
        assert_eq!(once.take(nonce, SINCE, SINCE.plus_ms(10)), Taken::Again);
        assert_eq!(once.take(Uuid::from_u128(2), SINCE, SINCE), Taken::First);
        let before = SINCE.plus_ms(-1);
        assert_eq!(once.take(Uuid::from_u128(3), before, SINCE), Taken::Again);
    }

    #[test]
    fn room_is_made_of_what_is_too_old_to_come_again() {
        let once = Once::new(SINCE);
        for number in 0..NUMBERS_MAX {
            once.take(Uuid::from_u128(number as u128), SINCE, SINCE);
        }
        let next = Uuid::from_u128(u128::MAX);
        let good_until = SINCE.plus_ms(SKEW_MS_MAX);
        assert_eq!(once.take(next, good_until, good_until), Taken::Full);
        let later = good_until.plus_ms(1);
        assert_eq!(once.take(next, later, later), Taken::First);
    }
}
