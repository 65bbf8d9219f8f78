//! The public surface, version 1. Files mirror the URL tree.
//!
//! To add an endpoint: a handler in its group's file with its `utoipa::path`, a line in the group's `routes`, and
//! its row in the authorization matrix of the tests.

mod admin;
mod auth;
mod check_ins;
mod events;
mod files;
mod holds;
mod orders;
mod packages;
mod tickets;
mod transfers;
mod webhooks;

use utoipa_axum::router::OpenApiRouter;

use crate::state::Api;

/// All routes under `/v1`.
pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .merge(auth::routes())
        .merge(events::routes())
        .merge(holds::routes())
        .merge(orders::routes())
        .merge(packages::routes())
        .merge(tickets::routes())
        .merge(files::routes())
        .merge(transfers::routes())
        .merge(check_ins::routes())
        .merge(webhooks::routes())
        .merge(admin::routes())
}
