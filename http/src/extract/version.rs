//! The `If-Match` header of edits: the version of the definition that the editor saw.

use axum::extract::FromRequestParts;
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;
use onsale_domain::Sequence;

use crate::codes::Code;
use crate::problem::Problem;

/// The version that an edit requires.
pub(crate) struct ExpectedVersion(pub(crate) Sequence);

/// The version that an action requires, where it requires one.
pub(crate) struct OptionalVersion(pub(crate) Option<Sequence>);

impl<S: Send + Sync> FromRequestParts<S> for ExpectedVersion {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        version(parts)?
            .map(Self)
            .ok_or_else(|| Problem::new(Code::PreconditionRequired))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for OptionalVersion {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        version(parts).map(Self)
    }
}

/// Only a strong tag that we made can match; any other is of another version.
fn version(parts: &Parts) -> Result<Option<Sequence>, Problem> {
    let Some(value) = parts.headers.get(IF_MATCH) else {
        return Ok(None);
    };
    value
        .to_str()
        .ok()
        .and_then(parse)
        .map(Some)
        .ok_or_else(|| Problem::new(Code::VersionMismatch))
}

fn parse(tag: &str) -> Option<Sequence> {
    tag.trim().strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_strong_tags_are_versions() {
        assert_eq!(parse("\"17\""), Some(17));
        for other in ["17", "W/\"17\"", "*", "\"\"", "\"x\"", "\"1\", \"2\""] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
