//! `/v1/events`: the catalog, and where the sale begins.

mod availability;
mod catalog;
mod holds;
mod purchases;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Api;

pub(crate) use catalog::{ALL_STATUSES, EventsQuery};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(catalog::list))
        .routes(routes!(catalog::get))
        .routes(routes!(availability::get))
        .routes(routes!(holds::create))
        .routes(routes!(purchases::create))
}
