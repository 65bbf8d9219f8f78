//! What processes share by Redis, and whether this one has heard everything lately.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use onsale_persistence::{AccessCache, ChangeStream, Redis};
use tokio::time::Instant;

use super::Change;

/// A process that has not read the stream for so long does not know what was revoked.
const FRESH: Duration = Duration::from_secs(1);

/// The shared part.
pub(super) struct Shared {
    pub(super) stream: ChangeStream,
    pub(super) accounts: AccessCache,
    /// Something could not be told: everybody must be told to read everything again.
    undelivered: AtomicBool,
    /// When the stream was last read to its end, in milliseconds since `began`; 0: not since the last gap.
    heard_ms: AtomicU64,
    began: Instant,
}

impl Shared {
    pub(super) fn new(redis: Redis) -> Self {
        Self {
            stream: ChangeStream::new(redis.clone()),
            accounts: AccessCache::new(redis),
            undelivered: AtomicBool::new(false),
            heard_ms: AtomicU64::new(0),
            began: Instant::now(),
        }
    }

    /// Whether all that was told until a second ago is known here.
    pub(super) fn is_fresh(&self) -> bool {
        let heard_ms = self.heard_ms.load(Ordering::Acquire);
        heard_ms != 0 && self.began.elapsed() < Duration::from_millis(heard_ms) + FRESH
    }

    /// Notes that all that was told before an instant is known here.
    pub(super) fn heard(&self, at: Instant) {
        let heard_ms = at.duration_since(self.began).as_millis();
        let heard_ms = u64::try_from(heard_ms).unwrap_or(u64::MAX).max(1);
        self.heard_ms.store(heard_ms, Ordering::Release);
    }

    /// Notes that something may have been missed.
    pub(super) fn missed(&self) {
        self.heard_ms.store(0, Ordering::Release);
    }

    /// Tells other processes, or remembers that it must.
    pub(super) async fn tell(&self, change: Change) {
        // First what they would read again, and only then that they should.
        let forgotten = match change {
            Change::AccessChanged { user_id } => self.accounts.forget(user_id).await,
            Change::RolesChanged | Change::Unknown => self.accounts.forget_all().await,
            Change::SessionRevoked { .. }
            | Change::GenerationRaised { .. }
            | Change::ApiKeyRevoked { .. } => Ok(()),
        };
        let told = match forgotten {
            Ok(()) => self.stream.append(&change.to_text()).await,
            Err(error) => Err(error),
        };
        if let Err(error) = told {
            tracing::warn!(%error, "a change of accounts could not be told to other processes; trying again");
            self.undelivered.store(true, Ordering::SeqCst);
        }
    }

    /// Makes up for what could not be told.
    pub(super) async fn make_up(&self) {
        if self.undelivered.swap(false, Ordering::SeqCst) {
            self.tell(Change::Unknown).await;
        }
    }
}
