//! Where the log ends: a sequence and the hash of everything up to it.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The hash of an entry; it covers all entries before it. Zeros before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditHash(pub [u8; 32]);

impl AuditHash {
    /// A hash from its column; `None` for another length, which no release writes.
    pub(super) fn of_column(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for AuditHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        blake3::Hash::from_bytes(self.0).fmt(f)
    }
}

/// An entry's sequence and hash. Noted by an operator outside the database, it is an anchor: whoever makes the whole
/// chain anew cannot meet it again. Written `SEQ:HASH`, the hash in hex.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditHead {
    /// Sequence of the entry; 0 before the first.
    pub seq: u64,
    /// Its hash.
    pub hash: AuditHash,
}

impl AuditHead {
    /// A head from its columns; `None` for what no release writes.
    pub(super) fn of_columns(seq: i64, hash: &[u8]) -> Option<Self> {
        Some(Self {
            seq: u64::try_from(seq).ok()?,
            hash: AuditHash::of_column(hash)?,
        })
    }
}

impl fmt::Display for AuditHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash)
    }
}

/// A text is no [`AuditHead`].
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("must be SEQ:HASH, a number and 64 hexadecimal digits, as an earlier verification printed it")]
pub struct NotAnAuditHead;

impl FromStr for AuditHead {
    type Err = NotAnAuditHead;

    fn from_str(text: &str) -> Result<Self, NotAnAuditHead> {
        let (seq, hash) = text.split_once(':').ok_or(NotAnAuditHead)?;
        let hash = blake3::Hash::from_hex(hash).map_err(|_| NotAnAuditHead)?;
        Ok(Self {
            seq: seq.parse().map_err(|_| NotAnAuditHead)?,
            hash: AuditHash(*hash.as_bytes()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_reads_back_as_it_was_printed() {
        let head = AuditHead {
            seq: 17,
            hash: AuditHash([0xa5; 32]),
        };
        assert_eq!(head.to_string(), format!("17:{}", "a5".repeat(32)));
        assert_eq!(head.to_string().parse(), Ok(head));
        for text in ["", "17", "17:a5", "x:00", &format!("-1:{}", "00".repeat(32))] {
            assert_eq!(text.parse::<AuditHead>(), Err(NotAnAuditHead), "{text}");
        }
    }
}
