//! Tokens that lead to a file in our own store for some minutes.
//!
//! A token holds everything: where the file is, what it is and until when it may be had, under a keyed hash. So no path
//! comes from outside, and nothing is remembered. The first secret signs, all verify.

use std::time::Duration;

use onsale_domain::UnixMillis;

use super::key::KEY_BYTES;
use super::{LinkedObject, ObjectKey, ObjectKind};

/// The longest life of a link.
pub const LINK_LIFETIME_MAX: Duration = Duration::from_mins(5);

const MAC_BYTES: usize = 32;
const FILE_NAME_BYTES_MAX: usize = 100;
/// What the secrets are for; another text would be other secrets.
const PURPOSE: &str = "onsale 2026-11 links to files";

/// What links are signed with, at least one. Never shown.
#[derive(Clone)]
pub struct LinkSecrets(Vec<[u8; 32]>);

impl LinkSecrets {
    /// Made of other secrets, of which nothing follows from these.
    pub fn derived_from<'a>(first: &[u8], others: impl Iterator<Item = &'a [u8]>) -> Self {
        let derived = |secret: &[u8]| blake3::derive_key(PURPOSE, secret);
        Self(
            std::iter::once(derived(first))
                .chain(others.map(derived))
                .collect(),
        )
    }

    /// The token of a link that is good until `expires_at`.
    pub(super) fn token(&self, object: &LinkedObject, expires_at: UnixMillis) -> String {
        let mut bytes = vec![0; MAC_BYTES];
        bytes.extend_from_slice(&expires_at.0.to_be_bytes());
        bytes.push(kind_byte(object.kind));
        bytes.extend_from_slice(&object.key.0);
        bytes.extend_from_slice(object.file_name.as_bytes());
        // Never empty: the constructor takes a first one.
        let mac = blake3::keyed_hash(&self.0[0], &bytes[MAC_BYTES..]);
        bytes[..MAC_BYTES].copy_from_slice(mac.as_bytes());
        to_hex(&bytes)
    }

    /// What a token leads to at an instant.
    pub(super) fn open(&self, token: &str, now: UnixMillis) -> Option<LinkedObject> {
        let bytes = from_hex(token)?;
        let (mac, signed) = bytes.split_first_chunk::<MAC_BYTES>()?;
        let mac = blake3::Hash::from_bytes(*mac);
        // Compares in constant time.
        let is_ours = self
            .0
            .iter()
            .any(|secret| blake3::keyed_hash(secret, signed) == mac);
        if !is_ours {
            return None;
        }
        let (expires_at, rest) = signed.split_first_chunk::<8>()?;
        let (kind, rest) = rest.split_first()?;
        let (key, file_name) = rest.split_first_chunk::<KEY_BYTES>()?;
        if now >= UnixMillis(i64::from_be_bytes(*expires_at)) {
            return None;
        }
        Some(LinkedObject {
            key: ObjectKey(*key),
            kind: kind_of(*kind)?,
            file_name: String::from_utf8(file_name.to_vec()).ok()?,
        })
    }
}

const fn kind_byte(kind: ObjectKind) -> u8 {
    match kind {
        ObjectKind::Pdf => 1,
        ObjectKind::Calendar => 2,
    }
}

const fn kind_of(byte: u8) -> Option<ObjectKind> {
    match byte {
        1 => Some(ObjectKind::Pdf),
        2 => Some(ObjectKind::Calendar),
        _ => None,
    }
}

fn to_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let longest = 2 * (MAC_BYTES + 8 + 1 + KEY_BYTES + FILE_NAME_BYTES_MAX);
    let is_hex = text.bytes().all(|byte| b"0123456789abcdef".contains(&byte));
    if text.len() > longest || !text.len().is_multiple_of(2) || !is_hex {
        return None;
    }
    text.as_bytes()
        .chunks(2)
        .map(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object() -> LinkedObject {
        LinkedObject {
            key: ObjectKey::random().unwrap(),
            kind: ObjectKind::Pdf,
            file_name: "ticket-1.pdf".to_owned(),
        }
    }

    fn secrets(first: &[u8], others: &[&[u8]]) -> LinkSecrets {
        LinkSecrets::derived_from(first, others.iter().copied())
    }

    #[test]
    fn a_token_leads_to_its_file_until_it_expires() {
        let (object, secrets) = (object(), secrets(b"one", &[]));
        let token = secrets.token(&object, UnixMillis(1_000));
        assert_eq!(secrets.open(&token, UnixMillis(999)), Some(object));
        assert_eq!(secrets.open(&token, UnixMillis(1_000)), None);
    }

    #[test]
    fn no_other_token_leads_anywhere() {
        let secrets = secrets(b"one", &[]);
        let token = secrets.token(&object(), UnixMillis(1_000));
        for (position, letter) in token.char_indices() {
            let other = if letter == '0' { "1" } else { "0" };
            let mut changed = token.clone();
            changed.replace_range(position..=position, other);
            assert_eq!(secrets.open(&changed, UnixMillis(0)), None, "{position}");
        }
        for other in [
            "",
            "00",
            &token.to_uppercase(),
            &token[2..],
            &format!("{token}00"),
            "../etc/passwd",
        ] {
            assert_eq!(secrets.open(other, UnixMillis(0)), None, "{other}");
        }
    }

    #[test]
    fn secrets_rotate() {
        let (before, after) = (secrets(b"one", &[]), secrets(b"two", &[b"one"]));
        let token = before.token(&object(), UnixMillis(1));
        assert!(after.open(&token, UnixMillis(0)).is_some());
        let token = after.token(&object(), UnixMillis(1));
        assert!(before.open(&token, UnixMillis(0)).is_none());
    }
}
