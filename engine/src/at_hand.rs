//! The request at hand: what goes with a request beside its question. Nothing is decided by it; logs and traces read it.
//!
//! It goes with the task that answers the request. Work that is spawned on the request's behalf is wrapped in
//! [`carried`], or its log lines and its spans belong to nobody.

use std::fmt;

use futures::future::Either;
use tokio::task::futures::TaskLocalFuture;

use crate::trace::Place;

tokio::task_local! {
    static AT_HAND: AtHand;
}

/// What goes with a request.
#[derive(Clone, Debug)]
pub struct AtHand {
    /// Which request.
    pub request_id: RequestId,
    /// Where further spans hang, if the request is traced.
    pub place: Option<Place>,
}

impl AtHand {
    /// Lets work know that it belongs to this request.
    pub fn known_to<F: Future>(self, work: F) -> TaskLocalFuture<Self, F> {
        AT_HAND.scope(self, work)
    }

    /// Looks at the request at hand; nothing outside of one.
    pub fn look<T>(look: impl FnOnce(&Self) -> T) -> Option<T> {
        AT_HAND.try_with(look).ok()
    }
}

/// Work that belongs to the request at hand, if there is one, also in a task of its own.
pub fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    match AtHand::look(Clone::clone) {
        Some(at_hand) => Either::Left(at_hand.known_to(work)),
        None => Either::Right(work),
    }
}

/// A request's name in logs and answers: letters, digits, `-`, `_` and `.`, so that it can stand anywhere.
#[derive(Clone, Copy)]
pub struct RequestId {
    text: [u8; Self::BYTES_MAX],
    length: u8,
}

impl RequestId {
    /// The longest id.
    pub const BYTES_MAX: usize = 64;

    /// An id that somebody else made, if it is harmless.
    pub fn parse(id: &[u8]) -> Option<Self> {
        let is_harmless = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        if id.is_empty() || id.len() > Self::BYTES_MAX || !id.iter().all(is_harmless) {
            return None;
        }
        let mut text = [0; Self::BYTES_MAX];
        text[..id.len()].copy_from_slice(id);
        Some(Self {
            text,
            length: u8::try_from(id.len()).ok()?,
        })
    }

    /// A number as 32 hexadecimal digits.
    pub fn of_number(number: u128) -> Self {
        let mut text = [0; Self::BYTES_MAX];
        for (position, digit) in text[..32].iter_mut().enumerate() {
            let nibble = (number >> (124 - 4 * position)) & 15;
            *digit = b"0123456789abcdef"[usize::try_from(nibble).unwrap_or_default()];
        }
        Self { text, length: 32 }
    }

    /// The id as it is written.
    pub fn as_str(&self) -> &str {
        let text = &self.text[..usize::from(self.length)];
        std::str::from_utf8(text).unwrap_or("unknown")
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
