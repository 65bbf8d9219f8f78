//! What a person holds after coming in.

use onsale_domain::{SessionId, UnixMillis};
use onsale_persistence::{AccountRow, NewSession, UserRow};
use secrecy::SecretString;

use super::OpaqueToken;
use super::opaque_token::Purpose;
use crate::tokens::{ACCESS_TOKEN_LIFETIME_MS, Grant};
use crate::{ServiceError, Services};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// How long a session lives that nobody refreshes.
pub(super) const REFRESH_LIFETIME_MS: i64 = 30 * DAY_MS;
/// How long a session lives at most.
const SESSION_LIFETIME_MS: i64 = 90 * DAY_MS;

/// A session as it is handed out.
#[derive(Debug)]
pub struct Session {
    /// Goes with every request.
    pub access_token: SecretString,
    /// Its end.
    pub expires_at: UnixMillis,
    /// Good for the next pair, once.
    pub refresh_token: SecretString,
    /// Its end.
    pub refresh_expires_at: UnixMillis,
    /// Who came in.
    pub user: UserRow,
    /// Names of the roles that the account has outside organizations.
    pub roles: Vec<String>,
}

impl Services {
    /// Starts a session of an account whose password was just checked; `None`: something about the account changed
    /// meanwhile.
    pub(super) async fn start_session(&self, account: AccountRow) -> Result<Option<Session>, ServiceError> {
        let now = self.now();
        let token = OpaqueToken::random(Purpose::Refresh)?;
        let session_id = self.ids().session_id(now)?;
        let token_expires_at = now.plus_ms(REFRESH_LIFETIME_MS);
        let started = self
            .database()
            .start_session(&NewSession {
                session_id,
                user_id: account.user.user_id,
                generation: account.generation,
                at: now,
                expires_at: now.plus_ms(SESSION_LIFETIME_MS),
                token: token.digest(),
                token_expires_at,
            })
            .await?;
        if !started {
            return Ok(None);
        }
        self.hand_out(account, session_id, &token, token_expires_at)
            .map(Some)
    }

    /// A session's tokens, the access token newly made.
    pub(super) fn hand_out(
        &self,
        account: AccountRow,
        session_id: SessionId,
        refresh_token: &OpaqueToken,
        refresh_expires_at: UnixMillis,
    ) -> Result<Session, ServiceError> {
        let now = self.now();
        let expires_at = now.plus_ms(ACCESS_TOKEN_LIFETIME_MS);
        let grant = Grant {
            user_id: account.user.user_id,
            session_id,
            generation: account.generation,
            roles: self.token_roles(&account.roles),
            issued_at: now,
            expires_at,
        };
        let access_token = self.tokens().mint(&grant).map_err(|error| {
            tracing::error!(%error, "an access token could not be made");
            ServiceError::Internal("an access token could not be made")
        })?;
        Ok(Session {
            access_token: access_token.into(),
            expires_at,
            refresh_token: refresh_token.text(),
            refresh_expires_at,
            user: account.user,
            roles: account.roles,
        })
    }
}
