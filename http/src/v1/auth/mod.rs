//! `/v1/auth`: coming in, staying in, getting out. What can be guessed at spends from the strictest limits.

mod introspect;
mod login;
mod logout;
mod me;
mod password;
mod password_reset;
mod refresh;
mod register;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Api;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(register::register))
        .routes(routes!(login::login))
        .routes(routes!(refresh::refresh))
        .routes(routes!(logout::logout))
        .routes(routes!(logout::logout_everywhere))
        .routes(routes!(password::change))
        .routes(routes!(password_reset::request))
        .routes(routes!(password_reset::confirm))
        .routes(routes!(me::get))
        .routes(routes!(introspect::introspect))
}
