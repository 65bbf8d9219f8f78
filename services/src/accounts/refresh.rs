//! Exchanging a refresh token for the next pair.

use onsale_persistence::{Actor, AuditOutcome, RefreshAttempt, Rotation};

use super::Session;
use super::opaque_token::{OpaqueToken, Purpose, random_bytes};
use super::session::REFRESH_LIFETIME_MS;
use crate::{Change, Origin, ServiceError, Services};

/// How long who lost an answer gets the same one again.
const GRACE_MS: i64 = 10_000;

impl Services {
    /// The next access and refresh token of a session. A repeat within ten seconds gets the same refresh token; later,
    /// or once that was used, it ends the session: two have the token, and one of them is not its owner.
    ///
    /// Errors: [`ServiceError::RefreshTokenInvalid`].
    pub async fn refresh(&self, token: &str, origin: &Origin) -> Result<Session, ServiceError> {
        let parent = OpaqueToken::parse(Purpose::Refresh, token).ok_or(ServiceError::RefreshTokenInvalid)?;
        let now = self.now();
        let attempt = RefreshAttempt {
            token: parent.digest(),
            salt: random_bytes()?,
            at: now,
            child_expires_at: now.plus_ms(REFRESH_LIFETIME_MS),
            grace_ms: GRACE_MS,
        };
        let entry = origin.entry(now, Actor::person(None), "sessions.revoke", AuditOutcome::Done);
        let services = self.clone();
        self.to_its_end(async move {
            let child_of = |salt: &[u8; 32]| parent.child(salt).digest();
            let rotation = services
                .database()
                .rotate_refresh_token(&attempt, child_of, &entry)
                .await?;
            services.rotated(&parent, rotation).await
        })
        .await
    }

    async fn rotated(&self, parent: &OpaqueToken, rotation: Rotation) -> Result<Session, ServiceError> {
        match rotation {
            Rotation::Child {
                salt,
                expires_at,
                session_id,
                account,
            } => self.hand_out(*account, session_id, &parent.child(&salt), expires_at),
            Rotation::Reused { session_id, user_id } => {
                self.announce(Change::SessionRevoked { session_id }).await;
                tracing::warn!(%user_id, %session_id, "a refresh token was used again: its session is ended");
                Err(ServiceError::RefreshTokenInvalid)
            }
            Rotation::Refused => Err(ServiceError::RefreshTokenInvalid),
        }
    }
}
