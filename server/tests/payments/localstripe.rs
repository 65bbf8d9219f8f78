//! localstripe as a child.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Call, Reply, free_address, get, post, until};

/// Any will do for localstripe.
pub(crate) const SECRET_KEY: &str = "sk_test_12345";

/// A Stripe of one's own; gone with this.
pub(crate) struct LocalStripe {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl LocalStripe {
    pub(crate) async fn start() -> Self {
        let python = std::env::var("ONSALE_TEST_PYTHON")
            .expect("ONSALE_TEST_PYTHON: run with `cargo xtask pg -- …` or `cargo xtask test`");
        let address = free_address();
        let child = Command::new(python)
            .args([
                "-m",
                "localstripe",
                "--from-scratch",
                "--port",
                &address.port().to_string(),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("localstripe");
        let stripe = Self { child, address };
        until("localstripe listens", Duration::from_secs(30), async || {
            let page = with_key(get("/v1/payment_intents?limit=1"));
            page.try_send(address)
                .await
                .is_ok_and(|reply| reply.status == 200)
        })
        .await;
        stripe
    }

    pub(crate) async fn send(&self, call: Call) -> Reply {
        with_key(call).send(self.address).await
    }

    /// A means of payment with this card number, as a buyer's browser would make it.
    pub(crate) async fn payment_method(&self, number: &str) -> String {
        let card = json!({"number": number, "exp_month": 12, "exp_year": 2035, "cvc": "123"});
        let call = post("/v1/payment_methods").json(&json!({"type": "card", "card": card}));
        self.send(call).await.expect(200)["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The intent, as Stripe itself shows it.
    pub(crate) async fn intent(&self, id: &str) -> Value {
        self.send(get(format!("/v1/payment_intents/{id}")))
            .await
            .expect(200)
    }

    pub(crate) async fn intents(&self) -> Vec<Value> {
        let page = self.send(get("/v1/payment_intents?limit=100")).await.expect(200);
        page["data"].as_array().unwrap().clone()
    }

    /// What the buyer does in the dialogue of 3-D Secure.
    pub(crate) async fn authenticate(&self, id: &str, client_secret: &str, success: bool) {
        let body = json!({"client_secret": client_secret, "success": success});
        let call = post(format!("/v1/payment_intents/{id}/_authenticate")).json(&body);
        let status = self.send(call).await.status;
        assert!(status == 200 || (status == 402 && success), "{status}");
    }

    /// Has its webhooks delivered, signed with this secret.
    pub(crate) async fn deliver_webhooks(&self, url: &str, secret: &str) {
        let call = post("/_config/webhooks/onsale").json(&json!({"url": url, "secret": secret}));
        assert_eq!(self.send(call).await.status, 200);
    }
}

fn with_key(call: Call) -> Call {
    call.header("authorization", format!("Bearer {SECRET_KEY}"))
}

impl Drop for LocalStripe {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
