//! Places for questions that are under way.

use std::sync::Arc;

use onsale_engine::port::PeerQuestion;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A number of places, of which a quarter is kept for what finishes something: in a storm of holds, whoever has one must
/// get through and pay.
pub(super) struct Places {
    all: Arc<Semaphore>,
    /// Those that what begins something may have.
    open: Arc<Semaphore>,
    count: usize,
}

/// The right to have one question under way.
pub(super) struct Place {
    _of_all: OwnedSemaphorePermit,
    _of_open: Option<OwnedSemaphorePermit>,
}

impl Places {
    pub(super) fn new(count: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(count)),
            open: Arc::new(Semaphore::new(count - count / 4)),
            count,
        }
    }

    /// A place for a question, if there is one for its kind.
    pub(super) fn take(&self, question: &PeerQuestion) -> Option<Place> {
        let of_open = if question.finishes() {
            None
        } else {
            Some(Arc::clone(&self.open).try_acquire_owned().ok()?)
        };
        Some(Place {
            _of_open: of_open,
            _of_all: Arc::clone(&self.all).try_acquire_owned().ok()?,
        })
    }

    /// Whether no place is taken.
    pub(super) fn are_free(&self) -> bool {
        self.all.available_permits() == self.count
    }
}

#[cfg(test)]
mod tests {
    use onsale_domain::Command;

    use super::*;

    #[test]
    fn what_begins_something_leaves_a_quarter_to_what_finishes() {
        let places = Places::new(8);
        assert!(places.are_free());
        let begun: Vec<_> = (0..8)
            .filter_map(|_| places.take(&PeerQuestion::Availability))
            .collect();
        assert_eq!(begun.len(), 6);
        let finish = PeerQuestion::Execute(Command::Advance);
        let finishing: Vec<_> = (0..8).filter_map(|_| places.take(&finish)).collect();
        assert_eq!(finishing.len(), 2);
        drop(begun);
        assert!(!places.are_free());
        drop(finishing);
        assert!(places.are_free());
    }
}
