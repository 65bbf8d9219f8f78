//! People's accounts, their sessions and what they are mailed. Written directly; no event's journal holds them.
//!
//! Two rules keep concurrent changes apart. Whoever changes an account locks its row first and what hangs on it
//! (sessions, reset tokens) afterwards, so no two changes wait for each other. And every change that ends sessions
//! raises the account's generation, which a login compares again when it starts its session: a password that was
//! checked before the change starts none after it.
//!
//! Tokens are known here by their digests only.

mod housekeeping;
mod password_resets;
mod passwords;
mod reset_mail;
mod rotation;
mod sessions;
mod status;
mod users;

pub use password_resets::{PasswordReset, PasswordResetAccount};
pub use passwords::{KeptSession, PasswordChange};
pub use rotation::{RefreshAttempt, Rotation};
pub use sessions::NewSession;
pub use status::StatusChange;
pub use users::{AccountRow, NewPerson, UserFilter, UserRow};

/// SHA-256 of a token. Whoever reads it cannot make the token from it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenDigest(pub [u8; 32]);

impl std::fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenDigest(..)")
    }
}
