//! The `OpenAPI` document, made from the handlers themselves.

use serde_json::{Value, json};
use utoipa::Modify;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;

use crate::codes::Code;
use crate::problem::ProblemSchema;
use crate::state::Api;
use crate::{v1, well_known};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Onsale",
        description = "Sells event tickets. Errors are problem details (RFC 9457); their codes stand under `x-error-codes`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(ProblemSchema)),
    tags(
        (name = "catalog", description = "What there is to buy; no token needed"),
        (name = "sale", description = "Holding, paying, buying"),
        (name = "orders", description = "The buyer's own orders"),
        (name = "tickets", description = "The owner's own tickets and their files"),
        (name = "files", description = "What a signed link leads to; no token needed"),
        (name = "login", description = "Coming in; no token needed"),
        (name = "account", description = "One's own account"),
        (name = "users", description = "Staff: people's accounts"),
        (name = "organizations", description = "Staff: the tenants that own events"),
        (name = "roles", description = "Staff: what accounts may do"),
        (name = "service accounts", description = "Staff: programs that call, and their keys"),
        (name = "events", description = "Staff: what is on sale"),
        (name = "door", description = "Staff: letting ticket holders in"),
        (name = "webhooks", description = "For payment providers; signed instead of a token"),
        (name = "audit", description = "Staff: who did what"),
        (name = "jobs", description = "Staff: work in the background"),
    ),
    modifiers(&BearerToken),
)]
struct Base;

struct BearerToken;

impl Modify for BearerToken {
    fn modify(&self, document: &mut Document) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .build();
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// All public routes, with their documentation.
pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(<Base as utoipa::OpenApi>::openapi())
        .merge(v1::routes())
        .merge(well_known::routes())
}

/// The document as JSON, for `onsale openapi`.
pub fn openapi_json() -> String {
    to_json(&document())
}

/// The document without its routes' handlers.
pub(crate) fn document() -> Document {
    routes().split_for_parts().1
}

/// The document with the table of error codes, which clients branch on.
pub(crate) fn to_json(document: &Document) -> String {
    let mut document = serde_json::to_value(document).unwrap_or_default();
    let codes = Code::ALL
        .iter()
        .map(|code| json!({"code": code.as_str(), "status": code.status(), "title": code.title()}))
        .collect();
    if let Some(members) = document.as_object_mut() {
        members.insert("x-error-codes".to_owned(), Value::Array(codes));
    }
    document.to_string()
}
