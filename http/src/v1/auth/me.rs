//! `/v1/auth/me`.

use axum::extract::State;
use onsale_services::Services;

use crate::answer::{Answer, ok};
use crate::auth::Account;
use crate::problem::ProblemSchema;
use crate::views::AccountView;

/// Read one's own account
#[utoipa::path(
    get, path = "/v1/auth/me", tag = "account", operation_id = "getOwnAccount", security(("token" = [])),
    responses((status = 200, body = AccountView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn get(State(services): State<Services>, account: Account) -> Answer {
    let account = services.own_account(&account.caller).await?;
    ok(&AccountView::from(account))
}
