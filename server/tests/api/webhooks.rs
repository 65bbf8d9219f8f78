//! What payment providers tell.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::{digest, hmac};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::{Call, Caller, EventPlan, Journal, World, get, post};

const STRIPE: &str = "/v1/webhooks/payments/stripe";
const MIDTRANS: &str = "/v1/webhooks/payments/midtrans";
/// Nobody listens there: what is told is kept, whether or not the provider answers.
const NOWHERE: &str = "http://127.0.0.1:9";

/// A process that knows both providers, and two secrets of one.
async fn world() -> World {
    let settings = [
        ("ONSALE_STRIPE_SECRET_KEY", "sk_test_12345"),
        ("ONSALE_STRIPE_WEBHOOK_SECRETS", "whsec_new,whsec_old"),
        ("ONSALE_STRIPE_URL", NOWHERE),
        ("ONSALE_MIDTRANS_SERVER_KEY", "Mid-server-x"),
        ("ONSALE_MIDTRANS_URL", NOWHERE),
    ];
    World::with(Journal::Local, &settings).await
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Seconds since 1970.
fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}

/// Signed as Stripe does it, so many seconds ago.
fn signed(secret: &str, age: i64, body: &str) -> Call {
    let time = now() - age;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = hex(hmac::sign(&key, format!("{time}.{body}").as_bytes()).as_ref());
    post(STRIPE)
        .body("application/json", body.to_owned())
        .header("stripe-signature", format!("t={time},v1={signature}"))
}

fn event(kind: &str, purchase: &str) -> String {
    let object = json!({"id": "pi_1", "object": "payment_intent", "metadata": {"purchase": purchase}});
    json!({"id": "evt_1", "type": kind, "data": {"object": object}}).to_string()
}

fn notification(order_id: &str) -> Value {
    let signed = format!("{order_id}20010000.00Mid-server-x");
    json!({
        "order_id": order_id, "status_code": "200", "gross_amount": "10000.00", "transaction_status": "settlement",
        "signature_key": hex(digest::digest(&digest::SHA512, signed.as_bytes()).as_ref()),
    })
}

/// An order of the world, by the name that providers know it by.
async fn order(world: &World) -> String {
    let event = world.event(&EventPlan::of(10)).await;
    let call = event.purchase(1, "sim_approve").by(&Caller::buyer()).key("k");
    let id = world.send(call).await.expect(201)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    world.settled().await;
    format!("order_{}", id.replace('-', ""))
}

async fn counted(world: &World, gateway: &str, outcome: &str) -> u64 {
    let text = get("/metrics").send(world.server.internal).await.raw;
    let text = String::from_utf8(text.to_vec()).unwrap();
    let series = format!("onsale_webhooks_total{{gateway=\"{gateway}\",outcome=\"{outcome}\"}} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&series));
    line.map_or(0, |count| count.parse().unwrap())
}

async fn jobs(world: &World) -> i64 {
    world
        .database
        .number("SELECT count(*) FROM jobs WHERE kind = 'payment'")
        .await
}

#[tokio::test]
async fn a_hundred_copies_in_any_order_are_one_thing_to_look_at() {
    let mut world = world().await;
    let order = order(&world).await;
    let kinds = [
        "payment_intent.created",
        "payment_intent.amount_capturable_updated",
        "payment_intent.succeeded",
        "payment_intent.canceled",
    ];
    let calls = (0..100).map(|number| {
        let secret = ["whsec_new", "whsec_old"][number % 2];
        signed(secret, 0, &event(kinds[(number * 7) % kinds.len()], &order))
    });
    let calls: Vec<_> = calls.collect();
    for reply in join_all(calls.iter().map(|call| call.try_send(world.api()))).await {
        assert_eq!(reply.unwrap().status, 200);
    }
    assert_eq!(counted(&world, "stripe", "accepted").await, 100);
    assert!(jobs(&world).await <= 1);
    world.stop_and_audit().await;
}

#[tokio::test]
async fn what_is_signed_is_heard_whatever_it_is_about() {
    let world = world().await;
    let order = order(&world).await;
    for (call, outcome) in [
        (
            signed("whsec_new", 0, &event("payment_intent.succeeded", &order)),
            "accepted",
        ),
        (
            signed("whsec_old", 250, &event("charge.refunded", &order)),
            "accepted",
        ),
        (
            signed(
                "whsec_new",
                0,
                &event("payment_intent.succeeded", "somebody else's"),
            ),
            "ignored",
        ),
        // An order of no event of ours.
        (
            signed(
                "whsec_new",
                0,
                &event(
                    "payment_intent.succeeded",
                    "order_0190a1b2c3d47e5f8a9b0c1d2e3f4a5b",
                ),
            ),
            "ignored",
        ),
        (
            signed("whsec_new", 0, r#"{"type":"new.kind","data":{"object":{}}}"#),
            "ignored",
        ),
    ] {
        let before = counted(&world, "stripe", outcome).await;
        let reply = world.send(call).await;
        assert_eq!((reply.status, reply.raw.len()), (200, 0), "{reply:?}");
        assert_eq!(counted(&world, "stripe", outcome).await, before + 1);
    }
    let call = post(MIDTRANS).json(&notification(&order));
    assert_eq!(world.send(call).await.status, 200);
    let package = signed(
        "whsec_new",
        0,
        &event("x", "package_0190a1b2c3d47e5f8a9b0c1d2e3f4a5b"),
    );
    assert_eq!(world.send(package).await.status, 200);
}

#[tokio::test]
async fn nobody_without_the_secret_is_heard() {
    let world = world().await;
    let order = order(&world).await;
    let body = event("payment_intent.succeeded", &order);
    let forged = [
        post(STRIPE).body("application/json", body.clone()),
        signed("whsec_other", 0, &body),
        signed("", 0, &body),
        signed("whsec_new", 400, &body),
        signed("whsec_new", -400, &body),
        signed("whsec_new", 0, "other").body("application/json", body.clone()),
        post(STRIPE)
            .body("application/json", body.clone())
            .header("stripe-signature", "t=1,v1=00"),
        post(STRIPE)
            .body("application/json", body.clone())
            .header("stripe-signature", vec![0xff; 40]),
        post(MIDTRANS).body("application/json", body.clone()),
        post(MIDTRANS).json(&json!({"order_id": order, "status_code": "200"})),
        post("/v1/webhooks/payments/simulated").body("application/json", body.clone()),
    ];
    for call in &forged {
        // A token of ours proves nothing here.
        for call in [call.clone(), call.clone().by(&world.admin)] {
            world.send(call).await.problem(401, "webhook_signature_invalid");
        }
    }
    assert_eq!(jobs(&world).await, 0);
    assert_eq!(counted(&world, "stripe", "forged").await, 16);
}

#[tokio::test]
async fn what_is_no_message_is_refused() {
    let world = world().await;
    for body in ["", "{}", "[", r#"{"type":7}"#] {
        world
            .send(signed("whsec_new", 0, body))
            .await
            .problem(400, "malformed_body");
    }
    let large = " ".repeat(64 * 1_024 + 1);
    world
        .send(signed("whsec_new", 0, &large))
        .await
        .problem(413, "body_too_large");
    let most = format!("{}{}", event("x", "y"), " ".repeat(60 * 1_024));
    assert_eq!(
        world.send(signed("whsec_new", 0, &most)).await.status,
        200,
        "more than a client may send"
    );
    world
        .send(post("/v1/webhooks/payments/paypal"))
        .await
        .problem(404, "not_found");
    world.send(get(STRIPE)).await.problem(405, "method_not_allowed");
}

#[tokio::test]
async fn a_provider_without_a_key_is_not_there() {
    let world = World::start().await;
    for path in [STRIPE, MIDTRANS] {
        world
            .send(post(path).json(&json!({})))
            .await
            .problem(404, "not_found");
    }
}

#[tokio::test]
async fn what_cannot_be_kept_is_to_be_sent_again() {
    let world = world().await;
    let order = order(&world).await;
    let call = signed("whsec_new", 0, &event("payment_intent.succeeded", &order));
    world.database.alter("ALTER TABLE jobs RENAME TO jobs_away").await;
    world
        .send(call.clone())
        .await
        .problem_with_retry(503, "unavailable");
    assert_eq!(counted(&world, "stripe", "failed").await, 1);
    world.database.alter("ALTER TABLE jobs_away RENAME TO jobs").await;
    assert_eq!(world.send(call).await.status, 200);
}
