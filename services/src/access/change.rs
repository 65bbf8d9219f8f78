//! What processes tell each other about accounts.

use onsale_domain::{ApiKeyId, SessionId, UserId};
use serde::{Deserialize, Serialize};

/// Something that other processes remember otherwise. Announced after its commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
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
    /// Something, but nobody can say what any more: everything must be read again.
    Unknown,
}

impl Change {
    /// As it stands in the stream.
    pub(super) fn to_text(self) -> String {
        // A variant without data that cannot be written does not exist; what is not understood is read as unknown.
        serde_json::to_string(&self).unwrap_or_default()
    }

    /// What stands in the stream. What only a later release tells is unknown here.
    pub(super) fn of_text(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or(Self::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn changes_are_read_as_they_were_written_and_others_are_unknown() {
        let user_id = UserId(Uuid::from_u128(1));
        for change in [
            Change::SessionRevoked {
                session_id: SessionId(Uuid::from_u128(2)),
            },
            Change::GenerationRaised {
                user_id,
                generation: 7,
            },
            Change::AccessChanged { user_id },
            Change::RolesChanged,
            Change::ApiKeyRevoked {
                api_key_id: ApiKeyId(Uuid::from_u128(3)),
            },
            Change::Unknown,
        ] {
            assert_eq!(Change::of_text(&change.to_text()), change);
        }
        for text in ["", "{}", r#"{"kind":"seats_changed"}"#] {
            assert_eq!(Change::of_text(text), Change::Unknown, "{text}");
        }
    }
}
