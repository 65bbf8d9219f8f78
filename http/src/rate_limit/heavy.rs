//! Callers who send so much that processes count them together, in the background.
//!
//! The sale must not wait for Redis. So each process decides by its own count, notes what came from callers who use
//! more than a part of a limit, adds that up with the other processes a few times a second, and refuses those whose
//! total turned out too high until it is not any more. What stays unnoticed is at most that part of the limit at
//! each process.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use onsale_domain::UnixMillis;

use super::{ClientKey, Traffic};

/// The part of a limit that a caller may use at one process before it is counted with the others.
pub(super) const UNNOTICED_PART: NonZeroU32 = NonZeroU32::new(8).unwrap();
/// Callers that are counted together; more are limited by each process alone.
const CALLERS_MAX: usize = 4_096;

/// Of one caller: whom, of what.
pub(super) type Caller = (Traffic, ClientKey);

/// The callers of the moment.
#[derive(Default)]
pub(super) struct Heavy {
    callers: Mutex<HashMap<Caller, Count>>,
}

#[derive(Default)]
struct Count {
    /// Requests that the other processes do not know of yet.
    untold: u32,
    refused_until: UnixMillis,
}

impl Heavy {
    /// Counts a request, or refuses it. Errors: how long the caller must wait.
    pub(super) fn count(&self, caller: Caller, now: UnixMillis) -> Result<(), Duration> {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        let room = callers.len() < CALLERS_MAX;
        let count = match callers.get_mut(&caller) {
            Some(count) => count,
            None if room => callers.entry(caller).or_default(),
            None => return Ok(()),
        };
        if let Ok(wait_ms @ 1..) = u64::try_from(count.refused_until.ms_since(now)) {
            return Err(Duration::from_millis(wait_ms));
        }
        count.untold = count.untold.saturating_add(1);
        Ok(())
    }

    /// What the other processes do not know of yet. Forgets callers of whom there is nothing to say.
    pub(super) fn take_untold(&self, now: UnixMillis) -> Vec<(Caller, u32)> {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        callers.retain(|_, count| count.untold > 0 || count.refused_until.ms_since(now) > 0);
        callers
            .iter_mut()
            .filter(|(_, count)| count.untold > 0)
            .map(|(caller, count)| (*caller, std::mem::take(&mut count.untold)))
            .collect()
    }

    /// Learns that a caller's total is too high for a while.
    pub(super) fn refuse_until(&self, caller: Caller, until: UnixMillis) {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = callers.get_mut(&caller) {
            count.refused_until = until;
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const NOW: UnixMillis = UnixMillis(1_000);

    fn caller(number: u128) -> Caller {
        (Traffic::Sale, ClientKey::Subject(Uuid::from_u128(number)))
    }

    #[test]
    fn what_was_told_is_not_told_again() {
        let heavy = Heavy::default();
        for _ in 0..3 {
            assert!(heavy.count(caller(1), NOW).is_ok());
        }
        assert_eq!(heavy.take_untold(NOW), vec![(caller(1), 3)]);
        assert_eq!(heavy.take_untold(NOW), vec![]);
        assert!(heavy.callers.lock().unwrap().is_empty());
    }

    #[test]
    fn a_caller_who_spent_too_much_elsewhere_waits_and_others_do_not() {
        let heavy = Heavy::default();
        assert!(heavy.count(caller(1), NOW).is_ok());
        heavy.take_untold(NOW);
        heavy.refuse_until(caller(1), NOW.plus_ms(500));
        assert_eq!(heavy.count(caller(1), NOW), Err(Duration::from_millis(500)));
        assert!(heavy.count(caller(2), NOW).is_ok());
        assert!(heavy.count(caller(1), NOW.plus_ms(500)).is_ok());
    }

    #[test]
    fn the_table_is_bounded() {
        let heavy = Heavy::default();
        for number in 0..2 * CALLERS_MAX as u128 {
            assert!(heavy.count(caller(number), NOW).is_ok());
        }
        assert_eq!(heavy.take_untold(NOW).len(), CALLERS_MAX);
    }
}
