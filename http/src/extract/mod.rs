//! What handlers take from requests. Each refuses with a problem.

mod body;
mod idempotency;
mod path;
mod query;
mod version;

pub(crate) use body::{JsonBody, RawBody};
pub(crate) use idempotency::{IdempotencyKey, OptionalKey};
pub(crate) use path::Id;
pub(crate) use query::{PageQuery, Search};
pub(crate) use version::{ExpectedVersion, OptionalVersion};
