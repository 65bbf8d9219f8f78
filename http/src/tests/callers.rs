//! Who may pass: credentials. Which permission opens which route is tried in `server/tests`.

use axum::body::Body;
use axum::http::{Request, StatusCode};

use super::*;

#[tokio::test]
async fn without_a_good_credential_nobody_is_let_in() {
    let router = probes(&no_limits());
    for path in ["/account", "/buyer", "/staff"] {
        for token in [None, Some(""), Some("x"), Some("osk_0_x")] {
            let answer = get_as(&router, path, token).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path} {token:?}");
            assert_eq!(answer.problem(), "unauthenticated");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"onsale\""));
        }
    }
    // A visitor needs no token, but a bad one is told.
    assert_eq!(get_as(&router, "/visitor", None).await.status, StatusCode::OK);
    assert_eq!(
        get_as(&router, "/visitor", Some("x")).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn other_schemes_are_unauthenticated() {
    let router = probes(&no_limits());
    for value in ["Basic dTpw", "eyJ.eyJ.x", "Bearer"] {
        let request = Request::get("/buyer").header("authorization", value);
        let answer = send(&router, request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
}
