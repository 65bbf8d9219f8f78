//! `/v1/auth/introspect`.

use axum::extract::State;
use onsale_services::Services;
use secrecy::ExposeSecret as _;

use crate::answer::{Answer, ok};
use crate::auth::{Staff, right};
use crate::extract::JsonBody;
use crate::problem::ProblemSchema;
use crate::views::{IntrospectBody, IntrospectionView};

/// Ask whom a token speaks for
///
/// For other services (RFC 7662, with a JSON body). Revocations count at once.
#[utoipa::path(
    post, path = "/v1/auth/introspect", tag = "account", operation_id = "introspect",
    request_body = IntrospectBody, security(("token" = [])),
    responses((status = 200, body = IntrospectionView), (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"))
)]
pub(super) async fn introspect(
    State(services): State<Services>,
    _staff: Staff<right::TokensIntrospect>,
    body: JsonBody<IntrospectBody>,
) -> Answer {
    let found = services.introspect(body.value.token.expose_secret()).await?;
    ok(&IntrospectionView::from(found))
}
