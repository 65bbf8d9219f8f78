//! `/v1/admin`: the staff's side. Organizers see and change only their organization's events; what is out of sight
//! is not found. Support reads, and changes nothing.

mod api_keys;
mod assignments;
mod audit_log;
mod events;
mod jobs;
mod orders;
mod organizations;
mod packages;
mod payments;
mod permissions;
mod quotas;
mod refunds;
mod roles;
mod service_accounts;
mod status;
mod ticket_types;
mod users;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Api;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(organizations::list, organizations::create))
        .routes(routes!(organizations::get))
        .routes(routes!(users::list))
        .routes(routes!(users::get))
        .routes(routes!(users::deactivate))
        .routes(routes!(users::activate))
        .routes(routes!(permissions::list))
        .routes(routes!(roles::list, roles::create))
        .routes(routes!(roles::get, roles::change, roles::delete))
        .routes(routes!(assignments::list, assignments::create))
        .routes(routes!(assignments::delete))
        .routes(routes!(service_accounts::list, service_accounts::create))
        .routes(routes!(service_accounts::deactivate))
        .routes(routes!(api_keys::list, api_keys::create))
        .routes(routes!(api_keys::revoke))
        .routes(routes!(events::list, events::create))
        .routes(routes!(events::get, events::edit, events::delete))
        .routes(routes!(status::publish))
        .routes(routes!(status::pause))
        .routes(routes!(status::resume))
        .routes(routes!(status::close))
        .routes(routes!(status::cancel))
        .routes(routes!(ticket_types::create))
        .routes(routes!(ticket_types::edit))
        .routes(routes!(quotas::create))
        .routes(routes!(quotas::edit))
        .routes(routes!(packages::list, packages::create))
        .routes(routes!(packages::get, packages::edit, packages::delete))
        .routes(routes!(packages::get_order))
        .routes(routes!(packages::cancel_order))
        .routes(routes!(orders::list))
        .routes(routes!(orders::get))
        .routes(routes!(orders::cancel))
        .routes(routes!(refunds::list, refunds::create))
        .routes(routes!(payments::list))
        .routes(routes!(payments::void))
        .routes(routes!(audit_log::list))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::retry))
}
