//! Who wants to get in.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use onsale_domain::EmailAddress;
use onsale_services::Origin;

use super::extract::origin;
use crate::error::ApiError;
use crate::gate::Gate;
use crate::problem::Problem;

/// Somebody who comes with a password or a token that could be a guess. Spends from the limit of their network, before
/// the body is read.
pub(crate) struct Guest {
    gate: Gate,
    /// Where the request came from.
    pub(crate) origin: Origin,
}

impl Guest {
    /// Spends from the limit of the account with this address, which need not exist. Errors: the limit is reached.
    pub(crate) async fn admit_email(&self, email: &str) -> Result<(), Problem> {
        match EmailAddress::parse(email) {
            Ok(email) => self.gate.admit_auth_account(email.as_str().as_bytes()).await,
            // No account has it, so nothing can be guessed.
            Err(_) => Ok(()),
        }
    }

    /// Spends from the limit of an account. Errors: the limit is reached.
    pub(crate) async fn admit_account(&self, user_id: onsale_domain::UserId) -> Result<(), Problem> {
        self.gate.admit_auth_account(user_id.0.as_bytes()).await
    }
}

impl<S> FromRequestParts<S> for Guest
where
    Gate: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let gate = Gate::from_ref(state);
        gate.admit_auth(parts).await?;
        let origin = origin(parts, &gate);
        Ok(Self { gate, origin })
    }
}
