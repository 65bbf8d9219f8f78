//! Names of files that nobody can guess.

use std::fmt;

use super::ObjectError;

/// Random bytes of a key.
pub(super) const KEY_BYTES: usize = 20;

/// Where a file is in its store: 160 random bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectKey(pub(super) [u8; KEY_BYTES]);

impl ObjectKey {
    /// A new key.
    pub fn random() -> Result<Self, ObjectError> {
        let mut bytes = [0; KEY_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| ObjectError::Unavailable(error.to_string()))?;
        Ok(Self(bytes))
    }

    /// Reads what `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 2 * KEY_BYTES || !text.bytes().all(|byte| b"0123456789abcdef".contains(&byte)) {
            return None;
        }
        let mut bytes = [0; KEY_BYTES];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Whoever knows the key may find the file: it stays out of logs.
impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ObjectKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::ObjectKey;

    #[test]
    fn keys_are_read_as_they_are_written_and_in_no_other_way() {
        let key = ObjectKey::random().unwrap();
        let text = key.to_string();
        assert_eq!(ObjectKey::parse(&text), Some(key));
        assert_ne!(ObjectKey::random().unwrap(), key);
        for other in [
            "",
            "..",
            &text.to_uppercase().replace('0', "A"),
            &text[1..],
            &format!("{text}0"),
        ] {
            assert_eq!(ObjectKey::parse(other), None, "{other}");
        }
    }
}
