//! Going.

use onsale_domain::SessionId;
use onsale_persistence::AuditOutcome;

use crate::access::Credential;
use crate::{Caller, Change, Origin, ServiceError, Services};

impl Services {
    /// Ends the caller's session. Repeating it changes nothing.
    ///
    /// Errors: [`ServiceError::Forbidden`] for who came with an API key.
    pub async fn logout(&self, caller: &Caller) -> Result<(), ServiceError> {
        let session_id = session_of(caller)?;
        let services = self.clone();
        self.to_its_end(async move {
            services
                .database()
                .end_session(session_id, services.now())
                .await?;
            services.announce(Change::SessionRevoked { session_id }).await;
            Ok(())
        })
        .await
    }

    /// Ends all of the caller's sessions and access tokens.
    ///
    /// Errors: [`ServiceError::Forbidden`] for who came with an API key.
    pub async fn logout_everywhere(&self, caller: &Caller, origin: &Origin) -> Result<(), ServiceError> {
        session_of(caller)?;
        let (now, user_id) = (self.now(), caller.user_id);
        let entry = origin
            .entry(now, caller.actor(), "sessions.revoke", AuditOutcome::Done)
            .on("user", user_id.0);
        let services = self.clone();
        self.to_its_end(async move {
            let ended = services.database().end_all_sessions(user_id, now, &entry).await?;
            let generation = ended.ok_or(ServiceError::Unauthenticated)?;
            services
                .announce(Change::GenerationRaised { user_id, generation })
                .await;
            Ok(())
        })
        .await
    }
}

/// The session that a person asks from.
pub(super) fn session_of(caller: &Caller) -> Result<SessionId, ServiceError> {
    match caller.credential {
        Credential::Token { session_id, .. } => Ok(session_id),
        Credential::ApiKey { .. } => Err(ServiceError::Forbidden),
    }
}
