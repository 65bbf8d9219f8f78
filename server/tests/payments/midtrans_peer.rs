//! A peer that speaks Midtrans's Core API, from its public documentation. It shows that we follow that, and no more.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Method;
use serde_json::{Value, json};

use super::peer::{Answered, Asked, Peer};

pub(crate) const SERVER_KEY: &str = "Mid-server-x";

type Transactions = Arc<Mutex<HashMap<String, Value>>>;

/// Midtrans, as far as its documentation goes.
pub(crate) struct Midtrans {
    peer: Peer,
    transactions: Transactions,
}

impl Deref for Midtrans {
    type Target = Peer;

    fn deref(&self) -> &Peer {
        &self.peer
    }
}

impl Midtrans {
    pub(crate) async fn start() -> Self {
        let transactions = Transactions::default();
        let theirs = Arc::clone(&transactions);
        let peer = Peer::start(move |asked| {
            let body = answer(&mut theirs.lock().unwrap(), &asked).to_string();
            Box::pin(std::future::ready(Answered {
                status: 200,
                replayed: false,
                body: body.into(),
            }))
        });
        Self {
            peer: peer.await,
            transactions,
        }
    }

    /// What happens outside: a buyer pays, a night passes, time is up.
    pub(crate) fn becomes(&self, order_id: &str, status: &str) {
        let mut transactions = self.transactions.lock().unwrap();
        transactions.get_mut(order_id).unwrap()["transaction_status"] = json!(status);
    }

    pub(crate) fn transactions(&self) -> usize {
        self.transactions.lock().unwrap().len()
    }
}

fn code(status_code: u16) -> Value {
    json!({"status_code": status_code.to_string(), "status_message": "as documented"})
}

fn answer(transactions: &mut HashMap<String, Value>, asked: &Asked) -> Value {
    let credential = format!("Basic {}", STANDARD.encode(format!("{SERVER_KEY}:")));
    if asked.authorization != credential {
        return code(401);
    }
    let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
    let path: Vec<_> = asked.path.trim_start_matches("/v2/").split('/').collect();
    match (&asked.method, path.as_slice()) {
        (&Method::POST, ["charge"]) => charge(transactions, &body),
        (&Method::POST, ["capture"]) => capture(transactions, &body),
        (method, [order_id, action @ ..]) => match transactions.get_mut(*order_id) {
            None => code(404),
            Some(transaction) if *method == Method::GET && action == ["status"] => transaction.clone(),
            Some(transaction) => act(transaction, &action.join("/"), &body),
        },
        _ => code(405),
    }
}

fn charge(transactions: &mut HashMap<String, Value>, body: &Value) -> Value {
    let details = &body["transaction_details"];
    let order_id = details["order_id"].as_str().unwrap().to_owned();
    if transactions.contains_key(&order_id) {
        return code(406);
    }
    let mut transaction = json!({
        "status_code": "201",
        "transaction_id": format!("t-{order_id}"),
        "order_id": order_id,
        "gross_amount": format!("{}.00", details["gross_amount"]),
        "currency": "IDR",
        "payment_type": body["payment_type"],
        "transaction_status": "pending",
        "refunds": [],
    });
    match body["payment_type"].as_str().unwrap() {
        "credit_card" => {
            assert_eq!(body["credit_card"]["type"], "authorize");
            let (status_code, status, fraud) = match body["credit_card"]["token_id"].as_str().unwrap() {
                "used" => return code(411),
                "poor" => ("202", "deny", "accept"),
                "odd" => ("201", "authorize", "challenge"),
                "asks" => ("201", "pending", "accept"),
                _ => ("200", "authorize", "accept"),
            };
            transaction["status_code"] = json!(status_code);
            transaction["transaction_status"] = json!(status);
            transaction["fraud_status"] = json!(fraud);
            if status == "pending" {
                transaction["redirect_url"] = json!("https://bank.example/3ds");
            }
        }
        "bank_transfer" => {
            transaction["va_numbers"] =
                json!([{"bank": body["bank_transfer"]["bank"], "va_number": "812785002530231"}]);
        }
        _ => {
            transaction["actions"] =
                json!([{"name": "generate-qr-code", "method": "GET", "url": "https://api.example/qr"}]);
        }
    }
    transactions.insert(order_id, transaction.clone());
    transaction
}

fn capture(transactions: &mut HashMap<String, Value>, body: &Value) -> Value {
    let wanted = &body["transaction_id"];
    let Some(transaction) = transactions
        .values_mut()
        .find(|transaction| transaction["transaction_id"] == *wanted)
    else {
        return code(404);
    };
    let gross = format!("{}.00", body["gross_amount"]);
    if transaction["transaction_status"] != "authorize" || transaction["gross_amount"] != gross {
        return code(412);
    }
    transaction["transaction_status"] = json!("capture");
    transaction["status_code"] = json!("200");
    transaction.clone()
}

fn act(transaction: &mut Value, action: &str, body: &Value) -> Value {
    let status = transaction["transaction_status"].as_str().unwrap().to_owned();
    let is_card = transaction["payment_type"] == "credit_card";
    match (action, status.as_str()) {
        ("cancel", "pending" | "authorize" | "capture") => {
            transaction["transaction_status"] = json!("cancel");
            transaction["status_code"] = json!("200");
            transaction.clone()
        }
        ("refund", "settlement" | "partial_refund") if is_card => refund(transaction, body),
        ("refund/online/direct", "settlement" | "partial_refund")
            if transaction["payment_type"] == "qris" || transaction["payment_type"] == "gopay" =>
        {
            refund(transaction, body)
        }
        _ => code(412),
    }
}

fn refund(transaction: &mut Value, body: &Value) -> Value {
    let whole = |text: &Value| -> i64 {
        let text = text.as_str().unwrap_or("0.00");
        text.trim_end_matches(".00").parse().unwrap()
    };
    let (gross, refunded) = (
        whole(&transaction["gross_amount"]),
        whole(&transaction["refund_amount"]),
    );
    let amount = body["amount"].as_i64().unwrap();
    let known = transaction["refunds"].as_array().unwrap();
    if known
        .iter()
        .any(|refund| refund["refund_key"] == body["refund_key"])
        || refunded + amount > gross
    {
        return code(412);
    }
    let refund = json!({"refund_key": body["refund_key"], "refund_amount": format!("{amount}.00")});
    transaction["refunds"].as_array_mut().unwrap().push(refund);
    transaction["refund_amount"] = json!(format!("{}.00", refunded + amount));
    let status = if refunded + amount == gross {
        "refund"
    } else {
        "partial_refund"
    };
    transaction["transaction_status"] = json!(status);
    transaction["status_code"] = json!("200");
    transaction.clone()
}
