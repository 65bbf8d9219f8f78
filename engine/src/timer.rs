//! An actor's timer.

use std::time::Duration;

use onsale_domain::UnixMillis;
use ractor::ActorRef;
use tokio::task::AbortHandle;

use crate::actor::Message;

/// A tick that is to come. It is called off when this is dropped: a sleeping task would keep what is left of its actor
/// in memory for as long as it sleeps, which is an hour for an event that has left because nobody used it.
pub(crate) struct Timer {
    /// When.
    pub(crate) at: UnixMillis,
    task: Option<AbortHandle>,
}

impl Timer {
    /// Sends a tick after some time, which is at `at`.
    pub(crate) fn after(myself: &ActorRef<Message>, delay_ms: i64, at: UnixMillis) -> Self {
        let delay = Duration::from_millis(u64::try_from(delay_ms).unwrap_or(0));
        let task = myself.send_after(delay, || Message::Tick);
        Self {
            at,
            task: Some(task.abort_handle()),
        }
    }

    /// The tick is sent already.
    pub(crate) const fn now(at: UnixMillis) -> Self {
        Self { at, task: None }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
