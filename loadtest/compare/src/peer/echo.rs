//! The limit: what this shell, this JSON and these clients do when nothing is sold. The same as in the benchmarks of
//! `onsale-http`: no token is looked at.

use axum::routing::{get, post};
use axum::{Json, Router};

/// Gives the body back.
pub(super) fn router() -> Router {
    Router::new().route("/readyz", get(|| async { "ok" })).route(
        "/echo",
        post(|Json(body): Json<serde_json::Value>| async { Json(body) }),
    )
}
