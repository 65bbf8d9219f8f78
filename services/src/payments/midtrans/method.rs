//! What a buyer pays with, as one text:
//!
//! - `card:<token_id>`: a card, by the token that Midtrans's client library made of it
//! - `bank_transfer:<bank>`: a virtual account at `bca`, `bni`, `bri`, `cimb` or `permata`
//! - `gopay`, `qris`: a code to be scanned, or an app to be opened
//!
//! Only cards are set aside first. The others take the money once the buyer acts.

use serde_json::{Value, json};

/// Minutes in which a buyer has to act. The hold lasts as long.
const EXPIRES_IN_MINUTES: u32 = 15;
const BANKS: &[&str] = &["bca", "bni", "bri", "cimb", "permata"];

/// The body of a charge. `None`: no means of payment that is known.
pub(super) fn charge(payment_method: &str, order_id: &str, rupiah: i64) -> Option<Value> {
    let (kind, detail) = payment_method.split_once(':').unwrap_or((payment_method, ""));
    let mut body = json!({
        "transaction_details": {"order_id": order_id, "gross_amount": rupiah},
        "custom_field1": order_id,
    });
    match (kind, detail) {
        ("card", token) if !token.is_empty() => {
            body["payment_type"] = json!("credit_card");
            body["credit_card"] = json!({"token_id": token, "authentication": true, "type": "authorize"});
            return Some(body);
        }
        ("bank_transfer", bank) if BANKS.contains(&bank) => {
            body["payment_type"] = json!("bank_transfer");
            body["bank_transfer"] = json!({"bank": bank});
        }
        ("gopay" | "qris", "") => body["payment_type"] = json!(kind),
        _ => return None,
    }
    body["custom_expiry"] = json!({"expiry_duration": EXPIRES_IN_MINUTES, "unit": "minute"});
    Some(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_set_aside_and_the_rest_expires() {
        let card = charge("card:48111111-1114-x", "order_1", 10_000).unwrap();
        assert_eq!(card["credit_card"]["type"], "authorize");
        assert_eq!(card["credit_card"]["token_id"], "48111111-1114-x");
        for (method, kind) in [
            ("bank_transfer:bca", "bank_transfer"),
            ("gopay", "gopay"),
            ("qris", "qris"),
        ] {
            let body = charge(method, "order_1", 10_000).unwrap();
            assert_eq!(body["payment_type"], kind);
            assert_eq!(
                body["transaction_details"],
                json!({"order_id": "order_1", "gross_amount": 10_000})
            );
            assert_eq!(body["custom_expiry"]["expiry_duration"], EXPIRES_IN_MINUTES);
        }
    }

    #[test]
    fn other_texts_are_no_means_of_payment() {
        for method in [
            "",
            "card",
            "card:",
            "bank_transfer",
            "bank_transfer:",
            "bank_transfer:xyz",
            "qris:x",
            "pm_card_visa",
        ] {
            assert_eq!(charge(method, "order_1", 10_000), None, "{method}");
        }
    }
}
