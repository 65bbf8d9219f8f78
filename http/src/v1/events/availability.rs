//! `GET /v1/events/{event_id}/availability`.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::IF_NONE_MATCH;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use onsale_domain::EventId;
use onsale_services::Services;

use crate::answer::{Answer, ok, with_tag};
use crate::auth::Visitor;
use crate::extract::Id;
use crate::problem::ProblemSchema;
use crate::views::AvailabilityView;

/// Read what is available
///
/// From memory, at one sequence, which is also the `ETag`: what was acknowledged before is counted.
#[utoipa::path(
    get, path = "/v1/events/{event_id}/availability", tag = "catalog", operation_id = "getAvailability",
    params(("event_id" = Uuid, Path), ("If-None-Match" = Option<String>, Header)),
    responses(
        (status = 200, body = AvailabilityView),
        (status = 304, description = "Nothing was recorded since"),
        (status = "4XX", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get(
    State(services): State<Services>,
    _visitor: Visitor,
    Id(event_id): Id<EventId>,
    headers: HeaderMap,
) -> Answer {
    let availability = services.availability(event_id).await?;
    if is_fresh(&headers, availability.seq) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(with_tag(response, availability.seq));
    }
    let response = ok(&AvailabilityView::from(availability.as_ref()))?;
    Ok(with_tag(response, availability.seq))
}

/// Whether the client has this tag. `If-None-Match` compares weakly (RFC 9110).
fn is_fresh(headers: &HeaderMap, tag: u64) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|known| known.trim().trim_start_matches("W/").trim_matches('"'))
        .any(|known| known == "*" || known.parse() == Ok(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_weakly() {
        for (value, fresh) in [
            ("\"7\"", true),
            ("W/\"7\"", true),
            ("\"6\", \"7\"", true),
            ("*", true),
            ("\"8\"", false),
            ("\"x\"", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, value.parse().unwrap());
            assert_eq!(is_fresh(&headers, 7), fresh, "{value}");
        }
        assert!(!is_fresh(&HeaderMap::new(), 7));
    }
}
