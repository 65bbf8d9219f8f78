//! Tests through a router with the real edge and extractors, over handlers that need no engine. What a whole sale
//! does over HTTP is tried in `server/tests`.

mod bodies;
mod callers;
mod edge;
mod error_table;
mod openapi;
mod serving;
#[path = "../../../engine/tests/support/mod.rs"]
mod support;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::routing::{get, post};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use onsale_domain::UnixMillis;
use onsale_persistence::{Database, DatabaseConfig};
use onsale_services::{
    AuditWriter, Clock, Dependencies, Services, ServicesConfig, SimulatedGateway, TokenKeys, Tokens,
};
use serde_json::Value;

use crate::auth::{Account, Buyer, Staff, Visitor, right};
use crate::extract::{IdempotencyKey, JsonBody};
use crate::state::Api;
use crate::views::{HoldBody, PurchaseBody};
use crate::{Gate, Rate, RateLimitConfig};

pub(crate) const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
pub(crate) const NOW: UnixMillis = UnixMillis(1_795_000_000_000);

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> UnixMillis {
        NOW
    }
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(FixedClock)
}

/// Use cases over an engine in memory and no database: for handlers that call none of them.
static SERVICES: LazyLock<Services> = LazyLock::new(|| {
    // On threads of its own, because this is first used within a test's runtime.
    let started = std::thread::spawn(|| {
        let runtime = Box::leak(Box::new(tokio::runtime::Runtime::new().unwrap()));
        runtime.block_on(async {
            let nowhere = DatabaseConfig::new("postgres://nobody@127.0.0.1:1/nowhere");
            let database = Database::connect_lazy(&nowhere).unwrap();
            let dependencies = Dependencies {
                engine: support::Fixture::on_sale(1).await.engine,
                audit: AuditWriter::new(database.clone()).0,
                database,
                gateway: Arc::new(SimulatedGateway),
                tokens: Tokens::new(
                    TokenKeys::of_secret(SECRET).unwrap(),
                    "https://issuer.test",
                    "onsale",
                ),
            };
            Services::new(dependencies, ServicesConfig::default()).unwrap()
        })
    });
    started.join().unwrap()
});

/// Handlers that do nothing but take what real ones take.
fn probes(limits: &RateLimitConfig) -> Router {
    let gate = Gate::new(limits, vec![], clock());
    let routes = Router::new()
        .route("/visitor", get(|_: Visitor| async { "ok" }))
        .route("/buyer", get(|_: Buyer| async { "ok" }))
        .route("/account", get(|_: Account| async { "ok" }))
        .route("/staff", get(|_: Staff<right::EventsRead>| async { "ok" }))
        .route(
            "/hold",
            post(|_: IdempotencyKey, body: JsonBody<HoldBody>| async move {
                body.value.into_lines().len().to_string()
            }),
        )
        .route(
            "/purchase",
            post(|body: JsonBody<PurchaseBody>| async move { body.value.into_parts().map(|_| "ok") }),
        )
        .route(
            "/panic",
            get(|| async {
                assert!(SECRET.is_empty(), "a secret of the inside");
                "unreachable"
            }),
        )
        .with_state(Api::new(SERVICES.clone(), gate));
    crate::router::finish(routes, &crate::openapi::document(), clock())
}

fn no_limits() -> RateLimitConfig {
    RateLimitConfig {
        read: None,
        sale: None,
        staff: None,
    }
}

fn tight_limits() -> RateLimitConfig {
    RateLimitConfig {
        read: Rate::of(1, 1),
        ..no_limits()
    }
}

/// An answer, read to its end.
struct Answered {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answered {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Checks that this is a problem in all its parts and returns its code.
    fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        assert_eq!(problem["request_id"], self.header("x-request-id").unwrap());
        assert!(problem["title"].is_string() && problem["detail"].is_string());
        assert!(problem["errors"].is_array());
        let code = problem["code"].as_str().unwrap().to_owned();
        assert_eq!(problem["type"], format!("urn:onsale:problem:{code}"));
        code
    }
}

async fn send(router: &Router, request: Request<Body>) -> Answered {
    let response = TowerToHyperService::new(router.clone())
        .call(request)
        .await
        .unwrap();
    let (parts, body) = response.into_parts();
    Answered {
        status: parts.status,
        headers: parts.headers,
        body: to_bytes(body, usize::MAX).await.unwrap().to_vec(),
    }
}

async fn get_as(router: &Router, path: &str, token: Option<&str>) -> Answered {
    let mut request = Request::get(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    send(router, request.body(Body::empty()).unwrap()).await
}
