//! The signed code of a ticket: what its QR symbol says.
//!
//! ```text
//! 1 byte   format, 1
//! 16 bytes event, 16 bytes ticket
//! 4 bytes  version of the ticket, big end first
//! 1 byte   length of the key's id, then the id
//! 64 bytes Ed25519 over a fixed prefix and all of the above
//! ```
//!
//! As text it is base 32 (RFC 4648) without padding: letters and digits that a QR symbol packs densely, and that
//! survive being copied, sent in a link or typed. Every code has one spelling: what decodes to the same bytes another
//! way is refused.
//!
//! A code says who made it, not that it still admits: a transfer raises the version, a refund ends the ticket, and
//! only the event's own records tell. A scanner without a connection verifies the signature and checks a list.

use data_encoding::BASE32_NOPAD;
use onsale_domain::{EventId, TicketId};
use thiserror::Error;
use uuid::Uuid;

use super::TicketKeys;
use super::keys::KEY_ID_BYTES_MAX;

/// The only format so far.
const FORMAT: u8 = 1;
/// What is signed begins with this, so that a signature under the same key for another purpose never passes for a
/// ticket's.
const PREFIX: &[u8] = b"onsale ticket pass\0";
const SIGNATURE_BYTES: usize = 64;
/// Everything before the key's id.
const HEAD_BYTES: usize = 1 + 16 + 16 + 4 + 1;
/// Longest text that is looked at.
const TEXT_BYTES_MAX: usize = (HEAD_BYTES + KEY_ID_BYTES_MAX + SIGNATURE_BYTES).div_ceil(5) * 8;

/// What a ticket's code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketPass {
    /// What it admits to.
    pub event_id: EventId,
    /// Which ticket.
    pub ticket_id: TicketId,
    /// Raised by each transfer; older codes do not admit.
    pub version: u32,
}

/// A code that one of our keys signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedPass {
    /// What it says.
    pub pass: TicketPass,
    /// Which key signed it.
    pub key_id: String,
}

/// Why a code is not one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PassError {
    /// Not the text of a code: cut off, misread or something else altogether.
    #[error("not a ticket's code")]
    Unreadable,
    /// A format that this release does not know.
    #[error("a ticket's code of another format")]
    UnknownFormat,
    /// Signed with a key that is not, or no longer, ours.
    #[error("a ticket's code under an unknown key")]
    UnknownKey,
    /// Forged or damaged.
    #[error("a ticket's code with a wrong signature")]
    WrongSignature,
}

impl TicketPass {
    /// The code as text, signed with the first key. The same each time.
    pub fn encode(&self, keys: &TicketKeys) -> String {
        let id = keys.signing_id().as_bytes();
        let mut message = Vec::with_capacity(PREFIX.len() + HEAD_BYTES + id.len() + SIGNATURE_BYTES);
        message.extend_from_slice(PREFIX);
        message.push(FORMAT);
        message.extend_from_slice(self.event_id.0.as_bytes());
        message.extend_from_slice(self.ticket_id.0.as_bytes());
        message.extend_from_slice(&self.version.to_be_bytes());
        // Bounded by `KEY_ID_BYTES_MAX`.
        message.push(u8::try_from(id.len()).unwrap_or_default());
        message.extend_from_slice(id);
        let signature = keys.sign(&message);
        message.extend_from_slice(&signature);
        BASE32_NOPAD.encode(&message[PREFIX.len()..])
    }

    /// Reads a code and checks its signature.
    pub fn parse_and_verify(text: &str, keys: &TicketKeys) -> Result<VerifiedPass, PassError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(PassError::Unreadable);
        }
        let bytes = BASE32_NOPAD
            .decode(text.as_bytes())
            .map_err(|_| PassError::Unreadable)?;
        match bytes.first() {
            Some(&FORMAT) => {}
            Some(_) => return Err(PassError::UnknownFormat),
            None => return Err(PassError::Unreadable),
        }
        let (signed, signature) = bytes
            .split_last_chunk::<SIGNATURE_BYTES>()
            .ok_or(PassError::Unreadable)?;
        let (pass, key_id) = read(signed).ok_or(PassError::Unreadable)?;
        let message = [PREFIX, signed].concat();
        match keys.is_signed(key_id, &message, signature) {
            Some(true) => Ok(VerifiedPass {
                pass,
                key_id: key_id.to_owned(),
            }),
            Some(false) => Err(PassError::WrongSignature),
            None => Err(PassError::UnknownKey),
        }
    }
}

fn read(signed: &[u8]) -> Option<(TicketPass, &str)> {
    let (_format, rest) = signed.split_first()?;
    let (event, rest) = rest.split_first_chunk::<16>()?;
    let (ticket, rest) = rest.split_first_chunk::<16>()?;
    let (version, rest) = rest.split_first_chunk::<4>()?;
    let (length, key_id) = rest.split_first()?;
    if usize::from(*length) != key_id.len() || key_id.len() > KEY_ID_BYTES_MAX {
        return None;
    }
    let pass = TicketPass {
        event_id: EventId(Uuid::from_bytes(*event)),
        ticket_id: TicketId(Uuid::from_bytes(*ticket)),
        version: u32::from_be_bytes(*version),
    };
    Some((pass, std::str::from_utf8(key_id).ok()?))
}
