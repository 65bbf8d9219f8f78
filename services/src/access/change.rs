//! What processes tell each other about accounts.

use onsale_domain::{ApiKeyId, SessionId, UserId};

/// Something that other processes remember otherwise. Announced after its commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A login was ended: its access tokens are refused.
    SessionRevoked {
        /// Which.
        session_id: SessionId,
    },
    /// An account's access tokens of earlier generations are refused.
    GenerationRaised {
        /// Whose.
        user_id: UserId,
        /// The first generation that is accepted.
        generation: u64,
    },
    /// An account has other roles, or another status.
    AccessChanged {
        /// Whose.
        user_id: UserId,
    },
    /// A role allows something else.
    RolesChanged,
    /// An API key was revoked.
    ApiKeyRevoked {
        /// Which.
        api_key_id: ApiKeyId,
    },
}
