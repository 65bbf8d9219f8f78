//! What is remembered of events that other processes own, so that a request for one need not ask the journal first.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use onsale_domain::{EventId, UnixMillis};

use crate::config::{ELSEWHERE_MAX, OWNER_REMEMBERED_MS, OWNER_SPARED_MS};
use crate::port::Owner;

/// Events of other processes. Nothing here decides anything: whoever is asked says whether it is the owner.
#[derive(Default)]
pub(crate) struct Elsewhere {
    known: RwLock<HashMap<EventId, Known, foldhash::fast::FixedState>>,
}

#[derive(Clone)]
struct Known {
    owner: Arc<Owner>,
    until: UnixMillis,
    /// It did not answer just now, and the journal still names it.
    is_spared: bool,
}

impl Elsewhere {
    /// The owner, as far as it is remembered.
    pub(crate) fn owner(&self, event_id: EventId, now: UnixMillis) -> Option<Arc<Owner>> {
        let known = self.read();
        let known = known.get(&event_id).filter(|known| known.until > now)?;
        Some(Arc::clone(&known.owner))
    }

    /// Whether the owner is given a moment before it is asked again.
    pub(crate) fn is_spared(&self, event_id: EventId, now: UnixMillis) -> bool {
        let known = self.read();
        known
            .get(&event_id)
            .is_some_and(|known| known.is_spared && known.until > now)
    }

    /// The journal has named the owner.
    pub(crate) fn remember(&self, event_id: EventId, owner: &Arc<Owner>, now: UnixMillis) {
        self.put(event_id, owner, now, now.plus_ms(OWNER_REMEMBERED_MS), false);
    }

    /// The journal names an owner that does not answer: it has crashed and its lease has not lapsed, or it is at its end.
    pub(crate) fn spare(&self, event_id: EventId, owner: &Arc<Owner>, now: UnixMillis) {
        self.put(event_id, owner, now, now.plus_ms(OWNER_SPARED_MS), true);
    }

    /// Forgets what was found to be wrong, unless somebody has learned something newer.
    pub(crate) fn forget(&self, event_id: EventId, owner: &Arc<Owner>) {
        let mut known = self.write();
        if known
            .get(&event_id)
            .is_some_and(|known| Arc::ptr_eq(&known.owner, owner))
        {
            known.remove(&event_id);
        }
    }

    /// The event is here.
    pub(crate) fn has_come(&self, event_id: EventId) {
        // Most events never were elsewhere.
        if self.read().contains_key(&event_id) {
            self.write().remove(&event_id);
        }
    }

    fn put(
        &self,
        event_id: EventId,
        owner: &Arc<Owner>,
        now: UnixMillis,
        until: UnixMillis,
        is_spared: bool,
    ) {
        let mut known = self.write();
        if known.len() >= ELSEWHERE_MAX && !known.contains_key(&event_id) {
            known.retain(|_, known| known.until > now);
            if known.len() >= ELSEWHERE_MAX {
                return;
            }
        }
        known.insert(
            event_id,
            Known {
                owner: Arc::clone(owner),
                until,
                is_spared,
            },
        );
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<EventId, Known, foldhash::fast::FixedState>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<EventId, Known, foldhash::fast::FixedState>> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_owner_is_remembered_for_a_while_and_forgotten_only_by_who_found_it_wrong() {
        let elsewhere = Elsewhere::default();
        let event_id = EventId(Uuid::from_u128(1));
        let (first, second) = (Arc::new(Owner::silent("a")), Arc::new(Owner::silent("a")));
        let now = UnixMillis(1_000);
        elsewhere.remember(event_id, &first, now);
        assert_eq!(elsewhere.owner(event_id, now), Some(Arc::clone(&first)));
        assert_eq!(elsewhere.owner(event_id, now.plus_ms(OWNER_REMEMBERED_MS)), None);

        elsewhere.remember(event_id, &second, now);
        elsewhere.forget(event_id, &first);
        assert_eq!(elsewhere.owner(event_id, now), Some(Arc::clone(&second)));
        assert!(!elsewhere.is_spared(event_id, now));
        elsewhere.spare(event_id, &second, now);
        assert!(elsewhere.is_spared(event_id, now));
        assert!(!elsewhere.is_spared(event_id, now.plus_ms(OWNER_SPARED_MS)));
        elsewhere.has_come(event_id);
        assert_eq!(elsewhere.owner(event_id, now), None);
    }

    #[test]
    fn no_more_events_are_remembered_than_may_be() {
        let elsewhere = Elsewhere::default();
        let owner = Arc::new(Owner::silent("a"));
        let event_id = |number: usize| EventId(Uuid::from_u128(number as u128));
        for number in 0..=ELSEWHERE_MAX {
            elsewhere.remember(event_id(number), &owner, UnixMillis(0));
        }
        assert_eq!(elsewhere.owner(event_id(ELSEWHERE_MAX), UnixMillis(0)), None);
        let later = UnixMillis(OWNER_REMEMBERED_MS);
        elsewhere.remember(event_id(ELSEWHERE_MAX), &owner, later);
        assert!(elsewhere.owner(event_id(ELSEWHERE_MAX), later).is_some());
        assert_eq!(elsewhere.read().len(), 1);
    }
}
