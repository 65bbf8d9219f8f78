//! Access tokens that are refused before they expire: the list that this process asks at every request.
//!
//! An entry names a session or an account and the first generation that is accepted again; of a session that is none.
//! It is kept for as long as a token may live. Ids of sessions and accounts are both random, so they share one table.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

use onsale_domain::{SessionId, UnixMillis, UserId};
use uuid::Uuid;

/// Parts of the table, so that readers and writers seldom meet.
const SHARDS: usize = 64;
/// Entries of the whole table: some 50 MB.
pub(super) const ENTRIES_MAX: usize = 1_000_000;

#[derive(Clone, Copy)]
struct Entry {
    first_accepted: u64,
    until: UnixMillis,
}

/// The list. Readers take no lock while it is empty.
pub(crate) struct Revocations {
    shards: [RwLock<HashMap<Uuid, Entry>>; SHARDS],
    entries: AtomicUsize,
    /// Until when something counts that was left out for want of room, in milliseconds: the list is not whole so long.
    left_out_until: AtomicI64,
}

impl Revocations {
    pub(crate) fn new() -> Self {
        Self {
            shards: std::array::from_fn(|_| RwLock::default()),
            entries: AtomicUsize::new(0),
            left_out_until: AtomicI64::new(0),
        }
    }

    /// Refuses a session's tokens until the last of them has expired.
    pub(crate) fn revoke_session(&self, session_id: SessionId, until: UnixMillis) {
        self.insert(session_id.0, u64::MAX, until);
    }

    /// Refuses an account's tokens of earlier generations until the last of them has expired.
    pub(crate) fn raise_generation(&self, user_id: UserId, first_accepted: u64, until: UnixMillis) {
        self.insert(user_id.0, first_accepted, until);
    }

    /// Whether a token must be refused.
    pub(crate) fn refuses(&self, user_id: UserId, session_id: SessionId, generation: u64) -> bool {
        if self.entries.load(Ordering::Acquire) == 0 {
            return false;
        }
        [user_id.0, session_id.0].into_iter().any(|id| {
            let shard = self.shard(id).read().unwrap_or_else(PoisonError::into_inner);
            shard
                .get(&id)
                .is_some_and(|entry| generation < entry.first_accepted)
        })
    }

    /// Whether every revocation that this process was told of is in the list.
    pub(crate) fn is_whole(&self) -> bool {
        self.left_out_until.load(Ordering::Acquire) == 0
    }

    /// Entries in the list.
    pub(crate) fn len(&self) -> usize {
        self.entries.load(Ordering::Acquire)
    }

    /// Forgets what has expired by itself.
    pub(crate) fn forget_expired(&self, now: UnixMillis) {
        for shard in &self.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            let before = shard.len();
            shard.retain(|_, entry| now < entry.until);
            self.entries.fetch_sub(before - shard.len(), Ordering::AcqRel);
        }
        let left_out_until = self.left_out_until.load(Ordering::Acquire);
        if left_out_until <= now.0 {
            // Fails where more was left out meanwhile, and then it must stay.
            let _ =
                self.left_out_until
                    .compare_exchange(left_out_until, 0, Ordering::AcqRel, Ordering::Relaxed);
        }
    }

    fn insert(&self, id: Uuid, first_accepted: u64, until: UnixMillis) {
        let mut shard = self.shard(id).write().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = shard.get_mut(&id) {
            entry.first_accepted = entry.first_accepted.max(first_accepted);
            entry.until = entry.until.max(until);
            return;
        }
        if self.entries.load(Ordering::Acquire) >= ENTRIES_MAX {
            self.left_out_until.fetch_max(until.0, Ordering::AcqRel);
            return;
        }
        shard.insert(
            id,
            Entry {
                first_accepted,
                until,
            },
        );
        self.entries.fetch_add(1, Ordering::AcqRel);
    }

    fn shard(&self, id: Uuid) -> &RwLock<HashMap<Uuid, Entry>> {
        // The last bytes of every kind of id are random.
        &self.shards[usize::from(id.as_bytes()[15]) % SHARDS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_795_000_000_000);
    const LATER: UnixMillis = UnixMillis(1_795_000_900_000);

    fn user(number: u128) -> UserId {
        UserId(Uuid::from_u128(number))
    }

    fn session(number: u128) -> SessionId {
        SessionId(Uuid::from_u128(number))
    }

    #[test]
    fn a_session_is_refused_in_every_generation_and_an_account_in_earlier_ones() {
        let list = Revocations::new();
        assert!(!list.refuses(user(1), session(2), 0));
        list.revoke_session(session(2), LATER);
        assert!(list.refuses(user(1), session(2), 7));
        assert!(!list.refuses(user(1), session(3), 7));
        list.raise_generation(user(1), 5, LATER);
        list.raise_generation(user(1), 4, LATER);
        assert!(list.refuses(user(1), session(3), 4));
        assert!(!list.refuses(user(1), session(3), 5));
    }

    #[test]
    fn what_has_expired_is_forgotten() {
        let list = Revocations::new();
        list.revoke_session(session(1), NOW);
        list.revoke_session(session(2), LATER);
        list.forget_expired(NOW);
        assert_eq!(list.len(), 1);
        assert!(!list.refuses(user(9), session(1), 0) && list.refuses(user(9), session(2), 0));
    }
}
