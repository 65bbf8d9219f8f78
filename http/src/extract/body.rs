//! Bodies within bounds.
//!
//! A JSON body of at most 16 KiB, unless its route says otherwise, arrives within ten seconds, unencoded. Request types deny unknown fields, serde refuses
//! a field that comes twice, and no request type is recursive, so a deep body is refused at the first level that
//! nothing asks for. Not JSON at all: 400. JSON of another shape: 422, with a pointer to the place, which is looked
//! for only then.

use std::error::Error as _;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::LengthLimitError;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use crate::codes::Code;
use crate::problem::Problem;

/// Bytes of a body.
const BODY_BYTES_MAX: usize = 16 * 1_024;
/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// A body of at most so many bytes, read as JSON, and its raw bytes.
pub(crate) struct JsonBody<T, const BYTES_MAX: usize = BODY_BYTES_MAX> {
    pub(crate) value: T,
    pub(crate) raw: Bytes,
}

impl<T: DeserializeOwned, S: Send + Sync, const BYTES_MAX: usize> FromRequest<S> for JsonBody<T, BYTES_MAX> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        check_headers(request.headers(), BYTES_MAX)?;
        let raw = read(request.into_body(), BYTES_MAX).await?;
        check_object(&raw)?;
        match serde_json::from_slice(&raw) {
            Ok(value) => Ok(Self { value, raw }),
            Err(error) => Err(refused::<T>(&raw, &error)),
        }
    }
}

/// A body of another's making, byte for byte, of at most so many bytes.
pub(crate) struct RawBody<const BYTES_MAX: usize>(pub(crate) Bytes);

impl<S: Send + Sync, const BYTES_MAX: usize> FromRequest<S> for RawBody<BYTES_MAX> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        check_length(request.headers(), BYTES_MAX)?;
        read(request.into_body(), BYTES_MAX).await.map(Self)
    }
}

async fn read(body: Body, bytes_max: usize) -> Result<Bytes, Problem> {
    tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, bytes_max))
        .await
        .map_err(|_| Problem::new(Code::RequestTimeout))?
        .map_err(|error| match error.source() {
            Some(cause) if cause.is::<LengthLimitError>() => too_large(bytes_max),
            Some(_) | None => Problem::new(Code::MalformedBody).detail("the body was cut off"),
        })
}

fn too_large(bytes_max: usize) -> Problem {
    Problem::new(Code::BodyTooLarge).detail(format!("the body is larger than {} KiB", bytes_max / 1_024))
}

fn check_headers(headers: &HeaderMap, bytes_max: usize) -> Result<(), Problem> {
    let is_json = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(is_json);
    let is_plain = headers
        .get(CONTENT_ENCODING)
        .is_none_or(|encoding| encoding == "identity");
    if !is_json || !is_plain {
        return Err(Problem::new(Code::UnsupportedMediaType));
    }
    check_length(headers, bytes_max)
}

fn check_length(headers: &HeaderMap, bytes_max: usize) -> Result<(), Problem> {
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<u64>().ok())
        .unwrap_or(0);
    if usize::try_from(length).map_or(true, |length| length > bytes_max) {
        return Err(too_large(bytes_max));
    }
    Ok(())
}

/// `application/json`, with no parameter but a UTF-8 charset.
fn is_json(content_type: &str) -> bool {
    let (media_type, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    media_type.trim().eq_ignore_ascii_case("application/json")
        && (parameters.trim().is_empty() || parameters.trim().eq_ignore_ascii_case("charset=utf-8"))
}

/// serde would also read a list of a struct's fields in their order; clients shall name them.
fn check_object(raw: &[u8]) -> Result<(), Problem> {
    if raw.trim_ascii_start().first() == Some(&b'{') {
        return Ok(());
    }
    match serde_json::from_slice::<IgnoredAny>(raw) {
        Ok(_) => Err(Problem::invalid("", "the body must be an object")),
        Err(error) => Err(Problem::new(Code::MalformedBody).detail(error.to_string())),
    }
}

fn refused<T: DeserializeOwned>(raw: &[u8], error: &serde_json::Error) -> Problem {
    match error.classify() {
        Category::Syntax | Category::Eof | Category::Io => {
            Problem::new(Code::MalformedBody).detail(error.to_string())
        }
        Category::Data => {
            let mut deserializer = serde_json::Deserializer::from_slice(raw);
            match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
                Ok(_) => Problem::invalid("", error.to_string()),
                Err(located) => Problem::invalid(pointer(located.path()), located.inner().to_string()),
            }
        }
    }
}

/// The path as a JSON pointer (RFC 6901).
fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => {
                pointer.push('/');
                pointer.push_str(&index.to_string());
            }
            Segment::Map { key } | Segment::Enum { variant: key } => {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Segment::Unknown => {}
        }
    }
    pointer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types() {
        for good in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=UTF-8",
        ] {
            assert!(is_json(good), "{good}");
        }
        for bad in [
            "",
            "text/plain",
            "application/jsonp",
            "application/json; charset=latin1",
        ] {
            assert!(!is_json(bad), "{bad}");
        }
    }
}
