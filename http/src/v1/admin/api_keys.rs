//! API keys of service accounts.

use axum::extract::State;
use onsale_domain::{ApiKeyId, UserId};
use onsale_services::{ApiKeyRow, Services};

use crate::answer::{Answer, created, no_content, ok};
use crate::auth::{Staff, right};
use crate::extract::{Id, JsonBody, PageQuery, Search};
use crate::problem::ProblemSchema;
use crate::views::{ApiKeyBody, ApiKeyView, CreatedApiKeyView, PageView, parse_id_cursor, permissions_of};

/// List a service account's keys
///
/// In the order in which they were made, revoked ones too.
#[utoipa::path(
    get, path = "/v1/admin/service-accounts/{user_id}/api-keys", tag = "service accounts", operation_id = "listApiKeys",
    params(("user_id" = Uuid, Path), PageQuery),
    security(("token" = [])),
    responses((status = 200, body = PageView<ApiKeyView>), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn list(
    State(services): State<Services>,
    staff: Staff<right::ServiceAccountsRead>,
    Id(user_id): Id<UserId>,
    Search(page): Search<PageQuery>,
) -> Answer {
    let after = page.cursor(parse_id_cursor(ApiKeyId))?;
    let keys = services
        .list_api_keys(&staff, user_id, after, page.limit()?)
        .await?;
    ok(&PageView::of(keys, cursor, ApiKeyView::from))
}

/// Make a key of a service account
///
/// The answer is the only place where the secret is shown. A key does what its scopes, its account's roles and its
/// account's organization allow. Nobody gives it scopes that they do not hold themselves.
#[utoipa::path(
    post, path = "/v1/admin/service-accounts/{user_id}/api-keys", tag = "service accounts", operation_id = "createApiKey",
    params(("user_id" = Uuid, Path)),
    request_body = ApiKeyBody,
    security(("token" = [])),
    responses((status = 201, body = CreatedApiKeyView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn create(
    State(services): State<Services>,
    staff: Staff<right::ServiceAccountsEdit>,
    Id(user_id): Id<UserId>,
    body: JsonBody<ApiKeyBody>,
) -> Answer {
    let ApiKeyBody {
        name,
        scopes,
        expires_at,
    } = body.value;
    let scopes = permissions_of("scopes", &scopes)?;
    let key = services
        .create_api_key(&staff, user_id, name, scopes, expires_at.map(Into::into))
        .await?;
    created(&CreatedApiKeyView::from(key))
}

/// Revoke a key
#[utoipa::path(
    delete, path = "/v1/admin/api-keys/{api_key_id}", tag = "service accounts", operation_id = "revokeApiKey",
    params(("api_key_id" = Uuid, Path)),
    security(("token" = [])),
    responses((status = 204), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn revoke(
    State(services): State<Services>,
    staff: Staff<right::ServiceAccountsEdit>,
    Id(api_key_id): Id<ApiKeyId>,
) -> Answer {
    services.revoke_api_key(&staff, api_key_id).await?;
    Ok(no_content())
}

fn cursor(key: &ApiKeyRow) -> String {
    key.api_key_id.0.simple().to_string()
}
