//! Opaque tokens: 256 random bits that mean nothing but to the table that knows their digest.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use onsale_persistence::TokenDigest;
use secrecy::SecretString;

use crate::RandomError;

/// What a token is for, told by its prefix, so that people and scanners of secrets know what they have found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Exchanged for the next access token.
    Refresh,
    /// Sets another password, once.
    PasswordReset,
}

impl Purpose {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Refresh => "osr_",
            Self::PasswordReset => "osp_",
        }
    }
}

/// A token itself. Never logged, never stored.
pub(crate) struct OpaqueToken {
    purpose: Purpose,
    bytes: [u8; 32],
}

impl OpaqueToken {
    pub(crate) fn random(purpose: Purpose) -> Result<Self, RandomError> {
        let bytes = random_bytes()?;
        Ok(Self { purpose, bytes })
    }

    /// Reads what [`Self::text`] wrote; `None`: it is no such token.
    pub(crate) fn parse(purpose: Purpose, text: &str) -> Option<Self> {
        let encoded = text.strip_prefix(purpose.prefix())?;
        let bytes = URL_SAFE_NO_PAD.decode(encoded).ok()?.try_into().ok()?;
        Some(Self { purpose, bytes })
    }

    pub(crate) fn text(&self) -> SecretString {
        format!("{}{}", self.purpose.prefix(), URL_SAFE_NO_PAD.encode(self.bytes)).into()
    }

    /// What the tables know it by.
    pub(crate) fn digest(&self) -> TokenDigest {
        let mut digest = [0; 32];
        digest.copy_from_slice(digest::digest(&digest::SHA256, &self.bytes).as_ref());
        TokenDigest(digest)
    }

    /// The token that follows this one under a salt: the same for whoever has both, and for nobody else.
    pub(crate) fn child(&self, salt: &[u8; 32]) -> Self {
        Self {
            purpose: self.purpose,
            bytes: *blake3::keyed_hash(salt, &self.bytes).as_bytes(),
        }
    }
}

/// 256 random bits.
pub(crate) fn random_bytes() -> Result<[u8; 32], RandomError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_token_reads_back_for_its_own_purpose_only() {
        let token = OpaqueToken::random(Purpose::Refresh).unwrap();
        let text = token.text();
        let text = text.expose_secret();
        assert_eq!(text.len(), 47);
        let read = OpaqueToken::parse(Purpose::Refresh, text).unwrap();
        assert!(read.digest() == token.digest());
        for bad in [
            "",
            "osr_",
            &text[4..],
            &text[..46],
            &format!("{text}A"),
            &text.replace("osr_", "osp_"),
        ] {
            assert!(OpaqueToken::parse(Purpose::Refresh, bad).is_none(), "{bad}");
        }
        assert!(OpaqueToken::parse(Purpose::PasswordReset, text).is_none());
    }

    #[test]
    fn a_child_follows_from_parent_and_salt() {
        let parent = OpaqueToken::random(Purpose::Refresh).unwrap();
        let (salt, other) = (random_bytes().unwrap(), random_bytes().unwrap());
        assert!(parent.child(&salt).digest() == parent.child(&salt).digest());
        assert!(parent.child(&salt).digest() != parent.child(&other).digest());
        let stranger = OpaqueToken::random(Purpose::Refresh).unwrap();
        assert!(parent.child(&salt).digest() != stranger.child(&salt).digest());
    }
}
