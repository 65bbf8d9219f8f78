//! What is done with secrets, rightly and wrongly.

use serde_json::{Value, json};
use uuid::Uuid;

use super::trial::{
    ADMIN_MAIL, ADMIN_PASSWORD, GARBAGE, MAIL, NEXT_PASSWORD, PASSWORD, PAYMENT_METHOD, Trial, UNKNOWN_MAIL,
    WEAK_PASSWORD, WRONG_PASSWORD, address, login, refresh, register, text,
};
use crate::support::{Call, Caller, EventPlan, delete, get, post, put};

/// Comes in, rightly and wrongly.
pub(super) async fn come_in(trial: &mut Trial) -> (Caller, String) {
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
pub(super) async fn show_tokens(trial: &Trial, caller: &Caller) {
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
pub(super) async fn refresh_tokens(trial: &mut Trial, token: &str) {
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
pub(super) async fn change_passwords(trial: &mut Trial) {
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
pub(super) async fn administer(trial: &mut Trial, buyer: Uuid) {
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
pub(super) async fn pay(trial: &Trial) {
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
pub(super) async fn meet_database_errors(trial: &Trial) {
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
