//! Everything that carries a secret is done once with a recognisable one; then nothing of it stands in the log, the
//! metrics or the audit log, and no secret anywhere in the database.

use std::process::Output;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Call, Caller, EventPlan, Journal, Reply, World, delete, free_address, get, post, put};

/// Stand for themselves wherever they turn up: in a password, an address, a header, a path.
const PASSWORD: &str = "CanaryHarbourAtDusk17";
const NEXT_PASSWORD: &str = "CanaryLanternGravel23";
const WRONG_PASSWORD: &str = "CanaryOtterMarigold5";
const WEAK_PASSWORD: &str = "CanaryWeak";
const ADMIN_PASSWORD: &str = "CanaryHeatherQuill41";
const MAIL: &str = "canary-ada";
const UNKNOWN_MAIL: &str = "canary-nobody";
const ADMIN_MAIL: &str = "canary-admin";
const GARBAGE: &str = "CanaryGarbageToken";
const PAYMENT_METHOD: &str = "canary-4111111111111111";
const DATABASE_PASSWORD: &str = "CanaryDatabasePassword";
const REDIS_PASSWORD: &str = "CanaryRedisPassword";
const TOKEN_KEY: &str = "CanaryTokenKey_012345678_0123456789_01234567";

/// What must not be told: its name, and what to look for.
type Canary = (String, String);

struct Trial {
    world: World,
    mails: Vec<Canary>,
    secrets: Vec<Canary>,
    /// What commands said on stderr.
    told: String,
}

impl Trial {
    async fn start(level: &str) -> Self {
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
    fn session(&mut self, reply: &Reply) -> (Caller, String) {
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

    async fn send(&self, call: Call, status: u16) -> Reply {
        let reply = self.world.send(call).await;
        assert_eq!(reply.status, status, "{reply:?}");
        reply
    }

    /// Runs `onsale admin create` and notes what it said.
    fn create_admin(&mut self) -> Output {
        let email = address(ADMIN_MAIL);
        let arguments = ["admin", "create", "--password-stdin", "--email", email.as_str()];
        let output = self.world.server.run_with_input(&arguments, ADMIN_PASSWORD);
        self.told.push_str(&String::from_utf8_lossy(&output.stderr));
        output
    }
}

fn with_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (user, rest) = rest.split_once('@').expect("a user in the URL");
    let user = user.split(':').next().expect("a user");
    format!("{scheme}://{user}:{DATABASE_PASSWORD}@{rest}")
}

fn address(mail: &str) -> String {
    format!("{mail}@test.example")
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn login(mail: &str, password: &str) -> Call {
    post("/v1/auth/login").json(&json!({"email": address(mail), "password": password}))
}

fn refresh(token: &str) -> Call {
    post("/v1/auth/refresh").json(&json!({"refresh_token": token}))
}

fn register(password: &str) -> Call {
    let body = json!({"email": address(MAIL), "password": password, "name": "Ada"});
    post("/v1/auth/register").json(&body)
}

/// Comes in, rightly and wrongly.
async fn come_in(trial: &mut Trial) -> (Caller, String) {
    trial.send(register(WEAK_PASSWORD), 422).await;
    let registered = trial.send(register(PASSWORD), 201).await;
    trial.session(&registered);
    trial.send(register(PASSWORD), 409).await;
    trial.send(login(MAIL, WRONG_PASSWORD), 401).await;
    trial.send(login(UNKNOWN_MAIL, PASSWORD), 401).await;
    let (mail, unknown) = (address(MAIL), address(UNKNOWN_MAIL));
    for (body, status) in [
        (format!(r#"{{"email": "{mail}", "password": "{PASSWORD}""#), 400),
        (format!(r#"{{"email": "{mail}", "password": {PASSWORD}}}"#), 400),
        (format!(r#"["{mail}", "{PASSWORD}"]"#), 422),
        (
            format!(r#"{{"email": "{mail}", "password": ["{PASSWORD}"]}}"#),
            422,
        ),
        (
            format!(r#"{{"email": "{mail}", "{PASSWORD}": "{GARBAGE}"}}"#),
            422,
        ),
        (
            format!(
                r#"{{"email": "{unknown}", "password": "{}"}}"#,
                PASSWORD.repeat(2_000)
            ),
            413,
        ),
    ] {
        for path in ["/v1/auth/login", "/v1/auth/register"] {
            trial
                .send(post(path).body("application/json", body.clone()), status)
                .await;
        }
    }
    let form = format!("email={mail}&password={PASSWORD}");
    let call = post("/v1/auth/login").body("application/x-www-form-urlencoded", form.clone());
    trial.send(call, 415).await;
    trial.send(get(format!("/v1/auth/login?{form}")), 405).await;
    trial
        .send(post(format!("/v1/auth/login?{form}")).json(&json!({})), 422)
        .await;
    trial.send(post(format!("/v1/auth/{PASSWORD}/{mail}")), 404).await;
    let logged_in = trial.send(login(MAIL, PASSWORD), 200).await;
    trial.session(&logged_in)
}

/// Shows tokens where they belong, and where they do not.
async fn show_tokens(trial: &Trial, caller: &Caller) {
    let token = &caller.token;
    trial.send(get("/v1/auth/me").by(caller), 200).await;
    for path in [
        format!("/v1/orders?access_token={token}"),
        format!("/v1/orders/{token}"),
        format!("/v1/holds/{GARBAGE}?token={token}"),
    ] {
        trial.send(get(path), 401).await;
    }
    trial.send(get(format!("/{token}")), 404).await;
    trial
        .send(get(format!("/v1/orders/{token}")).by(caller), 404)
        .await;
    trial
        .send(get(format!("/v1/orders?cursor={token}")).by(caller), 422)
        .await;
    for header in [
        format!("Basic {GARBAGE}"),
        format!("Digest username={GARBAGE}"),
        format!("Bearer {GARBAGE}"),
        format!("Bearer {GARBAGE}.{GARBAGE}.{GARBAGE}"),
        format!("Bearer osk_{GARBAGE}"),
        format!("Bearer {token}A"),
        format!("DPoP {token}"),
        GARBAGE.to_owned(),
    ] {
        let call = get("/v1/auth/me").header("authorization", header);
        trial
            .send(call.header("cookie", format!("session={GARBAGE}")), 401)
            .await;
    }
}

/// Refreshes: well, twice, and with what is no token.
async fn refresh_tokens(trial: &mut Trial, token: &str) {
    trial.send(refresh(GARBAGE), 401).await;
    trial.send(refresh(&format!("osr_{GARBAGE}")), 401).await;
    let reply = trial.send(refresh(token), 200).await;
    let (_, child) = trial.session(&reply);
    let reply = trial.send(refresh(&child), 200).await;
    let (caller, _) = trial.session(&reply);
    trial.send(refresh(token), 401).await;
    trial.send(get("/v1/auth/me").by(&caller), 401).await;
}

/// Changes and resets the password, and goes.
async fn change_passwords(trial: &mut Trial) {
    let reply = trial.send(login(MAIL, PASSWORD), 200).await;
    let (caller, _) = trial.session(&reply);
    let change = |from: &str, to: &str| {
        let body = json!({"current_password": from, "new_password": to});
        put("/v1/auth/password").json(&body)
    };
    trial
        .send(change(WRONG_PASSWORD, NEXT_PASSWORD).by(&caller), 401)
        .await;
    trial.send(change(PASSWORD, WEAK_PASSWORD).by(&caller), 422).await;
    let reply = trial.send(change(PASSWORD, NEXT_PASSWORD).by(&caller), 200).await;
    let (caller, _) = trial.session(&reply);
    for mail in [MAIL, UNKNOWN_MAIL] {
        let body = json!({"email": address(mail)});
        trial.send(post("/v1/auth/password-reset").json(&body), 202).await;
    }
    for token in [GARBAGE.to_owned(), format!("osp_{GARBAGE}")] {
        let body = json!({"token": token, "password": PASSWORD});
        trial
            .send(post("/v1/auth/password-reset/confirm").json(&body), 422)
            .await;
    }
    trial.send(post("/v1/auth/logout").by(&caller), 204).await;
    trial.send(get("/v1/auth/me").by(&caller), 401).await;
    let reply = trial.send(login(MAIL, NEXT_PASSWORD), 200).await;
    let (caller, _) = trial.session(&reply);
    trial
        .send(post("/v1/auth/logout-everywhere").by(&caller), 204)
        .await;
    trial.send(post("/v1/auth/logout").by(&caller), 401).await;
}

/// What staff see and do with addresses, tokens and keys.
async fn administer(trial: &mut Trial, buyer: Uuid) {
    assert!(trial.create_admin().status.success(), "{}", trial.told);
    assert!(!trial.create_admin().status.success(), "it is there already");
    let reply = trial.send(login(ADMIN_MAIL, ADMIN_PASSWORD), 200).await;
    let (admin, _) = trial.session(&reply);
    for search in [
        address(MAIL),
        MAIL.to_uppercase(),
        admin.token.clone(),
        PASSWORD.to_owned(),
    ] {
        trial
            .send(get(format!("/v1/admin/users?q={search}")).by(&admin), 200)
            .await;
    }
    trial
        .send(get(format!("/v1/admin/users?status={GARBAGE}")).by(&admin), 422)
        .await;
    trial
        .send(get(format!("/v1/admin/users/{MAIL}")).by(&admin), 404)
        .await;
    trial
        .send(
            get(format!("/v1/admin/audit-log?action={GARBAGE}")).by(&admin),
            200,
        )
        .await;
    let user = format!("/v1/admin/users/{buyer}");
    trial
        .send(post(format!("{user}/deactivate")).by(&admin), 200)
        .await;
    trial.send(login(MAIL, NEXT_PASSWORD), 401).await;
    trial.send(post(format!("{user}/activate")).by(&admin), 200).await;
    for token in [&admin.token, GARBAGE] {
        let call = post("/v1/auth/introspect").json(&json!({"token": token}));
        trial.send(call.by(&admin), 200).await;
    }
    use_api_keys(trial, &admin).await;
}

async fn use_api_keys(trial: &mut Trial, admin: &Caller) {
    let roles = trial.send(get("/v1/admin/roles").by(admin), 200).await.json();
    let is_support = |role: &&Value| role["name"] == "support";
    let role = roles["data"]
        .as_array()
        .expect("roles")
        .iter()
        .find(is_support)
        .expect("support");
    let body = json!({"name": "Till", "roles": [role["id"]]});
    let call = post("/v1/admin/service-accounts").json(&body).by(admin);
    let account = text(&trial.send(call, 201).await.json()["id"]);
    let path = format!("/v1/admin/service-accounts/{account}/api-keys");
    let made = post(&path)
        .json(&json!({"name": "Till 1", "scopes": ["events.read"]}))
        .by(admin);
    let made = trial.send(made, 201).await.json();
    let key = text(&made["secret"]);
    let visible = text(&made["prefix"]).len();
    trial
        .secrets
        .push(("API key".to_owned(), key[visible + 1..].to_owned()));
    let with_key = |call: Call, key: &str| call.header("authorization", format!("Bearer {key}"));
    trial.send(with_key(get("/v1/admin/events"), &key), 200).await;
    trial.send(with_key(get("/v1/admin/users"), &key), 403).await;
    trial
        .send(
            with_key(get(format!("/v1/admin/events?key={key}")), &key[..55]),
            401,
        )
        .await;
    trial.send(get(format!("/v1/admin/events?key={key}")), 401).await;
    let id = text(&made["id"]);
    trial
        .send(delete(format!("/v1/admin/api-keys/{id}")).by(admin), 204)
        .await;
    trial.send(with_key(get("/v1/admin/events"), &key), 401).await;
}

/// Pays with what might be a card.
async fn pay(trial: &Trial) {
    let event = trial.world.event(&EventPlan::of(10)).await;
    let reply = trial
        .world
        .send(
            event
                .purchase(1, PAYMENT_METHOD)
                .by(&Caller::buyer())
                .key(GARBAGE),
        )
        .await;
    assert!(reply.status < 500, "{reply:?}");
    let paid = event.purchase(1, "sim_approve").by(&Caller::buyer()).key(GARBAGE);
    trial.send(paid, 201).await;
    trial.world.settled().await;
}

/// Has Postgres refuse a row, which it tells of with all that stands in the row.
async fn meet_database_errors(trial: &Trial) {
    let database = &trial.world.database;
    database
        .alter("ALTER TABLE users ADD CONSTRAINT canary CHECK (name <> 'Refused')")
        .await;
    let body = json!({"email": address(UNKNOWN_MAIL), "password": PASSWORD, "name": "Refused"});
    trial.send(post("/v1/auth/register").json(&body), 503).await;
    database.alter("ALTER TABLE users RENAME TO away").await;
    trial.send(login(MAIL, NEXT_PASSWORD), 503).await;
    database.alter("ALTER TABLE away RENAME TO users").await;
}

/// Where canaries are not to be: a place's name, and all that stands there.
fn found<'a>(canaries: impl IntoIterator<Item = &'a Canary>, place: &str, content: &str) -> Vec<String> {
    let content = content.to_lowercase();
    let is_there = |(_, needle): &&Canary| content.contains(&needle.to_lowercase());
    let told = |(name, needle): &Canary| format!("{name} in {place}: {needle}");
    canaries.into_iter().filter(is_there).map(told).collect()
}

async fn nothing_is_told_at(level: &str) {
    let mut trial = Trial::start(level).await;
    let (caller, token) = come_in(&mut trial).await;
    show_tokens(&trial, &caller).await;
    refresh_tokens(&mut trial, &token).await;
    change_passwords(&mut trial).await;
    administer(&mut trial, caller.id).await;
    pay(&trial).await;
    meet_database_errors(&trial).await;

    let metrics = get("/metrics").send(trial.world.server.internal).await;
    let metrics = String::from_utf8_lossy(&metrics.raw).into_owned();
    let audit = "SELECT coalesce(string_agg(audit_log::text, chr(10)), '') FROM audit_log";
    let audit = trial.world.database.text(audit).await;
    let rows =
        "SELECT string_agg(query_to_xml(format('SELECT * FROM %I', tablename), true, false, '')::text, '')
                FROM pg_tables WHERE schemaname = 'public'";
    let rows = trial.world.database.text(rows).await;
    trial.world.server.stop().await;
    let log = trial.world.server.stderr();

    let all = || trial.mails.iter().chain(&trial.secrets);
    let told = [
        found(all(), "the log", &log),
        found(all(), "what commands say", &trial.told),
        found(all(), "the metrics", &metrics),
        found(all(), "the audit log", &audit),
        found(&trial.secrets, "the database", &rows),
    ]
    .concat();
    assert!(told.is_empty(), "{}", told.join("\n"));

    // What was looked through is what it should be.
    assert!(
        found(&trial.mails, "the database", &rows).len() >= 2,
        "the accounts are in it"
    );
    assert!(audit.contains("api_keys.create") && metrics.contains("onsale_"));
    for what in [
        "Redis does not answer",
        "row refused by canary",
        "a relational read or write failed",
    ] {
        assert!(log.contains(what), "the log does not tell: {what}");
    }
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let requests = lines.iter().filter(|line| line["request_id"].is_string());
    assert!(requests.count() > 40, "{} lines", lines.len());
}

#[tokio::test]
async fn nothing_secret_is_told_when_everything_logs_at_debug() {
    nothing_is_told_at("debug").await;
}

#[tokio::test]
async fn nothing_secret_is_told_when_our_crates_log_at_trace() {
    let ours = [
        "onsale",
        "onsale_server",
        "onsale_http",
        "onsale_services",
        "onsale_persistence",
        "onsale_engine",
    ];
    let level = ours.map(|name| format!("{name}=trace")).join(",");
    nothing_is_told_at(&format!("info,{level}")).await;
}
