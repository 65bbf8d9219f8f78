//! `/v1/auth` and `/v1/admin/users`: coming in, staying in, getting out.

use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Call, Caller, Journal, Reply, World, get, post, put, until};

const PASSWORD: &str = "a quiet harbour at dusk";
const OTHER_PASSWORD: &str = "lantern gravel otter nine";

/// Somebody with an account, and the latest tokens.
struct Person {
    email: String,
    caller: Caller,
    refresh_token: String,
}

impl Person {
    fn of(email: &str, session: &Value) -> Self {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        Self {
            email: email.to_owned(),
            caller: Caller {
                session: Uuid::nil(),
                id: text(&session["user"]["id"]).parse().expect("an id"),
                token: text(&session["access_token"]),
            },
            refresh_token: text(&session["refresh_token"]),
        }
    }
}

fn register(email: &str, password: &str) -> Call {
    post("/v1/auth/register").json(&json!({"email": email, "password": password, "name": "Ada"}))
}

fn login(email: &str, password: &str) -> Call {
    post("/v1/auth/login").json(&json!({"email": email, "password": password}))
}

fn refresh(token: &str) -> Call {
    post("/v1/auth/refresh").json(&json!({"refresh_token": token}))
}

async fn registered(world: &World, email: &str) -> Person {
    let session = world.send(register(email, PASSWORD)).await.expect(201);
    Person::of(email, &session)
}

async fn logged_in(world: &World, email: &str) -> Person {
    let session = world.send(login(email, PASSWORD)).await.expect(200);
    Person::of(email, &session)
}

/// How many passwords the process has hashed.
async fn hashes(world: &World) -> u64 {
    let metrics = get("/metrics").send(world.server.internal).await;
    let text = String::from_utf8_lossy(&metrics.raw).into_owned();
    let line = text
        .lines()
        .find(|line| line.starts_with("onsale_password_hashes_total "));
    line.and_then(|line| line.split(' ').nth(1))
        .map_or(0, |count| count.parse().expect("a count"))
}

/// The answer without what differs between any two requests.
fn without_request(reply: &Reply) -> Value {
    let mut body = reply.json();
    body.as_object_mut().expect("a problem").remove("request_id");
    body
}

async fn me(world: &World, person: &Person) -> Reply {
    world.send(get("/v1/auth/me").by(&person.caller)).await
}

#[tokio::test]
async fn from_registration_to_logout() {
    let world = World::start().await;
    let reply = world.send(register(" Ada@Example.ORG ", PASSWORD)).await;
    let session = reply.expect(201);
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(session["token_type"], "Bearer");
    // Whole seconds, of which the first has begun.
    assert!(
        [899, 900].map(Value::from).contains(&session["expires_in"]),
        "{session}"
    );
    assert_eq!(session["user"]["email"], "ada@example.org");
    assert_eq!(session["user"]["roles"], json!(["buyer"]));
    let ada = Person::of("ada@example.org", &session);
    assert_eq!(me(&world, &ada).await.expect(200)["name"], "Ada");

    world
        .send(register("ada@example.org", PASSWORD))
        .await
        .problem(409, "already_exists");
    let again = logged_in(&world, "ADA@example.org").await;
    assert_eq!(again.caller.id, ada.caller.id);

    let next = world.send(refresh(&again.refresh_token)).await.expect(200);
    let next = Person::of(&ada.email, &next);
    assert_ne!(next.refresh_token, again.refresh_token);
    me(&world, &next).await.expect(200);

    let out = world.send(post("/v1/auth/logout").by(&next.caller)).await;
    assert_eq!((out.status, out.raw.len()), (204, 0));
    // The session is over with all its tokens; the other one is not.
    me(&world, &next).await.problem(401, "unauthenticated");
    me(&world, &again).await.problem(401, "unauthenticated");
    world
        .send(refresh(&next.refresh_token))
        .await
        .problem(401, "refresh_token_invalid");
    me(&world, &ada).await.expect(200);

    let out = world
        .send(post("/v1/auth/logout-everywhere").by(&ada.caller))
        .await;
    assert_eq!(out.status, 204);
    me(&world, &ada).await.problem(401, "unauthenticated");
    world
        .send(refresh(&ada.refresh_token))
        .await
        .problem(401, "refresh_token_invalid");
    me(&world, &logged_in(&world, &ada.email).await).await.expect(200);
}

#[tokio::test]
async fn a_registered_buyer_buys() {
    let world = World::start().await;
    let event = world.event(&crate::support::EventPlan::of(10)).await;
    let ada = registered(&world, "ada@example.org").await;
    let bought = world
        .send(event.purchase(2, "sim_approve").by(&ada.caller).key("k"))
        .await;
    bought.expect(201);
}

#[tokio::test]
async fn unknown_wrong_and_shut_look_the_same_and_cost_the_same() {
    let world = World::start().await;
    let ada = registered(&world, "ada@example.org").await;
    let shut = registered(&world, "shut@example.org").await;
    let deactivate = post(format!("/v1/admin/users/{}/deactivate", shut.caller.id));
    assert_eq!(world.staff(deactivate).await.expect(200)["status"], "deactivated");
    let mut answers = Vec::new();
    for (email, password) in [
        (ada.email.as_str(), OTHER_PASSWORD),
        ("nobody@example.org", PASSWORD),
        ("no address at all", PASSWORD),
        (&shut.email, PASSWORD),
    ] {
        let before = hashes(&world).await;
        let answer = world.send(login(email, password)).await;
        answer.problem(401, "invalid_credentials");
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"onsale\"");
        assert_eq!(hashes(&world).await, before + 1, "{email}");
        answers.push(without_request(&answer));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

#[tokio::test]
async fn many_refreshes_of_one_token_get_one_child_and_a_used_parent_ends_the_session() {
    let world = World::with(Journal::Postgres, &[]).await;
    let mut second = world.another("two", Journal::Postgres);
    second.start().await;
    let ada = registered(&world, "ada@example.org").await;
    let apis = [world.api(), second.api];
    let call = refresh(&ada.refresh_token);
    let replies = join_all((0..100).map(|number| call.send(apis[number % 2]))).await;
    let children: Vec<_> = replies
        .iter()
        .map(|reply| reply.expect(200)["refresh_token"].clone())
        .collect();
    assert!(children.iter().all(|child| *child == children[0]));
    let child = children[0].as_str().unwrap();
    let next = Person::of(&ada.email, &world.send(refresh(child)).await.expect(200));
    me(&world, &next).await.expect(200);

    world
        .send(refresh(&ada.refresh_token))
        .await
        .problem(401, "refresh_token_invalid");
    world
        .send(refresh(&next.refresh_token))
        .await
        .problem(401, "refresh_token_invalid");
    me(&world, &next).await.problem(401, "unauthenticated");
    let told = "SELECT count(*) FROM audit_log WHERE action = 'sessions.revoke' AND actor_id IS NOT NULL";
    assert_eq!(world.database.number(told).await, 1);
    for nonsense in [
        "",
        "osr_",
        "osr_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "\0",
    ] {
        world
            .send(refresh(nonsense))
            .await
            .problem(401, "refresh_token_invalid");
    }
}

#[tokio::test]
async fn passwords_that_are_easy_to_guess_are_refused() {
    let world = World::start().await;
    for weak in [
        "elf zeichen",
        "password1234",
        "qwertyuiopasdf",
        "ada.lovelace",
        "Onsale for everybody",
        &"x y ".repeat(33),
    ] {
        let refused = world.send(register("ada.lovelace@example.org", weak)).await;
        refused.problem(422, "weak_password");
        assert!(!String::from_utf8_lossy(&refused.raw).contains(weak), "told back");
    }
    let bad = world.send(register("ada", PASSWORD)).await;
    assert_eq!(
        bad.problem(422, "validation_failed")["errors"][0]["pointer"],
        "/email"
    );
    let body = json!({"email": "ada@example.org", "password": PASSWORD, "name": "Ada", "roles": ["admin"]});
    world
        .send(post("/v1/auth/register").json(&body))
        .await
        .problem(422, "validation_failed");
    assert_eq!(
        world
            .database
            .number("SELECT count(*) FROM users WHERE password_hash <> ''")
            .await,
        0
    );
}

#[tokio::test]
async fn an_operators_own_list_of_passwords_counts() {
    let directory = tempfile::tempdir().unwrap();
    let list = directory.path().join("leaked.txt");
    std::fs::write(&list, format!("{PASSWORD}\n")).unwrap();
    let path = list.display().to_string();
    let world = World::with(Journal::Local, &[("ONSALE_BREACHED_PASSWORDS", &path)]).await;
    world
        .send(register("ada@example.org", PASSWORD))
        .await
        .problem(422, "weak_password");
    world
        .send(register("ada@example.org", OTHER_PASSWORD))
        .await
        .expect(201);
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions() {
    let world = World::start().await;
    let ada = registered(&world, "ada@example.org").await;
    let elsewhere = logged_in(&world, &ada.email).await;
    let change = |person: &Person, current: &str, new: &str| {
        let body = json!({"current_password": current, "new_password": new});
        put("/v1/auth/password").by(&person.caller).json(&body)
    };
    let wrong = world.send(change(&ada, OTHER_PASSWORD, OTHER_PASSWORD)).await;
    wrong.problem(401, "invalid_credentials");
    world
        .send(change(&ada, PASSWORD, "too short"))
        .await
        .problem(422, "weak_password");
    me(&world, &elsewhere).await.expect(200);

    let session = world
        .send(change(&ada, PASSWORD, OTHER_PASSWORD))
        .await
        .expect(200);
    let renewed = Person::of(&ada.email, &session);
    me(&world, &renewed).await.expect(200);
    for old in [&ada, &elsewhere] {
        me(&world, old).await.problem(401, "unauthenticated");
        world
            .send(refresh(&old.refresh_token))
            .await
            .problem(401, "refresh_token_invalid");
    }
    let next = world.send(refresh(&renewed.refresh_token)).await.expect(200);
    me(&world, &Person::of(&ada.email, &next)).await.expect(200);
    world
        .send(login(&ada.email, PASSWORD))
        .await
        .problem(401, "invalid_credentials");
    world.send(login(&ada.email, OTHER_PASSWORD)).await.expect(200);
}

/// The token in the mail that the log mailer wrote last.
async fn mailed_token(world: &World) -> String {
    let find = || {
        let log = world.server.stderr();
        let at = log.rfind("osp_")?;
        Some(log[at..].chars().take(47).collect::<String>())
    };
    until("the mail is sent", Duration::from_secs(10), async || {
        find().is_some()
    })
    .await;
    find().expect("a token")
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_mail() {
    let world = World::with(Journal::Local, &[("ONSALE_MAILER", "log")]).await;
    let ada = registered(&world, "ada@example.org").await;
    let ask = |email: &str| post("/v1/auth/password-reset").json(&json!({"email": email}));
    for email in ["nobody@example.org", "no address", &ada.email] {
        let asked = world.send(ask(email)).await;
        assert_eq!((asked.status, asked.raw.len()), (202, 0), "{email}");
    }
    let token = mailed_token(&world).await;
    let confirm = |token: &str, password: &str| {
        post("/v1/auth/password-reset/confirm").json(&json!({"token": token, "password": password}))
    };
    world
        .send(confirm(&token, "password1234"))
        .await
        .problem(422, "weak_password");
    assert_eq!(world.send(confirm(&token, OTHER_PASSWORD)).await.status, 204);
    for used in [&token, "osp_", "nonsense"] {
        let refused = world.send(confirm(used, PASSWORD)).await;
        assert_eq!(
            refused.problem(422, "validation_failed")["errors"][0]["pointer"],
            "/token"
        );
    }
    me(&world, &ada).await.problem(401, "unauthenticated");
    world
        .send(refresh(&ada.refresh_token))
        .await
        .problem(401, "refresh_token_invalid");
    world
        .send(login(&ada.email, PASSWORD))
        .await
        .problem(401, "invalid_credentials");
    world.send(login(&ada.email, OTHER_PASSWORD)).await.expect(200);
    until("it is told by mail", Duration::from_secs(10), async || {
        world.server.stderr().contains("Your password was changed")
    })
    .await;
    assert_eq!(
        world
            .database
            .number("SELECT count(*) FROM jobs WHERE kind = 'mail'")
            .await,
        0
    );
}

#[tokio::test]
async fn without_a_mailer_no_log_holds_an_address_a_password_or_a_token() {
    let world = World::with(Journal::Local, &[("ONSALE_LOG_LEVEL", "debug")]).await;
    let ada = registered(&world, "canary-ada@example.org").await;
    world.send(login(&ada.email, "canary of another password")).await;
    let ask = post("/v1/auth/password-reset").json(&json!({"email": ada.email}));
    assert_eq!(world.send(ask).await.status, 202);
    let next = world.send(refresh(&ada.refresh_token)).await.expect(200);
    let next = Person::of(&ada.email, &next);
    world
        .send(post("/v1/auth/logout-everywhere").by(&next.caller))
        .await;
    let log = world.server.stderr();
    for canary in [
        "canary",
        PASSWORD,
        &ada.caller.token,
        &ada.refresh_token,
        &next.refresh_token,
        "argon2id",
    ] {
        assert!(!log.contains(canary), "{canary}");
    }
    assert_eq!(
        world
            .database
            .number("SELECT count(*) FROM jobs WHERE kind = 'mail'")
            .await,
        1
    );
}

#[tokio::test]
async fn staff_find_shut_and_open_accounts() {
    let world = World::start().await;
    let ada = registered(&world, "ada@example.org").await;
    registered(&world, "bob@example.org").await;
    let page = world.staff(get("/v1/admin/users?limit=2")).await.expect(200);
    assert_eq!(
        (page["data"].as_array().unwrap().len(), &page["has_more"]),
        (2, &json!(true))
    );
    let next = page["next_cursor"].as_str().unwrap();
    let rest = world
        .staff(get(format!("/v1/admin/users?limit=2&cursor={next}")))
        .await
        .expect(200);
    assert_eq!(
        (rest["data"].as_array().unwrap().len(), &rest["has_more"]),
        (1, &json!(false))
    );
    let found = world
        .staff(get("/v1/admin/users?q=BOB&status=active"))
        .await
        .expect(200);
    assert_eq!(found["data"][0]["email"], "bob@example.org");
    for bad in ["status=gone", "limit=0", "cursor=x", "q=%00"] {
        let refused = world.staff(get(format!("/v1/admin/users?{bad}"))).await;
        refused.problem(422, "validation_failed");
    }

    let path = format!("/v1/admin/users/{}", ada.caller.id);
    assert_eq!(
        world.staff(get(path.as_str())).await.expect(200)["status"],
        "active"
    );
    for _ in 0..2 {
        let shut = world.staff(post(format!("{path}/deactivate"))).await;
        assert_eq!(shut.expect(200)["status"], "deactivated");
    }
    me(&world, &ada).await.problem(401, "unauthenticated");
    world
        .send(refresh(&ada.refresh_token))
        .await
        .problem(401, "refresh_token_invalid");
    assert_eq!(
        world.staff(post(format!("{path}/activate"))).await.expect(200)["status"],
        "active"
    );
    me(&world, &logged_in(&world, &ada.email).await).await.expect(200);

    let own = post(format!("/v1/admin/users/{}/deactivate", world.admin.id));
    world.staff(own).await.problem(409, "own_account");
    let unknown = format!("/v1/admin/users/{}", Uuid::now_v7());
    world.staff(get(unknown.as_str())).await.problem(404, "not_found");
    world
        .staff(post(format!("{unknown}/deactivate")))
        .await
        .problem(404, "not_found");
    let support = world.hire("support", None).await;
    world.send(get(path.as_str()).by(&support)).await.expect(200);
    world
        .send(post(format!("{path}/deactivate")).by(&support))
        .await
        .problem(403, "forbidden");
    world
        .send(get("/v1/admin/users").by(&Caller::buyer()))
        .await
        .problem(403, "forbidden");
    let told = "SELECT count(*) FROM audit_log
                WHERE action IN ('users.deactivate', 'users.activate') AND outcome = 'done'";
    assert_eq!(world.database.number(told).await, 2);
}

#[tokio::test]
async fn introspection_knows_of_revocations() {
    let world = World::start().await;
    let ada = registered(&world, "ada@example.org").await;
    let ask = |token: &str| post("/v1/auth/introspect").json(&json!({"token": token}));
    let told = world.staff(ask(&ada.caller.token)).await.expect(200);
    assert_eq!(
        (&told["active"], &told["sub"]),
        (&json!(true), &json!(ada.caller.id))
    );
    assert_eq!(told["scope"], "tickets.buy");
    assert_eq!(told["exp"].as_i64().unwrap() - told["iat"].as_i64().unwrap(), 900);
    world.send(post("/v1/auth/logout").by(&ada.caller)).await;
    for token in [&ada.caller.token, "nonsense", ""] {
        let told = world.staff(ask(token)).await.expect(200);
        assert_eq!(told, json!({"active": false}));
    }
    world
        .send(ask(&ada.caller.token))
        .await
        .problem(401, "unauthenticated");
    world
        .send(ask("x").by(&Caller::buyer()))
        .await
        .problem(403, "forbidden");
}

#[tokio::test]
async fn guessing_is_slowed_by_account_and_by_network() {
    let limits = [
        ("ONSALE_AUTH_RATE_LIMIT_ACCOUNT_PER_MINUTE", "3"),
        ("ONSALE_AUTH_RATE_LIMIT_ADDRESS_PER_MINUTE", "6"),
    ];
    let world = World::with(Journal::Local, &limits).await;
    for _ in 0..3 {
        let guess = world.send(login("ada@example.org", PASSWORD)).await;
        guess.problem(401, "invalid_credentials");
    }
    // Another spelling is the same account, and there need not be one.
    let guess = world.send(login(" ADA@example.org", PASSWORD)).await;
    guess.problem_with_retry(429, "rate_limited");
    world
        .send(login("bob@example.org", PASSWORD))
        .await
        .problem(401, "invalid_credentials");
    world
        .send(refresh("nonsense"))
        .await
        .problem(401, "refresh_token_invalid");
    world
        .send(refresh("nonsense"))
        .await
        .problem_with_retry(429, "rate_limited");
}
