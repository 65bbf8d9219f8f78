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

/// A preflight as browsers send it.
fn preflight(origin: &str) -> Request<Body> {
    Request::options("/buyer")
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,idempotency-key")
        .body(Body::empty())
        .unwrap()
}

#[tokio::test]
async fn browsers_may_do_no_more_with_an_answer_than_was_meant() {
    let router = probes(&no_limits());
    for path in [
        "/visitor",
        "/nowhere",
        "/panic",
        "/buyer",
        "/openapi.json",
        "/docs",
    ] {
        let answer = get_as(&router, path, None).await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(
            answer.header("cross-origin-resource-policy"),
            Some("same-origin"),
            "{path}"
        );
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
    }
}

#[tokio::test]
async fn the_reference_page_may_run_its_own_script_and_no_other() {
    let router = probes(&no_limits());
    let page = get_as(&router, "/docs", None).await;
    let policy = page.header("content-security-policy").unwrap();
    for directive in ["script-src 'sha256-", "style-src 'sha256-", "connect-src 'self'"] {
        assert!(policy.contains(directive), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
}

#[tokio::test]
async fn what_was_asked_for_with_a_token_is_kept_by_nobody() {
    let router = probes(&no_limits());
    let token = token(1, &["buyer"]);
    for (path, token, kept) in [
        ("/visitor", None, None),
        ("/visitor", Some(token.as_str()), Some("no-store")),
        ("/buyer", Some("no token"), Some("no-store")),
        ("/v1/auth/probe", None, Some("no-store")),
        ("/v1/auth/nowhere", None, Some("no-store")),
        ("/openapi.json", None, Some("max-age=300")),
    ] {
        let answer = get_as(&router, path, token).await;
        assert_eq!(answer.header("cache-control"), kept, "{path}");
    }
}

#[tokio::test]
async fn scripts_of_a_listed_origin_may_ask_and_read() {
    let router = probes(&no_limits());
    let answer = send(&router, preflight(SHOP)).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("access-control-allow-origin"), Some(SHOP));
    assert!(answer.header("x-request-id").is_some());
    let headers = answer.header("access-control-allow-headers").unwrap();
    for name in [
        "authorization",
        "content-type",
        "idempotency-key",
        "if-match",
        "x-request-id",
    ] {
        assert!(headers.contains(name), "{headers}");
    }
    assert_eq!(answer.header("access-control-allow-credentials"), None);

    // Also problems can be read.
    for path in ["/visitor", "/buyer", "/nowhere"] {
        let request = Request::get(path).header("origin", SHOP);
        let answer = send(&router, request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some(SHOP), "{path}");
        let exposed = answer.header("access-control-expose-headers").unwrap();
        for name in [
            "etag",
            "retry-after",
            "ratelimit",
            "ratelimit-policy",
            "idempotency-replayed",
            "x-request-id",
            "location",
        ] {
            assert!(exposed.split(',').any(|exposed| exposed == name), "{exposed}");
        }
        assert!(answer.header("vary").unwrap().contains("origin"), "{path}");
    }
}

#[tokio::test]
async fn other_origins_are_told_nothing() {
    let router = probes(&no_limits());
    for origin in [
        "https://shop.example.evil",
        "https://evil.shop.example",
        "http://shop.example",
        "https://shop.example:8443",
        "null",
    ] {
        let answer = send(&router, preflight(origin)).await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
        let request = Request::get("/visitor").header("origin", origin);
        let answer = send(&router, request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
    }
}
