//! What every answer has.

use axum::body::Body;
use axum::http::{Request, StatusCode};

use super::*;

#[tokio::test]
async fn what_is_not_there_is_a_problem() {
    let router = probes(&no_limits());
    let missing = get_as(&router, "/nowhere", None).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert_eq!(missing.problem(), "not_found");
    let method = send(&router, Request::delete("/visitor").body(Body::empty()).unwrap()).await;
    assert_eq!(method.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(method.problem(), "method_not_allowed");
    assert!(method.header("allow").unwrap().contains("GET"));
}

#[tokio::test]
async fn a_panic_is_a_problem_that_tells_nothing() {
    let router = probes(&no_limits());
    let answer = get_as(&router, "/panic", None).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.problem(), "internal");
    assert!(!String::from_utf8(answer.body).unwrap().contains("secret"));
}

#[tokio::test]
async fn every_answer_has_a_request_id() {
    let router = probes(&no_limits());
    let first = get_as(&router, "/visitor", None).await;
    let second = get_as(&router, "/visitor", None).await;
    assert_ne!(
        first.header("x-request-id").unwrap(),
        second.header("x-request-id").unwrap()
    );
    let request = Request::get("/nowhere").header("x-request-id", "mine-1");
    let answer = send(&router, request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.header("x-request-id"), Some("mine-1"));
    assert_eq!(answer.json()["request_id"], "mine-1");
}
