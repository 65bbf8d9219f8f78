//! What traces never hold.

use serde_json::json;

use crate::collector::Collector;
use crate::support::{Caller, EventPlan, Journal, get, post};
use crate::traced_world;

#[tokio::test]
async fn no_trace_holds_a_secret_a_mail_address_or_a_ticket_code() {
    let collector = Collector::start().await;
    let mut world = traced_world(&collector, Journal::Local, &[]).await;
    let somebody = json!({
        "email": "canary-ada@test.example",
        "password": "CanaryHarbourAtDusk17",
        "name": "Canary Lovelace",
    });
    let session = world
        .send(post("/v1/auth/register").json(&somebody))
        .await
        .expect(201);
    let wrong = json!({"email": "canary-ada@test.example", "password": "CanaryWrongOne23"});
    world
        .send(post("/v1/auth/login").json(&wrong))
        .await
        .problem(401, "invalid_credentials");
    let event = world.event(&EventPlan::of(10)).await;
    let buyer = Caller::buyer();
    let call = event.purchase(2, "sim_approve").by(&buyer).key("canary-key");
    let order = world
        .send(call.header("cookie", "canary-cookie"))
        .await
        .expect(201);
    let refused = event
        .purchase(1, "canary-4111111111111111")
        .by(&buyer)
        .key("canary-key-2");
    assert!(world.send(refused).await.status >= 400);
    let queried = get("/v1/events?q=canary-query").header("user-agent", "canary-agent");
    world.send(queried).await.expect(200);
    world.send(get("/canary-path")).await.problem(404, "not_found");
    let stranger = get("/v1/orders").header("authorization", "Bearer canary-token");
    world.send(stranger).await.problem(401, "unauthenticated");
    world.server.stop().await;

    let told = collector.raw();
    assert!(collector.spans().len() > 30, "{} spans", collector.spans().len());
    let lower = told.to_lowercase();
    assert!(!lower.contains("canary"), "{told}");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut secrets = vec![
        text(&session["access_token"]),
        text(&session["refresh_token"]),
        buyer.token.clone(),
    ];
    secrets.extend(
        order["tickets"]
            .as_array()
            .unwrap()
            .iter()
            .map(|ticket| text(&ticket["code"])),
    );
    for secret in secrets {
        assert!(secret.len() >= 8, "`{secret}` is no secret");
        for part in secret.split('.').filter(|part| part.len() >= 8) {
            assert!(!told.contains(part), "{part} is in a trace");
        }
    }
}
