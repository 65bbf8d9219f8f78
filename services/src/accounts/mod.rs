//! People's accounts: coming in, staying in, getting out, and what staff do with them.
//!
//! A session is one login on one device: a short access token and a refresh token that is exchanged for the next one
//! at every use. Passwords are hashed behind a bounded queue (`hashing`), so that a storm of logins cannot take the
//! processors from the sale. What ends sessions is announced after its commit.
//!
//! Who asks for an account that is not there is answered as who has the wrong password, after the same work.

mod admin;
mod breached;
mod hashing;
mod housekeeping;
mod introspect;
mod login;
mod logout;
mod opaque_token;
mod password;
mod password_reset;
mod refresh;
mod register;
mod session;
mod users;

use std::sync::Arc;

pub use admin::create_admin;
pub use breached::BreachedPasswords;
use hashing::Hashing;
pub use housekeeping::Housekeeping;
pub use introspect::{IntrospectedToken, Introspection};
pub(crate) use opaque_token::{OpaqueToken, Purpose};
pub use password::NewPassword;
pub(crate) use password_reset::RESET_LIFETIME_MS;
pub use register::Registration;
pub use session::Session;

/// What the use cases of accounts work with.
pub(crate) struct Accounts {
    hashing: Hashing,
}

impl Accounts {
    pub(crate) fn new(breached: Arc<BreachedPasswords>) -> Self {
        Self {
            hashing: Hashing::new(breached),
        }
    }
}
