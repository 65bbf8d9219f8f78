//! `/v1/files`: where links lead when files are in our own folder.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use onsale_services::{LinkedObject, Services};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::Answer;
use crate::auth::Visitor;
use crate::problem::ProblemSchema;
use crate::state::Api;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(download))
}

/// Download a file
///
/// The token stands for everything: it is made for one file, signed, and good for five minutes. It needs no login.
#[utoipa::path(
    get, path = "/v1/files/{token}", tag = "files", operation_id = "downloadFile",
    params(("token" = String, Path, description = "As a link gives it")),
    responses(
        (status = 200, description = "The file", content((Vec<u8> = "application/pdf"), (String = "text/calendar"))),
        (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
async fn download(State(services): State<Services>, _visitor: Visitor, Path(token): Path<String>) -> Answer {
    let (object, bytes) = services.linked_file(&token).await?;
    let mut response = Response::new(Body::from(bytes));
    describe(&object, response.headers_mut());
    Ok(response)
}

fn describe(object: &LinkedObject, headers: &mut HeaderMap) {
    let content_type = HeaderValue::from_static(object.kind.content_type());
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    // A name of ours has nothing that a header cannot hold.
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{}\"", object.file_name))
    {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
}
