//! Purchases through the whole program, paid at localstripe, whose webhooks come back to it.

use std::time::Duration;

use super::front::Front;
use super::localstripe::{LocalStripe, SECRET_KEY};
use crate::support::{Caller, EventPlan, Journal, Reply, World, get, until};

const SECRET: &str = "whsec_of_localstripe";

struct Sale {
    world: World,
    stripe: LocalStripe,
    _front: Front,
}

async fn open() -> Sale {
    let stripe = LocalStripe::start().await;
    let front = Front::of(stripe.address).await;
    let url = front.url().to_string();
    let settings = [
        ("ONSALE_PAYMENT_GATEWAY", "stripe"),
        ("ONSALE_STRIPE_SECRET_KEY", SECRET_KEY),
        ("ONSALE_STRIPE_WEBHOOK_SECRETS", SECRET),
        ("ONSALE_STRIPE_URL", &url),
    ];
    let world = World::with(Journal::Local, &settings).await;
    let here = format!("http://{}/v1/webhooks/payments/stripe", world.api());
    stripe.deliver_webhooks(&here, SECRET).await;
    Sale {
        world,
        stripe,
        _front: front,
    }
}

impl Sale {
    async fn buy(&self, event: &crate::support::Event, key: &str, payment_method: &str) -> Reply {
        let call = event.purchase(1, payment_method).by(&Caller::buyer()).key(key);
        self.world.send(call).await
    }

    async fn accepted(&self) -> bool {
        let text = get("/metrics").send(self.world.server.internal).await.raw;
        let text = String::from_utf8(text.to_vec()).unwrap();
        text.contains(r#"onsale_webhooks_total{gateway="stripe",outcome="accepted"}"#)
    }
}

#[tokio::test]
async fn a_ticket_is_sold_and_its_money_taken_and_stripe_says_so() {
    let mut sale = open().await;
    let event = sale.world.event(&EventPlan::of(10)).await;
    let order = sale.buy(&event, "a", "pm_card_visa").await.expect(201);
    assert_eq!(order["status"], "confirmed", "{order}");
    let declined = sale.buy(&event, "b", "pm_card_chargeCustomerFail").await;
    declined.problem(402, "payment_declined");
    sale.world.settled().await;
    let mut statuses: Vec<_> = sale
        .stripe
        .intents()
        .await
        .iter()
        .map(|intent| intent["status"].as_str().unwrap().to_owned())
        .collect();
    statuses.sort();
    assert_eq!(statuses, ["canceled", "succeeded"]);
    until("a webhook comes", Duration::from_secs(10), async || {
        sale.accepted().await
    })
    .await;
    let (_, _, sold) = sale.world.counts(&event).await;
    assert_eq!(sold, 1);
    sale.world.stop_and_audit().await;
}

// The doctor is waited for in one thread while the front answers in another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_asks_the_provider() {
    let mut sale = open().await;
    let checks = |sale: &Sale| {
        let output = sale.world.server.run(&["doctor", "--json"]);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let checks = report["checks"].as_array().unwrap().clone();
        checks
            .into_iter()
            .find(|check| check["name"] == "stripe")
            .unwrap()
    };
    let check = checks(&sale);
    assert_eq!(check["outcome"], "ok", "{check}");
    sale.world.server.set("ONSALE_STRIPE_SECRET_KEY", "pk_wrong");
    let check = checks(&sale);
    assert_eq!(check["outcome"], "failed", "{check}");
    assert!(!check.to_string().contains("pk_wrong"), "{check}");
}
