//! Stands before localstripe and adds what Stripe has and localstripe does not:
//!
//! - idempotency keys: the same answer again, `Idempotent-Replayed`, and a refusal where the parameters differ
//! - a payment method in `confirm`, which is set on the intent first
//! - the search for intents by metadata
//! - `amount_capturable` and `amount_received` of intents

use std::collections::HashMap;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;

use hyper::Method;
use hyper::body::Bytes;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::peer::{Answered, Asked, Peer};
use crate::support::{Call, get, post};

const FORM: &str = "application/x-www-form-urlencoded";

/// What was asked under a key, and what was answered.
type Keys = HashMap<String, (String, Bytes, Answered)>;

/// localstripe as Stripe.
pub(crate) struct Front {
    peer: Peer,
    keys: Arc<Mutex<Keys>>,
}

impl Deref for Front {
    type Target = Peer;

    fn deref(&self) -> &Peer {
        &self.peer
    }
}

impl Front {
    pub(crate) async fn of(localstripe: SocketAddr) -> Self {
        let keys: Arc<Mutex<Keys>> = Arc::default();
        let theirs = Arc::clone(&keys);
        let peer = Peer::start(move |asked| {
            let keys = Arc::clone(&theirs);
            Box::pin(async move { keyed(localstripe, &keys, asked).await })
        });
        Self {
            peer: peer.await,
            keys,
        }
    }

    /// What Stripe does after a day.
    pub(crate) async fn forget_keys(&self) {
        self.keys.lock().await.clear();
    }
}

async fn keyed(localstripe: SocketAddr, keys: &Mutex<Keys>, asked: Asked) -> Answered {
    let Some(key) = asked.key.clone() else {
        return forwarded(localstripe, asked).await;
    };
    // Held while it works: of two requests under one key the second one waits.
    let mut keys = keys.lock().await;
    if let Some((path, body, answered)) = keys.get(&key) {
        if (path, body) != (&asked.path, &asked.body) {
            return refused("idempotency_error");
        }
        let replayed = true;
        return Answered {
            replayed,
            ..answered.clone()
        };
    }
    let (path, body) = (asked.path.clone(), asked.body.clone());
    let answered = forwarded(localstripe, asked).await;
    if answered.status < 500 {
        keys.insert(key, (path, body, answered.clone()));
    }
    answered
}

async fn forwarded(localstripe: SocketAddr, mut asked: Asked) -> Answered {
    if let Some(query) = asked.path.strip_prefix("/v1/payment_intents/search?query=") {
        return searched(localstripe, query, &asked).await;
    }
    if let Some(intent) = asked.path.strip_suffix("/confirm") {
        let (methods, others): (Vec<_>, Vec<_>) = std::str::from_utf8(&asked.body)
            .unwrap()
            .split('&')
            .partition(|field| field.starts_with("payment_method="));
        if !methods.is_empty() {
            let set = post(intent).body(FORM, methods.join("&"));
            let _ = sent(localstripe, set, &asked).await;
            asked.body = others.join("&").into();
        }
    }
    let call = match asked.method {
        Method::GET => get(&asked.path),
        _ => post(&asked.path).body(FORM, asked.body.clone()),
    };
    sent(localstripe, call, &asked).await
}

/// Intents whose purchase stands in the query.
async fn searched(localstripe: SocketAddr, query: &str, asked: &Asked) -> Answered {
    let all = sent(localstripe, get("/v1/payment_intents?limit=100"), asked).await;
    let mut page: Value = serde_json::from_slice(&all.body).unwrap();
    let is_meant = |intent: &Value| query.contains(intent["metadata"]["purchase"].as_str().unwrap());
    page["data"].as_array_mut().unwrap().retain(is_meant);
    Answered {
        body: page.to_string().into(),
        ..all
    }
}

async fn sent(localstripe: SocketAddr, call: Call, asked: &Asked) -> Answered {
    let call = call.header("authorization", asked.authorization.clone());
    let reply = call.send(localstripe).await;
    let mut body = reply.json();
    complete(&mut body);
    Answered {
        status: reply.status,
        replayed: false,
        body: body.to_string().into(),
    }
}

fn complete(body: &mut Value) {
    if let Some(list) = body["data"].as_array_mut() {
        list.iter_mut().for_each(complete);
    }
    if body["object"] == "payment_intent" {
        let amount_when = |status: &str| {
            if body["status"] == status {
                body["amount"].clone()
            } else {
                json!(0)
            }
        };
        let (capturable, received) = (amount_when("requires_capture"), amount_when("succeeded"));
        body["amount_capturable"] = capturable;
        body["amount_received"] = received;
    }
}

fn refused(kind: &str) -> Answered {
    Answered {
        status: 400,
        replayed: false,
        body: json!({"error": {"type": kind}}).to_string().into(),
    }
}
