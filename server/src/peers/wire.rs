//! Questions and answers as bytes.
//!
//! Processes of two releases speak with each other while one is replaced by the next. They understand each other only at
//! the same [`VERSION`]; at another, a question is refused, and its client told to come again (ADR 0026).

use std::time::Duration;

use hyper::body::Bytes;
use onsale_engine::EngineError;
use onsale_engine::port::{PeerAnswer, PeerQuestion};
use serde::{Deserialize, Serialize};

/// Version of what is said. Raise it with every change of the encoding: postcard names no fields and no variants.
pub(super) const VERSION: u32 = 1;

/// A question on its way.
#[derive(Deserialize)]
struct Asked {
    /// After so long nobody waits for the answer any more.
    patience_ms: u32,
    question: PeerQuestion,
}

/// The same, borrowed.
#[derive(Serialize)]
struct Asking<'a> {
    patience_ms: u32,
    question: &'a PeerQuestion,
}

pub(super) fn encode_question(question: &PeerQuestion, patience: Duration) -> Result<Bytes, postcard::Error> {
    let asking = Asking {
        patience_ms: u32::try_from(patience.as_millis()).unwrap_or(u32::MAX),
        question,
    };
    postcard::to_stdvec(&asking).map(Into::into)
}

pub(super) fn decode_question(bytes: &[u8]) -> Result<(PeerQuestion, Duration), postcard::Error> {
    let asked: Asked = postcard::from_bytes(bytes)?;
    Ok((asked.question, Duration::from_millis(asked.patience_ms.into())))
}

pub(super) fn encode_answer(answer: &Result<PeerAnswer, EngineError>) -> Result<Bytes, postcard::Error> {
    postcard::to_stdvec(answer).map(Into::into)
}

pub(super) fn decode_answer(bytes: &[u8]) -> Result<Result<PeerAnswer, EngineError>, postcard::Error> {
    postcard::from_bytes(bytes)
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
