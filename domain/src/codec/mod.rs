//! The journal's byte format: one version byte, then the records in postcard.

mod v1;

use serde::Deserialize;
use thiserror::Error;

use crate::{Inventory, Record};

/// Version that this release writes. It reads all versions up to this one.
pub const VERSION: u8 = 2;
/// Version of snapshots. Others are not read: a snapshot can always be made again from the journal.
const SNAPSHOT_VERSION: u8 = 2;

/// Why bytes are not records that this release can read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum CodecError {
    /// Written by a newer release: refuse, do not guess.
    #[error("format version {0} is newer than this release reads ({VERSION})")]
    UnknownVersion(u8),
    /// A snapshot of an earlier release: start from the first record.
    #[error("the snapshot has format version {0}, which this release does not read")]
    OutdatedSnapshot(u8),
    /// Empty, cut short or not records at all.
    #[error("damaged: {0}")]
    Damaged(String),
}

/// Encodes one batch of records.
pub fn encode_records<'a>(records: impl ExactSizeIterator<Item = &'a Record>) -> Result<Vec<u8>, CodecError> {
    let mut bytes = Vec::with_capacity(1 + 128 * records.len());
    bytes.push(VERSION);
    bytes = postcard::to_extend(&records.len(), bytes).map_err(damaged)?;
    for record in records {
        bytes = postcard::to_extend(record, bytes).map_err(damaged)?;
    }
    Ok(bytes)
}

/// Decodes one batch of records. Every byte must be used.
pub fn decode_records(bytes: &[u8]) -> Result<Vec<Record>, CodecError> {
    match bytes.split_first() {
        Some((1, body)) => v1::decode(body),
        _ => decode(bytes, VERSION),
    }
}

/// Encodes a whole state for a snapshot.
pub fn encode_snapshot(inventory: &Inventory) -> Result<Vec<u8>, CodecError> {
    postcard::to_extend(inventory, vec![SNAPSHOT_VERSION]).map_err(damaged)
}

/// Decodes a snapshot's state.
pub fn decode_snapshot(bytes: &[u8]) -> Result<Inventory, CodecError> {
    if let Some(version @ 1..SNAPSHOT_VERSION) = bytes.first() {
        return Err(CodecError::OutdatedSnapshot(*version));
    }
    let mut inventory: Inventory = decode(bytes, SNAPSHOT_VERSION)?;
    inventory.rebuild_indexes();
    Ok(inventory)
}

fn decode<T: for<'de> Deserialize<'de>>(bytes: &[u8], version: u8) -> Result<T, CodecError> {
    match bytes.split_first() {
        None => Err(CodecError::Damaged("empty".to_owned())),
        Some((&found, body)) if found == version => match postcard::take_from_bytes(body).map_err(damaged)? {
            (value, []) => Ok(value),
            (_, rest) => Err(CodecError::Damaged(format!("{} bytes too many", rest.len()))),
        },
        Some((&version, _)) => Err(CodecError::UnknownVersion(version)),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn damaged(error: postcard::Error) -> CodecError {
    CodecError::Damaged(error.to_string())
}
