//! Access tokens from outside: what must not pass for one (RFC 8725), the public keys, and the change of keys.

mod attacks;
mod forge;

use serde_json::{Value, json};

use crate::support::{Call, Caller, Journal, Reply, Server, World, get, post};
use attacks::attacks;
use forge::Forge;

const PASSWORD: &str = "a quiet harbour at dusk";

fn with_token(call: Call, token: &str) -> Call {
    call.header("authorization", format!("Bearer {token}"))
}

/// A route of buyers, one of staff, one of whoever has an account.
const ROUTES: [&str; 3] = ["/v1/orders", "/v1/admin/events", "/v1/auth/me"];

async fn introspected(world: &World, token: &str) -> Value {
    let call = post("/v1/auth/introspect").json(&json!({"token": token}));
    world.staff(call).await.expect(200)["active"].clone()
}

#[tokio::test]
async fn what_is_no_token_of_ours_is_refused_on_every_kind_of_route() {
    let (world, forge) = Forge::start().await;
    for (algorithm, token) in [("EdDSA", forge.eddsa()), ("HS256", forge.hs256())] {
        for route in ROUTES {
            let reply = world.send(with_token(get(route), &token)).await;
            assert_eq!(reply.status, 200, "the table's base under {algorithm}: {reply:?}");
        }
        assert_eq!(introspected(&world, &token).await, true, "{algorithm}");
    }
    let mut accepted = vec![];
    for (name, token) in attacks(&forge) {
        for route in ROUTES {
            let reply = world.send(with_token(get(route), &token)).await;
            if (reply.status, reply.code().as_str()) != (401, "unauthenticated") {
                accepted.push(format!("{name}: {route} answers {}", reply.status));
            }
        }
        if introspected(&world, &token).await != false {
            accepted.push(format!("{name}: is introspected as active"));
        }
    }
    assert!(accepted.is_empty(), "{}", accepted.join("\n"));
    good_tokens_are_accepted(&world, &forge).await;
}

/// What the attacks are made of is good, so that each is refused for what was altered.
async fn good_tokens_are_accepted(world: &World, forge: &Forge) {
    for (algorithm, token) in [("EdDSA", forge.eddsa()), ("HS256", forge.hs256())] {
        for route in ROUTES {
            let reply = world.send(with_token(get(route), &token)).await;
            assert_eq!(reply.status, 200, "{algorithm}: {reply:?}");
        }
        assert_eq!(introspected(world, &token).await, true, "{algorithm}");
    }
}

#[tokio::test]
async fn only_the_bearer_scheme_and_only_once() {
    let (world, forge) = Forge::start().await;
    let token = forge.eddsa();
    for header in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Bearer  {token}"),
        format!("Bearer {token} {token}"),
        format!("Bearer {token},"),
        format!("Basic {token}"),
        format!("DPoP {token}"),
        format!("Token {token}"),
        token.clone(),
    ] {
        let call = get(ROUTES[0]).header("authorization", header.as_str());
        assert_eq!(world.send(call).await.status, 401, "{header}");
    }
    let in_query = get(format!("{}?access_token={token}", ROUTES[0]));
    assert_eq!(world.send(in_query).await.status, 401);
    let lower_case = get(ROUTES[0]).header("authorization", format!("bearer {token}"));
    world.send(lower_case).await.expect(200);
}

#[tokio::test]
async fn tokens_of_one_kind_do_not_pass_for_another() {
    let (world, forge) = Forge::start().await;
    let email = "ada@test.example";
    let session = register(&world.server, email).await;
    let access = text(&session, "access_token");
    let refresh = text(&session, "refresh_token");
    let reset = reset_token(&world, email).await;
    let key = api_key(&world).await;
    let signed = forge.eddsa();

    for (name, token) in [
        ("a refresh token", refresh.clone()),
        ("a reset token", reset.clone()),
        ("an access token that says it is a key", format!("osk_{access}")),
        (
            "a refresh token that says it is a key",
            refresh.replace("osr_", "osk_"),
        ),
        ("a cut key", key[..key.len() - 1].to_owned()),
        ("a key without its beginning", key[4..].to_owned()),
        ("a key of another secret", altered(&key)),
    ] {
        for route in ROUTES {
            let reply = world.send(with_token(get(route), &token)).await;
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (401, "unauthenticated"),
                "{name}: {route}"
            );
        }
    }
    for (name, token) in [
        ("an access token", &access),
        ("a token of another key", &signed),
        ("a reset token", &reset),
        ("a reset token in its clothes", &reset.replace("osp_", "osr_")),
        ("an API key", &key),
    ] {
        let reply = world.send(refreshing(token)).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (401, "refresh_token_invalid"),
            "{name}"
        );
    }
    for (name, token) in [
        ("an access token", &access),
        ("a refresh token", &refresh),
        ("a refresh token in its clothes", &refresh.replace("osr_", "osp_")),
        ("an API key", &key),
    ] {
        let reply = world.send(resetting(token)).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (422, "validation_failed"),
            "{name}"
        );
    }
    // All of them are good for what they are.
    let allowed = world.send(with_token(get("/v1/admin/events"), &key)).await;
    allowed.expect(200);
    world.send(refreshing(&refresh)).await.expect(200);
    assert_eq!(world.send(resetting(&reset)).await.status, 204);
}

fn refreshing(token: &str) -> Call {
    post("/v1/auth/refresh").json(&json!({"refresh_token": token}))
}

fn resetting(token: &str) -> Call {
    let body = json!({"token": token, "password": "lantern gravel otter nine"});
    post("/v1/auth/password-reset/confirm").json(&body)
}

fn text(object: &Value, field: &str) -> String {
    let text = object[field].as_str();
    text.unwrap_or_else(|| panic!("no {field}: {object}")).to_owned()
}

/// With another last letter.
fn altered(secret: &str) -> String {
    let (rest, last) = secret.split_at(secret.len() - 1);
    format!("{rest}{}", if last == "A" { "E" } else { "A" })
}

async fn register(server: &Server, email: &str) -> Value {
    let body = json!({"email": email, "password": PASSWORD, "name": "Ada"});
    post("/v1/auth/register")
        .json(&body)
        .send(server.api)
        .await
        .expect(201)
}

/// From the mail, which the log shows in this test.
async fn reset_token(world: &World, email: &str) -> String {
    let asked = world
        .send(post("/v1/auth/password-reset").json(&json!({"email": email})))
        .await;
    assert_eq!(asked.status, 202);
    let mut token = None;
    crate::support::until("the mail", std::time::Duration::from_secs(10), async || {
        let log = world.server.stderr();
        token = log.find("osp_").map(|start| log[start..start + 47].to_owned());
        token.is_some()
    })
    .await;
    token.expect("a token")
}

/// A key that may see events.
async fn api_key(world: &World) -> String {
    let roles = world.staff(get("/v1/admin/roles")).await.expect(200);
    let is_support = |role: &&Value| role["name"] == "support";
    let role = roles["data"]
        .as_array()
        .expect("roles")
        .iter()
        .find(is_support)
        .expect("support");
    let account = json!({"name": "Till", "roles": [role["id"]]});
    let account = world
        .staff(post("/v1/admin/service-accounts").json(&account))
        .await
        .expect(201);
    let path = format!("/v1/admin/service-accounts/{}/api-keys", text(&account, "id"));
    let body = json!({"name": "Till 1", "scopes": ["events.read"]});
    text(&world.staff(post(path).json(&body)).await.expect(201), "secret")
}

#[tokio::test]
async fn whoever_has_the_public_keys_can_verify_a_token() {
    let (world, forge) = Forge::start().await;
    let reply = world.send(get("/.well-known/jwks.json")).await;
    let set = reply.expect(200);
    let keys = set["keys"].as_array().expect("keys");
    assert_eq!(keys.len(), 1, "the HS256 keys have no public half: {set}");
    assert_eq!(keys[0]["kid"], "ed");
    assert_eq!(
        (&keys[0]["kty"], &keys[0]["crv"]),
        (&json!("OKP"), &json!("Ed25519"))
    );
    assert_eq!(keys[0].as_object().expect("a key").get("d"), None);
    for secret in forge.secrets() {
        assert!(!set.to_string().contains(secret));
    }

    let session = register(&world.server, "ada@test.example").await;
    let token = text(&session, "access_token");
    let header = jsonwebtoken::decode_header(&token).expect("a header");
    assert_eq!(header.kid.as_deref(), keys[0]["kid"].as_str());
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
    validation.set_issuer(&["onsale"]);
    validation.set_audience(&["onsale-api"]);
    let x = keys[0]["x"].as_str().expect("x");
    let key = jsonwebtoken::DecodingKey::from_ed_components(x).expect("a key");
    let claims = jsonwebtoken::decode::<Value>(&token, &key, &validation)
        .expect("a good token")
        .claims;
    assert_eq!(claims["sub"], session["user"]["id"]);
    for route in ["/v1/orders", "/v1/auth/me"] {
        world.send(with_token(get(route), &token)).await.expect(200);
    }
}

/// A deployment that is restarted with other keys.
struct Rotation {
    world: World,
    server: Server,
}

impl Rotation {
    async fn start(keys: &[&str]) -> Self {
        let world = World::prepare(Journal::Local, &[]);
        world.migrate().await;
        let mut server = Self::server(&world, keys);
        server.start().await;
        Self { world, server }
    }

    fn server(world: &World, keys: &[&str]) -> Server {
        let keys = keys.join("\n");
        let settings = [("ONSALE_TOKEN_SECRET", ""), ("ONSALE_TOKEN_KEYS", keys.as_str())];
        let (directory, url) = (world.directory.path(), world.database.url());
        Server::prepare("rotating", directory, &url, Journal::Local, &settings)
    }

    async fn restart(&mut self, keys: &[&str]) {
        self.server.stop().await;
        self.server = Self::server(&self.world, keys);
        self.server.start().await;
    }

    async fn me(&self, token: &str) -> u16 {
        let call = with_token(get("/v1/auth/me"), token);
        call.send(self.server.api).await.status
    }

    async fn log_in(&self, email: &str) -> Value {
        let body = json!({"email": email, "password": PASSWORD});
        let reply: Reply = post("/v1/auth/login").json(&body).send(self.server.api).await;
        reply.expect(200)
    }

    async fn public_key_ids(&self) -> Vec<String> {
        let set = get("/.well-known/jwks.json")
            .send(self.server.api)
            .await
            .expect(200);
        let keys = set["keys"].as_array().expect("keys");
        keys.iter().map(|key| text(key, "kid")).collect()
    }
}

fn key_id(token: &str) -> Option<String> {
    jsonwebtoken::decode_header(token).expect("a header").kid
}

#[tokio::test]
async fn keys_change_by_restarts_without_ending_a_session() {
    let made = |id: &str| forge::key_line(id, "eddsa");
    let (old, new) = (made("old"), made("new"));
    let email = "ada@test.example";
    let mut rotation = Rotation::start(&[&old]).await;
    let first = register(&rotation.server, email).await;
    assert_eq!(rotation.public_key_ids().await, ["old"]);
    let mut tokens = vec![text(&first, "access_token")];
    for (keys, signed_by, public) in [
        (vec![old.as_str(), &new], "old", vec!["old", "new"]),
        (vec![new.as_str(), &old], "new", vec!["new", "old"]),
    ] {
        rotation.restart(&keys).await;
        assert_eq!(rotation.public_key_ids().await, public);
        tokens.push(text(&rotation.log_in(email).await, "access_token"));
        assert_eq!(
            key_id(tokens.last().expect("a token")).as_deref(),
            Some(signed_by)
        );
        for token in &tokens {
            assert_eq!(rotation.me(token).await, 200, "{keys:?}");
        }
    }
    rotation.restart(&[&new]).await;
    for token in &tokens {
        let status = if key_id(token).as_deref() == Some("new") {
            200
        } else {
            401
        };
        assert_eq!(rotation.me(token).await, status);
    }
    // What a session goes on with does not depend on the keys.
    let body = json!({"refresh_token": first["refresh_token"]});
    let next = post("/v1/auth/refresh")
        .json(&body)
        .send(rotation.server.api)
        .await
        .expect(200);
    assert_eq!(rotation.me(&text(&next, "access_token")).await, 200);
}

#[tokio::test]
async fn a_key_that_is_not_in_the_list_signs_nothing() {
    let rotation = Rotation::start(&[&forge::key_line("only", "hs256")]).await;
    assert_eq!(rotation.me(&Caller::buyer().token).await, 401);
    assert_eq!(rotation.public_key_ids().await, Vec::<String>::new());
}
