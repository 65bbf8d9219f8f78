//! Who may pass: tokens and roles.

use axum::body::Body;
use axum::http::{Request, StatusCode};

use super::*;
use crate::auth::token_attacks;

#[tokio::test]
async fn attacks_with_tokens_are_unauthenticated_everywhere() {
    let router = probes(&no_limits());
    for path in ["/buyer", "/staff", "/manager", "/admin"] {
        let missing = get_as(&router, path, None).await;
        assert_eq!(missing.status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(missing.problem(), "unauthenticated");
        assert_eq!(
            missing.header("www-authenticate"),
            Some("Bearer realm=\"onsale\"")
        );
        for (attack, token) in token_attacks() {
            let answer = get_as(&router, path, Some(&token)).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}: {attack}");
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
    let token = token(&[Role::Buyer], None);
    for value in [format!("Basic {token}"), token.clone(), "Bearer".to_owned()] {
        let request = Request::get("/buyer").header("authorization", value);
        let answer = send(&router, request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn roles_open_what_they_should() {
    let router = probes(&no_limits());
    let rows = [
        (vec![Role::Buyer], None, [true, false, false, false]),
        (vec![Role::Organizer], Some(7), [false, true, true, false]),
        (vec![Role::Organizer], None, [false, false, false, false]),
        (vec![Role::Support], None, [false, true, false, false]),
        (vec![Role::Admin], None, [false, true, true, true]),
        (vec![Role::Buyer, Role::Admin], None, [true, true, true, true]),
        (vec![], None, [false, false, false, false]),
    ];
    for (roles, organization, allowed) in rows {
        let token = token(&roles, organization);
        for (path, allowed) in ["/buyer", "/staff", "/manager", "/admin"].iter().zip(allowed) {
            let answer = get_as(&router, path, Some(&token)).await;
            if allowed {
                assert_eq!(answer.status, StatusCode::OK, "{roles:?} {path}");
            } else {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{roles:?} {path}");
                assert_eq!(answer.problem(), "forbidden");
            }
        }
    }
}
