//! Midtrans's notifications: JSON that holds its own signature, SHA-512 over
//! `order_id + status_code + gross_amount + server key`.
//!
//! The scheme has no time in it, so an old notification can be sent again by whoever saw it. That changes nothing: a
//! notification only has the transaction's status asked for, and the status is what counts.

use std::fmt::Write as _;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Context, SHA512};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::payments::{Notice, WebhookError, WebhookRequest};

#[derive(Deserialize)]
struct Notification {
    order_id: String,
    status_code: String,
    gross_amount: String,
    signature_key: String,
    #[serde(default)]
    transaction_status: String,
}

/// A message without the four fields has no signature either.
pub(super) fn read(request: WebhookRequest<'_>, server_key: &SecretString) -> Result<Notice, WebhookError> {
    let told: Notification = serde_json::from_slice(request.body).map_err(|_| WebhookError::Forged)?;
    let expected = signature([
        &told.order_id,
        &told.status_code,
        &told.gross_amount,
        server_key.expose_secret(),
    ]);
    verify_slices_are_equal(expected.as_bytes(), told.signature_key.as_bytes())
        .map_err(|_| WebhookError::Forged)?;
    Ok(Notice {
        purchase: told.order_id.parse().ok(),
        outcome: told.transaction_status,
    })
}

fn signature(parts: [&str; 4]) -> String {
    let mut context = Context::new(&SHA512);
    for part in parts {
        context.update(part.as_bytes());
    }
    context
        .finish()
        .as_ref()
        .iter()
        .fold(String::new(), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

#[cfg(test)]
mod tests {
    use onsale_domain::{OrderId, Purchase, UnixMillis};
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    const ORDER: &str = "order_00000000000000000000000000000007";

    fn told(body: &[u8]) -> Result<Notice, WebhookError> {
        let request = WebhookRequest {
            header: &|_| None,
            body,
            now: UnixMillis(0),
        };
        read(request, &"Mid-server-x".into())
    }

    fn notification(order_id: &str) -> Value {
        let signature_key = signature([order_id, "200", "10000.00", "Mid-server-x"]);
        json!({
            "order_id": order_id, "status_code": "200", "gross_amount": "10000.00", "signature_key": signature_key,
            "transaction_status": "settlement", "transaction_time": "2026-11-21 10:00:00",
        })
    }

    #[test]
    fn the_signature_is_the_documented_one() {
        // `printf %s "a200b" | sha512sum` of order `a`, code `200`, amount ``, key `b`.
        let expected = concat!(
            "7581ccfc8f52c846c72189f09d2c4b232a98b71a042df278afb3b7f2da0d30e0",
            "656abb212ea3a277973f1001b8d0f6949b8eb50e59e5bdfe52bc4f293b8735b5"
        );
        assert_eq!(signature(["a", "200", "", "b"]), expected);
    }

    #[test]
    fn a_signed_notification_names_its_purchase() {
        let notice = told(notification(ORDER).to_string().as_bytes()).unwrap();
        assert_eq!(
            notice.purchase,
            Some(Purchase::Order(OrderId(Uuid::from_u128(7))))
        );
        assert_eq!(notice.outcome, "settlement");
        let other = told(notification("C17550").to_string().as_bytes()).unwrap();
        assert_eq!(other.purchase, None, "somebody else's order");
    }

    #[test]
    fn nobody_without_the_key_is_believed() {
        for (field, value) in [
            ("order_id", json!("order_00000000000000000000000000000008")),
            ("status_code", json!("201")),
            ("status_code", json!(200)),
            ("gross_amount", json!("1.00")),
            ("signature_key", json!("")),
            ("signature_key", json!(signature([ORDER, "200", "10000.00", ""]))),
            (
                "signature_key",
                json!(signature([ORDER, "200", "10000.00", "Mid-server-x"]).to_uppercase()),
            ),
            ("signature_key", Value::Null),
        ] {
            let mut body = notification(ORDER);
            body[field] = value;
            assert_eq!(
                told(body.to_string().as_bytes()),
                Err(WebhookError::Forged),
                "{body}"
            );
        }
        for body in ["", "{}", "[]", "order_id=1"] {
            assert_eq!(told(body.as_bytes()), Err(WebhookError::Forged), "{body}");
        }
    }
}
