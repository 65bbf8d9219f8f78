//! Tests through a router with the real edge and extractors, over handlers that need no engine. What a whole sale
//! does over HTTP is tried in `server/tests`.

mod bodies;
mod callers;
mod edge;
mod error_table;
mod limits;
mod openapi;
mod serving;
#[path = "../../../engine/tests/support/mod.rs"]
mod support;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::routing::{get, post};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use onsale_domain::{SessionId, UnixMillis, UserId};
use onsale_persistence::{Database, DatabaseConfig, FolderStore};
use onsale_services::{
    ACCESS_TOKEN_LIFETIME_MS, AuditWriter, Clock, Dependencies, Gateways, Grant, Services, ServicesConfig,
    SimulatedGateway, TicketKeys, TokenKeys, Tokens,
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::auth::{Account, Buyer, Staff, Visitor, right};
use crate::extract::{IdempotencyKey, JsonBody};
use crate::problem::Problem;
use crate::state::Api;
use crate::views::{HoldBody, PurchaseBody};
use crate::{Gate, Rate, RateLimitConfig};

pub(crate) const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
/// A site that may read our answers.
pub(crate) const SHOP: &str = "https://shop.example";
/// A proxy that is believed.
pub(crate) const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
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

/// Use cases over an engine in memory. The database has roles and no accounts.
static SERVICES: LazyLock<Services> = LazyLock::new(|| {
    // On threads of its own, because this is first used within a test's runtime.
    let started = std::thread::spawn(|| {
        let runtime = Box::leak(Box::new(tokio::runtime::Runtime::new().unwrap()));
        runtime.block_on(async {
            let url = std::env::var("DATABASE_URL").expect("run these tests by `cargo xtask test`");
            let database = Database::connect(&DatabaseConfig::new(url)).await.unwrap();
            database.migrate().await.unwrap();
            let (audit, writing) = AuditWriter::new(database.clone());
            tokio::spawn(writing.run(CancellationToken::new()));
            let keys = TicketKeys::parse(&TicketKeys::generate("test").unwrap()).unwrap();
            let folder = std::env::temp_dir().join("onsale-test-files");
            let objects = Arc::new(FolderStore::open(&folder, keys.link_secrets(), UnixMillis(0)).unwrap());
            let dependencies = Dependencies {
                engine: support::Fixture::on_sale(1).await.engine,
                audit,
                database,
                redis: None,
                gateways: Gateways::new(Arc::new(SimulatedGateway::new(clock())), []),
                tokens: Tokens::new(
                    TokenKeys::of_secret(SECRET).unwrap(),
                    "https://issuer.test",
                    "onsale",
                ),
                ticket_keys: keys,
                objects,
            };
            let services = Services::new(dependencies, ServicesConfig::default()).unwrap();
            services.load_roles().await.unwrap();
            services
        })
    });
    started.join().unwrap()
});

/// A token of an account, with these roles in it.
fn token(user_id: u128, roles: &[&str]) -> String {
    let grant = Grant {
        user_id: UserId(Uuid::from_u128(user_id)),
        session_id: SessionId(Uuid::from_u128(user_id)),
        generation: 0,
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        issued_at: SERVICES.now(),
        expires_at: SERVICES.now().plus_ms(ACCESS_TOKEN_LIFETIME_MS),
    };
    SERVICES.tokens().mint(&grant).unwrap()
}

/// Handlers that do nothing but take what real ones take.
fn probes(limits: &RateLimitConfig) -> Router {
    let gate = Gate::new(limits, None, vec![PROXY.into()], clock());
    let routes = Router::new()
        .route("/visitor", get(|_: Visitor| async { "ok" }))
        .route("/buyer", get(|_: Buyer| async { "ok" }))
        .route("/account", get(|_: Account| async { "ok" }))
        .route("/staff", get(|_: Staff<right::EventsRead>| async { "ok" }))
        .route("/login/{name}", get(try_account))
        .route("/v1/auth/probe", get(|| async { "ok" }))
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
    crate::router::finish(
        routes,
        &crate::openapi::document(),
        clock(),
        &[SHOP.parse().unwrap()],
        None,
    )
}

/// What a route that tries a password does before it looks anything up.
async fn try_account(
    State(gate): State<Gate>,
    Path(name): Path<String>,
    parts: Parts,
) -> Result<&'static str, Problem> {
    gate.admit_auth(&parts).await?;
    gate.admit_auth_account(name.as_bytes()).await?;
    Ok("ok")
}

fn no_limits() -> RateLimitConfig {
    RateLimitConfig::NONE
}

fn tight_limits() -> RateLimitConfig {
    RateLimitConfig {
        read: Rate::per_second(1, 1),
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
