//! `/v1/admin/users`: people's accounts.

use axum::extract::State;
use onsale_domain::UserId;
use onsale_services::{AccountStatus, Services, UserFilter, UserRow};
use serde::Deserialize;

use crate::answer::{Answer, ok};
use crate::auth::{Staff, right};
use crate::extract::{Id, PageQuery, Search};
use crate::problem::{Problem, ProblemSchema};
use crate::views::{AccountView, PageView, UserView, parse_id_cursor};

/// Which accounts to list.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct UsersQuery {
    /// Beginning of the address or the name.
    q: Option<String>,
    /// `active` or `deactivated`.
    status: Option<String>,
}

impl UsersQuery {
    /// Errors: a status that there is not, or a text that no address or name holds.
    fn into_filter(self) -> Result<UserFilter, Problem> {
        let status = self
            .status
            .as_deref()
            .map(|name| AccountStatus::of_name(name).ok_or_else(|| Problem::invalid("", "unknown status")))
            .transpose()?;
        if self.q.as_ref().is_some_and(|prefix| prefix.contains('\0')) {
            return Err(Problem::invalid("", "q holds a character that nobody's name has"));
        }
        Ok(UserFilter {
            prefix: self.q,
            status,
        })
    }
}

/// List accounts
///
/// People, in the order in which they came.
#[utoipa::path(
    get, path = "/v1/admin/users", tag = "users", operation_id = "listUsers",
    params(UsersQuery, PageQuery), security(("token" = [])),
    responses((status = 200, body = PageView<UserView>), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn list(
    State(services): State<Services>,
    _staff: Staff<right::UsersRead>,
    Search(query): Search<UsersQuery>,
    Search(page): Search<PageQuery>,
) -> Answer {
    let filter = query.into_filter()?;
    let after = page.cursor(parse_id_cursor(UserId))?;
    let users = services.list_users(&filter, after, page.limit()?).await?;
    ok(&PageView::of(users, cursor, UserView::from))
}

/// Read an account
#[utoipa::path(
    get, path = "/v1/admin/users/{user_id}", tag = "users", operation_id = "getUser",
    params(("user_id" = Uuid, Path)), security(("token" = [])),
    responses((status = 200, body = AccountView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn get(
    State(services): State<Services>,
    _staff: Staff<right::UsersRead>,
    Id(user_id): Id<UserId>,
) -> Answer {
    ok(&AccountView::from(services.user(user_id).await?))
}

/// Deactivate an account
///
/// Ends its sessions and tokens; nobody logs in with it. Repeating it changes nothing.
#[utoipa::path(
    post, path = "/v1/admin/users/{user_id}/deactivate", tag = "users", operation_id = "deactivateUser",
    params(("user_id" = Uuid, Path)), security(("token" = [])),
    responses((status = 200, body = AccountView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn deactivate(
    State(services): State<Services>,
    staff: Staff<right::UsersDeactivate>,
    Id(user_id): Id<UserId>,
) -> Answer {
    let account = services
        .set_user_status(&staff, user_id, AccountStatus::Deactivated)
        .await?;
    ok(&AccountView::from(account))
}

/// Activate an account
///
/// Repeating it changes nothing.
#[utoipa::path(
    post, path = "/v1/admin/users/{user_id}/activate", tag = "users", operation_id = "activateUser",
    params(("user_id" = Uuid, Path)), security(("token" = [])),
    responses((status = 200, body = AccountView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn activate(
    State(services): State<Services>,
    staff: Staff<right::UsersDeactivate>,
    Id(user_id): Id<UserId>,
) -> Answer {
    let account = services
        .set_user_status(&staff, user_id, AccountStatus::Active)
        .await?;
    ok(&AccountView::from(account))
}

fn cursor(user: &UserRow) -> String {
    user.user_id.0.simple().to_string()
}
