//! Hashing passwords: argon2id on threads of its own (`services/src/workers.rs`), few at a time, behind a bounded queue.
//!
//! One hash takes 19 MiB and some twenty milliseconds of a processor. At most half of the processors hash at once,
//! and the sale goes first there as well. Whoever finds 256 waiting is told to come again.

use std::cell::RefCell;
use std::sync::Arc;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use onsale_domain::account::check_password;
use onsale_domain::{EmailAddress, WeakPassword};
use secrecy::{ExposeSecret as _, SecretString};

use super::BreachedPasswords;
use super::opaque_token::random_bytes;
use crate::ServiceError;
use crate::metrics::password_hashed;
use crate::workers::Workers;

/// Requests that may wait for their turn.
const WAITING_MAX: usize = 256;
/// Memory of one hash, in KiB (OWASP's first choice, with two passes).
const MEMORY_KIB: u32 = 19 * 1_024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Bytes of salt (RFC 9106, 3.1).
const SALT_BYTES: usize = 16;

/// What is compared with where there is no account: the same parameters, so the same work, and no password fits.
const NOBODYS_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$b25zYWxlbm9ib2R5eA$Tm9ib2R5J3MgaGFzaDogbm8gcGFzc3dvcmQgZml0cyE";

/// What a comparison found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compared {
    /// It is another password, or there is nothing to compare with.
    Different,
    /// It is the password.
    Same,
    /// It is the password, and its hash was made under other parameters than today's.
    SameUnderOldParameters,
}

/// Hashes and compares passwords.
pub(super) struct Hashing {
    workers: Workers,
    breached: Arc<BreachedPasswords>,
}

impl Hashing {
    pub(super) fn new(breached: Arc<BreachedPasswords>) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self::with_workers((processors / 2).max(1), breached)
    }

    fn with_workers(workers: usize, breached: Arc<BreachedPasswords>) -> Self {
        Self {
            workers: Workers::new("hashing", workers, WAITING_MAX),
            breached,
        }
    }

    /// The hash of a new password, in PHC format.
    ///
    /// Errors: [`ServiceError::WeakPassword`], [`ServiceError::Overloaded`].
    pub(super) async fn hash_new(
        &self,
        password: SecretString,
        email: EmailAddress,
        name: String,
    ) -> Result<String, ServiceError> {
        let breached = Arc::clone(&self.breached);
        self.workers
            .run(move || {
                check(password.expose_secret(), &email, &name, &breached)?;
                hash(&password)
            })
            .await?
    }

    /// The hash of a password that was accepted before.
    pub(super) async fn hash_again(&self, password: SecretString) -> Result<String, ServiceError> {
        self.workers.run(move || hash(&password)).await?
    }

    /// Compares a password with a hash; `None`: with nobody's, which takes as long.
    pub(super) async fn compare(
        &self,
        password: SecretString,
        hash: Option<String>,
    ) -> Result<Compared, ServiceError> {
        self.workers
            .run(move || compare(&password, hash.as_deref()))
            .await?
    }
}

fn check(
    password: &str,
    email: &EmailAddress,
    name: &str,
    breached: &BreachedPasswords,
) -> Result<(), WeakPassword> {
    check_password(password, email)?;
    let local_part = email.as_str().split('@').next().unwrap_or_default();
    breached.check(password, &[email.as_str(), local_part, name])
}

thread_local! {
    /// The memory of this thread's hashes. To get 19 MiB from the system and give them back for each hash costs as much
    /// as a part of it, and holds up whoever else of the process wants memory meanwhile.
    static MEMORY: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
}

fn parameters() -> Result<Params, ServiceError> {
    Params::new(MEMORY_KIB, PASSES, LANES, None)
        .map_err(|_| ServiceError::Internal("argon2 refuses its parameters"))
}

/// The bare argon2id hash of a password, as long as `hash`.
fn derive(params: Params, password: &SecretString, salt: &[u8], hash: &mut [u8]) -> Result<(), ServiceError> {
    let blocks = params.block_count();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let password = password.expose_secret().as_bytes();
    password_hashed();
    MEMORY.with_borrow_mut(|memory| {
        if memory.len() < blocks {
            memory.resize(blocks, Block::default());
        }
        argon2
            .hash_password_into_with_memory(password, salt, hash, &mut memory[..blocks])
            .map_err(|_| ServiceError::Internal("a password could not be hashed"))
    })
}

fn hash(password: &SecretString) -> Result<String, ServiceError> {
    let failed = || ServiceError::Internal("a password hash could not be written");
    let params = parameters()?;
    let random = random_bytes()?;
    let salt = &random[..SALT_BYTES];
    let mut hash = [0; Params::DEFAULT_OUTPUT_LEN];
    derive(params.clone(), password, salt, &mut hash)?;
    let written = PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params).map_err(|_| failed())?,
        salt: Some(Salt::new(salt).map_err(|_| failed())?),
        hash: Some(Output::new(&hash).map_err(|_| failed())?),
    };
    Ok(written.to_string())
}

fn compare(password: &SecretString, hash: Option<&str>) -> Result<Compared, ServiceError> {
    let unreadable = || ServiceError::Internal("a stored password hash cannot be read");
    let stored = PasswordHash::new(hash.unwrap_or(NOBODYS_HASH)).map_err(|_| unreadable())?;
    let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else {
        return Err(unreadable());
    };
    if stored.algorithm != ARGON2ID_IDENT || stored.version != Some(Version::V0x13.into()) {
        return Err(unreadable());
    }
    let params = Params::try_from(&stored).map_err(|_| unreadable())?;
    let is_current = params.m_cost() == MEMORY_KIB && params.t_cost() == PASSES && params.p_cost() == LANES;
    let mut buffer = [0; Output::MAX_LENGTH];
    let given = buffer.get_mut(..expected.as_ref().len()).ok_or_else(unreadable)?;
    derive(params, password, salt, given)?;
    // Compares in constant time.
    let is_same = Output::new(given).is_ok_and(|given| given == *expected);
    Ok(match (hash.is_some() && is_same, is_current) {
        (false, _) => Compared::Different,
        (true, true) => Compared::Same,
        (true, false) => Compared::SameUnderOldParameters,
    })
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::PasswordHasher as _;

    use super::*;

    fn secret(password: &str) -> SecretString {
        SecretString::from(password.to_owned())
    }

    fn hashing() -> Hashing {
        Hashing::with_workers(1, Arc::default())
    }

    fn email() -> EmailAddress {
        EmailAddress::parse("ada@example.org").unwrap()
    }

    #[tokio::test]
    async fn a_password_is_told_from_others_and_from_nobodys() {
        let hashing = hashing();
        let password = "a quiet harbour at dusk";
        let hash = hashing
            .hash_new(secret(password), email(), "Ada".to_owned())
            .await
            .unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let again = hashing.hash_again(secret(password)).await.unwrap();
        assert_ne!(hash, again, "salted");
        let compare = async |password, hash: Option<&String>| {
            hashing.compare(secret(password), hash.cloned()).await.unwrap()
        };
        assert_eq!(compare(password, Some(&hash)).await, Compared::Same);
        assert_eq!(
            compare("a quiet harbour at dawn", Some(&hash)).await,
            Compared::Different
        );
        assert_eq!(compare(password, None).await, Compared::Different);
    }

    #[tokio::test]
    async fn a_hash_of_cheaper_days_is_told() {
        let params = Params::new(8 * 1_024, 1, 1, None).unwrap();
        let cheap = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let hash = cheap
            .hash_password(b"a quiet harbour at dusk")
            .unwrap()
            .to_string();
        let compared = hashing()
            .compare(secret("a quiet harbour at dusk"), Some(hash))
            .await;
        assert_eq!(compared.unwrap(), Compared::SameUnderOldParameters);
    }

    #[tokio::test]
    async fn a_weak_password_is_not_hashed() {
        let refused = hashing()
            .hash_new(secret("password1234"), email(), "Ada".to_owned())
            .await;
        assert!(matches!(
            refused,
            Err(ServiceError::WeakPassword(WeakPassword::Breached))
        ));
    }
}
