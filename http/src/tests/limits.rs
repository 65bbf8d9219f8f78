//! Who sends too much, and what everybody is told about it.

use std::net::SocketAddr;

use axum::body::Body;
use axum::http::{Request, StatusCode};

use super::*;
use crate::rate_limit::Peer;

/// Asks from an address, by way of a proxy that is believed.
async fn get_from(router: &Router, path: &str, address: &str) -> Answered {
    let request = Request::get(path)
        .header("x-forwarded-for", address)
        .extension(Peer(SocketAddr::new(PROXY, 1)))
        .body(Body::empty())
        .unwrap();
    send(router, request).await
}

#[tokio::test]
async fn who_runs_ahead_is_told_when_to_come_back() {
    let router = probes(&tight_limits());
    assert_eq!(get_as(&router, "/visitor", None).await.status, StatusCode::OK);
    let answer = get_as(&router, "/visitor", None).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.problem(), "rate_limited");
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(answer.header("ratelimit-policy"), Some("\"read\";q=1;w=1"));
    assert_eq!(answer.header("ratelimit"), Some("\"read\";r=0;t=1"));
}

#[tokio::test]
async fn every_answer_of_a_limited_route_tells_what_is_left() {
    let router = probes(&RateLimitConfig {
        sale: Rate::per_second(1, 50),
        ..no_limits()
    });
    let buyer = token(1, &["buyer"]);
    for used in 1..=3 {
        let answer = get_as(&router, "/buyer", Some(&buyer)).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("ratelimit-policy"), Some("\"sale\";q=50;w=50"));
        assert_eq!(
            answer.header("ratelimit"),
            Some(format!("\"sale\";r={};t={used}", 50 - used).as_str())
        );
    }
    // Also an answer that tells of something else has used the limit.
    let answer = get_as(&router, "/buyer", Some(&token(1, &["support"]))).await;
    assert_ne!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("ratelimit"), Some("\"sale\";r=46;t=4"));
    for path in ["/openapi.json", "/nowhere", "/visitor"] {
        assert_eq!(
            get_as(&router, path, None).await.header("ratelimit"),
            None,
            "{path}"
        );
    }
}

#[tokio::test]
async fn accounts_are_limited_one_by_one_and_each_kind_of_route_for_itself() {
    let router = probes(&RateLimitConfig {
        read: Rate::per_second(1, 1),
        sale: Rate::per_second(1, 1),
        staff: Rate::per_second(1, 1),
        ..no_limits()
    });
    let (ada, bob) = (token(1, &["buyer"]), token(2, &["buyer"]));
    assert_eq!(get_as(&router, "/buyer", Some(&ada)).await.status, StatusCode::OK);
    assert_eq!(
        get_as(&router, "/buyer", Some(&ada)).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(get_as(&router, "/buyer", Some(&bob)).await.status, StatusCode::OK);
    assert_eq!(
        get_as(&router, "/visitor", Some(&ada)).await.status,
        StatusCode::OK
    );
    assert_eq!(
        get_as(&router, "/account", Some(&ada)).await.status,
        StatusCode::OK
    );
    assert_eq!(
        get_as(&router, "/staff", Some(&ada)).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
}

#[tokio::test]
async fn visitors_are_limited_by_their_block_of_addresses() {
    let router = probes(&tight_limits());
    for (address, status) in [
        ("192.0.2.7", 200),
        ("192.0.2.8", 200),
        ("192.0.2.7", 429),
        ("2001:db8:1:2::1", 200),
        ("2001:db8:1:2:ffff::9", 429),
        ("2001:db8:1:3::1", 200),
    ] {
        assert_eq!(
            get_from(&router, "/visitor", address).await.status,
            status,
            "{address}"
        );
    }
}

#[tokio::test]
async fn one_address_cannot_try_many_accounts() {
    let router = probes(&RateLimitConfig {
        auth: Rate::per_minute(3),
        auth_account: Rate::per_minute(10),
        ..no_limits()
    });
    for name in ["ada", "bob", "eve"] {
        let answer = get_from(&router, &format!("/login/{name}"), "192.0.2.7").await;
        assert_eq!(answer.status, StatusCode::OK, "{name}");
    }
    let answer = get_from(&router, "/login/dan", "192.0.2.7").await;
    assert_eq!(answer.problem(), "rate_limited");
    assert_eq!(answer.header("ratelimit-policy"), Some("\"auth\";q=3;w=60"));
    assert_eq!(answer.header("retry-after"), Some("20"));
    assert_eq!(
        get_from(&router, "/login/dan", "192.0.2.8").await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn many_addresses_cannot_try_one_account() {
    let router = probes(&RateLimitConfig {
        auth: Rate::per_minute(30),
        auth_account: Rate::per_minute(2),
        ..no_limits()
    });
    for address in ["192.0.2.1", "192.0.2.2"] {
        let answer = get_from(&router, "/login/ada", address).await;
        assert_eq!(answer.status, StatusCode::OK);
        // Of its two limits the answer tells the one that ends first.
        assert!(
            answer
                .header("ratelimit")
                .unwrap()
                .starts_with("\"auth-account\"")
        );
    }
    let answer = get_from(&router, "/login/ada", "192.0.2.3").await;
    assert_eq!(answer.problem(), "rate_limited");
    assert_eq!(
        answer.header("ratelimit-policy"),
        Some("\"auth-account\";q=2;w=60")
    );
    assert_eq!(
        get_from(&router, "/login/bob", "192.0.2.3").await.status,
        StatusCode::OK
    );
}
