//! Query strings.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// Rows of a page where nothing is said.
const LIMIT_DEFAULT: usize = 20;
/// Rows of a page at most.
const LIMIT_MAX: usize = 100;

/// A query string, read as `T`.
pub(crate) struct Search<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Search<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Query::<T>::from_request_parts(parts, state)
            .await
            .map(|Query(query)| Self(query))
            .map_err(|rejection| Problem::invalid("", rejection.body_text()))
    }
}

/// Which page of a listing.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
    /// Rows of the page, 1 to 100.
    pub(crate) limit: Option<usize>,
}

impl PageQuery {
    /// Rows of the page. Errors: outside 1 to 100.
    pub(crate) fn limit(&self) -> Result<usize, Problem> {
        let limit = self.limit.unwrap_or(LIMIT_DEFAULT);
        if (1..=LIMIT_MAX).contains(&limit) {
            Ok(limit)
        } else {
            Err(Problem::invalid("", "limit must be between 1 and 100"))
        }
    }

    /// The cursor, read by `parse`. Errors: one that we did not make.
    pub(crate) fn cursor<C>(&self, parse: impl FnOnce(&str) -> Option<C>) -> Result<Option<C>, Problem> {
        self.cursor
            .as_deref()
            .map(|cursor| parse(cursor).ok_or_else(|| Problem::invalid("", "cursor is not ours")))
            .transpose()
    }
}
