//! Keeps this process's memory of accounts in step with the tables and the other processes.

use std::sync::atomic::Ordering;
use std::time::Duration;

use onsale_domain::UnixMillis;
use onsale_persistence::{CHANGES_READ_MAX, DatabaseError, RedisError, Revocation};
use thiserror::Error;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::Change;
use super::revocations::ENTRIES_MAX;
use super::shared::Shared;
use crate::tokens::ACCESS_TOKEN_LIFETIME_MS;
use crate::{ServiceError, Services, metrics};

/// Pause before listening again after a failure.
const LISTEN_AGAIN: Duration = Duration::from_millis(500);
/// Pause between two rounds of upkeep.
const UPKEEP_EVERY: Duration = Duration::from_secs(1);
/// Rounds of upkeep between two looks at the tables, for what nobody told: its process ended between the commit and the
/// telling, or is cut off from Redis, or Redis lost it.
const ROUNDS_PER_LOOK: u32 = 5;
/// How far the clocks of processes and of Postgres may be apart.
pub(super) const CLOCKS_APART_MS: i64 = 60_000;

/// Why this process may not know everything.
#[derive(Debug, Error)]
enum Gap {
    #[error(transparent)]
    Stream(#[from] RedisError),
    #[error(transparent)]
    Read(#[from] ServiceError),
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// The worker. One runs in each process.
#[derive(Clone)]
pub struct AccessSync {
    services: Services,
}

impl AccessSync {
    /// A worker for these use cases.
    pub fn new(services: Services) -> Self {
        Self { services }
    }

    /// Works until told to stop.
    pub async fn run(self, shutdown: CancellationToken) {
        let work = async { tokio::join!(self.listen(), self.upkeep()) };
        shutdown.run_until_cancelled(work).await;
        self.services.write_key_uses().await;
    }

    async fn listen(&self) {
        let Some(shared) = &self.services.access_control().shared else {
            return;
        };
        let mut is_told = false;
        loop {
            let began = Instant::now();
            if let Err(gap) = self.follow(shared).await {
                shared.missed();
                // Once for each time that it is lost, and not for each attempt.
                if !is_told || began.elapsed() > UPKEEP_EVERY * 5 {
                    tracing::warn!(%gap, "what other processes revoke is not heard; asking Postgres for each request of staff");
                }
                is_told = true;
            }
            sleep(LISTEN_AGAIN).await;
        }
    }

    /// Follows the stream until something may have been missed.
    async fn follow(&self, shared: &Shared) -> Result<(), Gap> {
        let mut reader = shared.stream.listen().await?;
        // Who could not reach Redis could not forget there either.
        shared.accounts.forget_all().await?;
        self.services.load_access().await?;
        tracing::info!("following what other processes change");
        loop {
            let called_at = Instant::now();
            let changes = reader.next().await?;
            let are_all = changes.len() < CHANGES_READ_MAX;
            for text in changes {
                self.services.take_note(Change::of_text(&text)).await?;
            }
            if are_all {
                shared.heard(called_at);
            }
        }
    }

    async fn upkeep(&self) {
        let services = &self.services;
        let access = services.access_control();
        let mut look = Look::default();
        for round in 1_u32.. {
            sleep(UPKEEP_EVERY).await;
            access.revocations.forget_expired(services.now());
            if round % ROUNDS_PER_LOOK == 0 {
                self.look(&mut look).await;
            }
            if access.is_stale()
                && let Err(error) = services.load_access().await
            {
                tracing::warn!(%error, "what roles allow is not known; trying again");
            }
            if let Some(shared) = &access.shared {
                shared.make_up().await;
            }
            services.write_key_uses().await;
            metrics::access_state(access.is_synced(), access.revocations.len());
        }
    }

    /// Looks for what was changed and not told. A process on its own changes everything itself.
    async fn look(&self, look: &mut Look) {
        let Some(shared) = &self.services.access_control().shared else {
            return;
        };
        match self.find_untold(shared, look).await {
            Ok(()) => look.has_failed = false,
            Err(error) => {
                if !look.has_failed {
                    tracing::warn!(%error, "what was changed lately cannot be read; trying again");
                }
                look.has_failed = true;
            }
        }
    }

    async fn find_untold(&self, shared: &Shared, look: &mut Look) -> Result<(), Gap> {
        let services = &self.services;
        let now = services.now();
        let since = look
            .revocations_until
            .map_or(ACCESS_TOKEN_LIFETIME_MS, |until| now.ms_since(until));
        services
            .load_revocations(since.min(ACCESS_TOKEN_LIFETIME_MS))
            .await?;
        look.revocations_until = Some(now);
        // Every change of what accounts may do stands in the audit log, committed with it.
        let changes = services.database().access_changes_since(look.audited).await?;
        // The first look does not know since when: what was changed after the start was read may not have been told.
        if changes.found || look.audited.is_none() {
            shared.forget_accounts().await;
            services.load_access().await?;
        }
        look.audited = Some(changes.head);
        Ok(())
    }
}

/// How far the looks have come.
#[derive(Default)]
struct Look {
    /// What was revoked before this is known.
    revocations_until: Option<UnixMillis>,
    /// The last entry of the audit log that was looked at.
    audited: Option<u64>,
    has_failed: bool,
}

impl Services {
    /// Reads what roles allow and what was revoked lately, and forgets what was remembered of accounts. To be called
    /// before anybody is let in.
    pub async fn load_access(&self) -> Result<(), ServiceError> {
        let access = self.access_control();
        access.accounts.forget_all();
        access.api_keys.forget_all();
        let loaded = self.load_revocations(ACCESS_TOKEN_LIFETIME_MS).await;
        access
            .revocations_are_stale
            .store(loaded.is_err(), Ordering::SeqCst);
        loaded?;
        self.load_roles().await
    }

    /// Takes note of what was revoked in the last so many milliseconds.
    async fn load_revocations(&self, back_ms: i64) -> Result<(), ServiceError> {
        let since = self.now().plus_ms(-(back_ms + CLOCKS_APART_MS));
        let revoked = self.database().revocations_since(since, ENTRIES_MAX + 1).await?;
        for (position, revocation) in revoked.into_iter().enumerate() {
            self.revoke(revocation);
            if position % 1_000 == 999 {
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    fn revoke(&self, revocation: Revocation) {
        let revocations = &self.access_control().revocations;
        let until = |at: UnixMillis| at.plus_ms(ACCESS_TOKEN_LIFETIME_MS + CLOCKS_APART_MS);
        match revocation {
            Revocation::Session { session_id, at } => revocations.revoke_session(session_id, until(at)),
            Revocation::Generation {
                user_id,
                generation,
                at,
            } => revocations.raise_generation(user_id, generation, until(at)),
        }
    }
}
