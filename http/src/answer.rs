//! Answers: JSON straight to bytes.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use onsale_domain::{Availability, EventDefinition, Sequence};
use onsale_services::{CreatedEvent, Purchased};
use serde::Serialize;

use crate::error::ApiError;
use crate::problem::IDEMPOTENCY_REPLAYED;
use crate::views::{OrderView, StaffEventView};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Headers of an answer to the sale, with those that the edge and hyper add.
pub(crate) const HEADERS: usize = 12;

/// Bytes of most answers' bodies: a hold takes some 450.
const BODY_BYTES: usize = 512;

/// What a handler gives.
pub(crate) type Answer = Result<Response, ApiError>;

/// 200 with a body.
pub(crate) fn ok(body: &impl Serialize) -> Answer {
    json(StatusCode::OK, body)
}

/// 201 with a body.
pub(crate) fn created(body: &impl Serialize) -> Answer {
    json(StatusCode::CREATED, body)
}

/// 200 without a body: it was heard.
pub(crate) fn heard() -> Response {
    bare(StatusCode::OK)
}

/// 202: it will be done.
pub(crate) fn accepted() -> Response {
    bare(StatusCode::ACCEPTED)
}

/// 204: it was done, and there is nothing to say.
pub(crate) fn no_content() -> Response {
    bare(StatusCode::NO_CONTENT)
}

fn bare(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// 201 with a body, marked where it repeats an earlier answer.
pub(crate) fn created_or_replayed(body: &impl Serialize, replayed: bool) -> Answer {
    Ok(marked(json(StatusCode::CREATED, body)?, replayed))
}

/// What a purchase or checkout has led to. Only what is decided repeats an earlier answer.
pub(crate) fn purchase(purchased: Purchased) -> Answer {
    let replayed = match &purchased {
        Purchased::Confirmed(order) => order.replayed,
        Purchased::Pending(_) => false,
    };
    created_or_replayed(&OrderView::from(purchased), replayed)
}

/// 200 with a body, marked where it repeats an earlier answer.
pub(crate) fn ok_or_replayed(body: &impl Serialize, replayed: bool) -> Answer {
    Ok(marked(json(StatusCode::OK, body)?, replayed))
}

/// An event that staff brought into being, marked where it repeats an earlier answer.
pub(crate) fn created_event(created: &CreatedEvent) -> Answer {
    let response = staff_definition(StatusCode::CREATED, &created.definition)?;
    Ok(marked(response, created.replayed))
}

/// An event as staff see it, with its version as the tag.
pub(crate) fn staff_event(status: StatusCode, event: &Availability) -> Answer {
    staff_definition(status, event.definition.as_ref())
}

fn staff_definition(status: StatusCode, definition: &EventDefinition) -> Answer {
    let response = json(status, &StaffEventView::from(definition))?;
    Ok(with_tag(response, definition.version))
}

fn marked(mut response: Response, replayed: bool) -> Response {
    if replayed {
        response
            .headers_mut()
            .insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// The same answer, with a number as its strong entity tag.
pub(crate) fn with_tag(mut response: Response, tag: Sequence) -> Response {
    if let Ok(value) = HeaderValue::from_str(&format!("\"{tag}\"")) {
        response.headers_mut().insert(ETAG, value);
    }
    response
}

fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    let mut bytes = Vec::with_capacity(BODY_BYTES);
    serde_json::to_writer(&mut bytes, body)
        .map_err(|_| onsale_services::ServiceError::Internal("an answer could not be written as JSON"))?;
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    // Room for what the edge adds as well, so that the map is made once.
    let mut headers = HeaderMap::with_capacity(HEADERS);
    headers.insert(CONTENT_TYPE, JSON);
    *response.headers_mut() = headers;
    Ok(response)
}
