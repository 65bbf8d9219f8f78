//! An event's inbox: what its actor is asked, until the actor takes it.
//!
//! One message of the actor library wakes the actor for everything that has come in, instead of one for each
//! request: in a storm that saves a good part of the cost of a decision. Permits bound its length.

use std::sync::{Mutex, PoisonError};

use onsale_domain::{Command, UnixMillis};

use crate::actor::Asker;
use crate::look::Look;

/// A question with whoever waits for its answer.
pub(crate) struct Envelope {
    pub(crate) question: Question,
    /// Decide a command, unless it is later than that.
    pub(crate) deadline_at: UnixMillis,
    pub(crate) asker: Asker,
}

/// What an actor can be asked.
pub(crate) enum Question {
    /// Decide.
    Command(Command),
    /// Look something up.
    Look(Look),
}

/// What happened to an envelope.
pub(crate) enum Posted {
    /// It is the first: the actor must be woken.
    First,
    /// The actor has been woken for an earlier one.
    Queued,
    /// The actor is gone or about to go; the question comes back.
    Closed(Box<Question>),
}

/// What has come in, by class. Within a class the order of arrival holds.
#[derive(Default)]
pub(crate) struct Envelopes {
    /// Everything but new holds: served first, so that a herd keeps nobody from paying for what they hold.
    pub(crate) finishing: Vec<Envelope>,
    /// New holds.
    pub(crate) holds: Vec<Envelope>,
}

impl Envelopes {
    fn is_empty(&self) -> bool {
        self.finishing.is_empty() && self.holds.is_empty()
    }
}

/// The inbox. `None` once it is closed.
pub(crate) struct Inbox(Mutex<Option<Envelopes>>);

impl Inbox {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Some(Envelopes {
            finishing: Vec::new(),
            holds: Vec::new(),
        })))
    }

    pub(crate) fn post(&self, envelope: Envelope) -> Posted {
        match self.lock().as_mut() {
            None => Posted::Closed(Box::new(envelope.question)),
            Some(envelopes) => {
                let first = envelopes.is_empty();
                match envelope.question {
                    Question::Command(Command::PlaceHold(_)) => envelopes.holds.push(envelope),
                    Question::Command(_) | Question::Look(_) => envelopes.finishing.push(envelope),
                }
                if first { Posted::First } else { Posted::Queued }
            }
        }
    }

    /// Everything that has come in.
    pub(crate) fn take(&self) -> Envelopes {
        self.lock().as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Drops what is in it and refuses what comes: whoever waits for an answer learns that there is none.
    pub(crate) fn close(&self) {
        self.lock().take();
    }

    /// Closes it unless something has come in. Whether it is closed.
    pub(crate) fn close_if_empty(&self) -> bool {
        let mut envelopes = self.lock();
        if envelopes.as_ref().is_some_and(|envelopes| !envelopes.is_empty()) {
            return false;
        }
        envelopes.take();
        true
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().is_none()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Envelopes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
