//! A server whose every secret can be recognised, and what it was told.

use std::process::Output;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Call, Caller, Journal, Reply, World, free_address, post};

/// Stand for themselves wherever they turn up: in a password, an address, a header, a path.
pub(super) const PASSWORD: &str = "CanaryHarbourAtDusk17";
pub(super) const NEXT_PASSWORD: &str = "CanaryLanternGravel23";
pub(super) const WRONG_PASSWORD: &str = "CanaryOtterMarigold5";
pub(super) const WEAK_PASSWORD: &str = "CanaryWeak";
pub(super) const ADMIN_PASSWORD: &str = "CanaryHeatherQuill41";
pub(super) const MAIL: &str = "canary-ada";
pub(super) const UNKNOWN_MAIL: &str = "canary-nobody";
pub(super) const ADMIN_MAIL: &str = "canary-admin";
pub(super) const GARBAGE: &str = "CanaryGarbageToken";
pub(super) const PAYMENT_METHOD: &str = "canary-4111111111111111";
pub(super) const DATABASE_PASSWORD: &str = "CanaryDatabasePassword";
pub(super) const REDIS_PASSWORD: &str = "CanaryRedisPassword";
pub(super) const TOKEN_KEY: &str = "CanaryTokenKey_012345678_0123456789_01234567";

/// What must not be told: its name, and what to look for.
pub(super) type Canary = (String, String);

pub(super) struct Trial {
    pub(super) world: World,
    pub(super) mails: Vec<Canary>,
    pub(super) secrets: Vec<Canary>,
    /// What commands said on stderr.
    pub(super) told: String,
}

impl Trial {
    pub(super) async fn start(level: &str) -> Self {
        // Nobody is there: what is said about it must not quote the URL.
        let redis = format!("redis://:{REDIS_PASSWORD}@{}", free_address());
        let keys = format!("canary HS256 {TOKEN_KEY}");
        let settings = [
            ("ONSALE_LOG_FORMAT", "json"),
            ("ONSALE_LOG_LEVEL", level),
            ("ONSALE_TOKEN_KEYS", keys.as_str()),
            ("ONSALE_MAILER", "none"),
            ("REDIS_URL", redis.as_str()),
        ];
        let mut world = World::prepare(Journal::Local, &settings);
        let url = with_password(&world.database.url());
        world.server.set("DATABASE_URL", &url);
        world.migrate().await;
        world.server.start().await;
        let named = |name: &str, needle: &str| (name.to_owned(), needle.to_owned());
        Self {
            world,
            mails: [MAIL, UNKNOWN_MAIL, ADMIN_MAIL]
                .map(|mail| named("mail address", mail))
                .into(),
            secrets: vec![
                named("password", PASSWORD),
                named("next password", NEXT_PASSWORD),
                named("wrong password", WRONG_PASSWORD),
                named("weak password", WEAK_PASSWORD),
                named("admin's password", ADMIN_PASSWORD),
                named("garbage", GARBAGE),
                named("payment method", PAYMENT_METHOD),
                named("database password", DATABASE_PASSWORD),
                named("Redis password", REDIS_PASSWORD),
                named("token key", TOKEN_KEY),
                named("token secret", crate::support::SECRET),
            ],
            told: String::new(),
        }
    }

    /// Notes the tokens of a session.
    pub(super) fn session(&mut self, reply: &Reply) -> (Caller, String) {
        assert!([200, 201].contains(&reply.status), "{reply:?}");
        let body = reply.json();
        let (access, refresh) = (text(&body["access_token"]), text(&body["refresh_token"]));
        let parts: Vec<_> = access.split('.').collect();
        self.secrets
            .push(("access token's claims".to_owned(), parts[1].to_owned()));
        self.secrets
            .push(("access token's signature".to_owned(), parts[2].to_owned()));
        self.secrets
            .push(("refresh token".to_owned(), refresh["osr_".len()..].to_owned()));
        let caller = Caller {
            id: text(&body["user"]["id"]).parse().expect("an id"),
            session: Uuid::nil(),
            token: access,
        };
        (caller, refresh)
    }

    pub(super) async fn send(&self, call: Call, status: u16) -> Reply {
        let reply = self.world.send(call).await;
        assert_eq!(reply.status, status, "{reply:?}");
        reply
    }

    /// Runs `onsale admin create` and notes what it said.
    pub(super) fn create_admin(&mut self) -> Output {
        let email = address(ADMIN_MAIL);
        let arguments = ["admin", "create", "--password-stdin", "--email", email.as_str()];
        let output = self.world.server.run_with_input(&arguments, ADMIN_PASSWORD);
        self.told.push_str(&String::from_utf8_lossy(&output.stderr));
        output
    }
}

pub(super) fn with_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (user, rest) = rest.split_once('@').expect("a user in the URL");
    let user = user.split(':').next().expect("a user");
    format!("{scheme}://{user}:{DATABASE_PASSWORD}@{rest}")
}

pub(super) fn address(mail: &str) -> String {
    format!("{mail}@test.example")
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

pub(super) fn login(mail: &str, password: &str) -> Call {
    post("/v1/auth/login").json(&json!({"email": address(mail), "password": password}))
}

pub(super) fn refresh(token: &str) -> Call {
    post("/v1/auth/refresh").json(&json!({"refresh_token": token}))
}

pub(super) fn register(password: &str) -> Call {
    let body = json!({"email": address(MAIL), "password": password, "name": "Ada"});
    post("/v1/auth/register").json(&body)
}
