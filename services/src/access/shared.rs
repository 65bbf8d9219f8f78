//! What processes share by Redis, and whether this one has heard everything lately.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use onsale_persistence::{AccessCache, ChangeStream, Redis, RedisError};
use tokio::time::Instant;

use super::Change;

/// A process that has not read the stream for so long does not know what was revoked.
const FRESH: Duration = Duration::from_secs(1);

/// The shared part.
pub(super) struct Shared {
    pub(super) stream: ChangeStream,
    pub(super) accounts: AccessCache,
    /// How often something could not be told, or not be forgotten in Redis: then everybody must be told to read
    /// everything again, and until that is done what Redis keeps is not believed.
    untold: AtomicU64,
    /// How many of these were made up for.
    made_up: AtomicU64,
    /// When the stream was last read to its end, in milliseconds since `began`; 0: not since the last gap.
    heard_ms: AtomicU64,
    began: Instant,
}

impl Shared {
    pub(super) fn new(redis: Redis) -> Self {
        Self {
            stream: ChangeStream::new(redis.clone()),
            accounts: AccessCache::new(redis),
            untold: AtomicU64::new(0),
            made_up: AtomicU64::new(0),
            heard_ms: AtomicU64::new(0),
            began: Instant::now(),
        }
    }

    /// Whether all that was told until a second ago is known here, and all that this process changed is told.
    pub(super) fn is_fresh(&self) -> bool {
        if self.untold.load(Ordering::SeqCst) != self.made_up.load(Ordering::SeqCst) {
            return false;
        }
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
        if let Err(error) = self.try_tell(change).await {
            tracing::warn!(%error, "a change of accounts could not be told to other processes; trying again");
            self.untold.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Forgets in Redis what accounts may do, or remembers that everybody must.
    pub(super) async fn forget_accounts(&self) {
        if let Err(error) = self.accounts.forget_all().await {
            tracing::warn!(%error, "what accounts may do could not be forgotten in Redis; trying again");
            self.untold.fetch_add(1, Ordering::SeqCst);
        }
    }

    async fn try_tell(&self, change: Change) -> Result<(), RedisError> {
        // First what they would read again, and only then that they should.
        match change {
            Change::AccessChanged { user_id } => self.accounts.forget(user_id).await?,
            Change::RolesChanged | Change::Unknown => self.accounts.forget_all().await?,
            Change::SessionRevoked { .. }
            | Change::GenerationRaised { .. }
            | Change::ApiKeyRevoked { .. } => {}
        }
        self.stream.append(&change.to_text()).await
    }

    /// Makes up for what could not be told.
    pub(super) async fn make_up(&self) {
        let untold = self.untold.load(Ordering::SeqCst);
        if untold != self.made_up.load(Ordering::SeqCst) && self.try_tell(Change::Unknown).await.is_ok() {
            // What could not be told meanwhile is still to be made up for.
            self.made_up.store(untold, Ordering::SeqCst);
        }
    }
}
