//! Stripe's webhooks: `Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>]`, HMAC-SHA256 over `<seconds>.<body>`.

use std::collections::HashMap;

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use onsale_domain::UnixMillis;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::payments::{Notice, WebhookError, WebhookRequest};

/// How far its clock and ours may be apart, with the message's way between them.
const AGE_MS_MAX: i64 = 300_000;
/// Signatures that are looked at: as many as Stripe sends while a secret is exchanged, and some.
const SIGNATURES_MAX: usize = 8;
const SHA256_BYTES: usize = 32;

/// The secrets of the endpoint: one, or two while one is exchanged for the other.
pub(super) struct Secrets(Vec<hmac::Key>);

impl Secrets {
    pub(super) fn new(secrets: &[SecretString]) -> Self {
        let key = |secret: &SecretString| hmac::Key::new(HMAC_SHA256, secret.expose_secret().as_bytes());
        Self(secrets.iter().map(key).collect())
    }

    fn signed(&self, signed: &[u8], signature: &[u8]) -> bool {
        self.0
            .iter()
            .any(|key| hmac::verify(key, signed, signature).is_ok())
    }
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Object,
}

/// Of intents, charges and refunds alike: we name the purchase on intents and refunds, and Stripe copies it to charges.
#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    object: String,
    #[serde(default)]
    metadata: Option<HashMap<String, String>>,
}

pub(super) fn read(request: WebhookRequest<'_>, secrets: &Secrets) -> Result<Notice, WebhookError> {
    let header = (request.header)("stripe-signature").ok_or(WebhookError::Forged)?;
    verify(header, request.body, request.now, secrets)?;
    let event: Event = serde_json::from_slice(request.body).map_err(|_| WebhookError::Unreadable)?;
    let object = event.data.object;
    let is_ours = matches!(object.object.as_str(), "payment_intent" | "charge" | "refund");
    let purchase = object
        .metadata
        .as_ref()
        .filter(|_| is_ours)
        .and_then(|metadata| metadata.get(super::PURCHASE)?.parse().ok());
    Ok(Notice {
        purchase,
        outcome: event.kind,
    })
}

fn verify(header: &str, body: &[u8], now: UnixMillis, secrets: &Secrets) -> Result<(), WebhookError> {
    let mut time = None;
    let mut signatures = Vec::new();
    for (name, value) in header.split(',').filter_map(|part| part.split_once('=')) {
        match name.trim() {
            // Twice is never sent; which of them was signed would be a guess.
            "t" if time.is_some() => return Err(WebhookError::Forged),
            "t" => time = Some(value),
            "v1" if signatures.len() < SIGNATURES_MAX => signatures.extend(digest(value)),
            _ => {}
        }
    }
    let time = time.ok_or(WebhookError::Forged)?;
    let seconds: i64 = time.parse().map_err(|_| WebhookError::Forged)?;
    let sent_at = UnixMillis(seconds.saturating_mul(1_000));
    if now.ms_since(sent_at).unsigned_abs() > AGE_MS_MAX.unsigned_abs() {
        return Err(WebhookError::Forged);
    }
    let signed = [time.as_bytes(), b".", body].concat();
    if signatures
        .iter()
        .any(|signature| secrets.signed(&signed, signature))
    {
        Ok(())
    } else {
        Err(WebhookError::Forged)
    }
}

/// Lower-case hex of 32 bytes.
fn digest(text: &str) -> Option<[u8; SHA256_BYTES]> {
    let text = text.trim();
    let nibble = |byte: &u8| {
        char::from(*byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let nibbles: Vec<_> = text.bytes().map(|byte| nibble(&byte)).collect::<Option<_>>()?;
    let bytes: Vec<_> = nibbles
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect();
    (text.len() == 2 * SHA256_BYTES).then(|| bytes.try_into().ok())?
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use onsale_domain::{OrderId, Purchase};
    use uuid::Uuid;

    use super::*;

    const NOW: UnixMillis = UnixMillis(1_795_000_000_400);
    const SECONDS: i64 = 1_795_000_000;
    const BODY: &str = r#"{"id":"evt_1","type":"payment_intent.succeeded","data":{"object":{"id":"pi_1","object":"payment_intent","metadata":{"purchase":"order_00000000000000000000000000000007"}}}}"#;

    fn sign(secret: &str, time: &str, body: &str) -> String {
        let key = hmac::Key::new(HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&key, format!("{time}.{body}").as_bytes());
        tag.as_ref().iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    fn told(header: Option<&str>, body: &str) -> Result<Notice, WebhookError> {
        let secrets = Secrets::new(&["whsec_old".into(), "whsec_new".into()]);
        let header = |name: &str| header.filter(|_| name == "stripe-signature");
        let request = WebhookRequest {
            header: &header,
            body: body.as_bytes(),
            now: NOW,
        };
        read(request, &secrets)
    }

    fn header(secret: &str, seconds: i64) -> String {
        let time = seconds.to_string();
        format!("t={time},v1={}", sign(secret, &time, BODY))
    }

    #[test]
    fn both_secrets_are_good_within_five_minutes() {
        for secret in ["whsec_old", "whsec_new"] {
            for seconds in [SECONDS, SECONDS - 299, SECONDS + 300] {
                let notice = told(Some(&header(secret, seconds)), BODY).unwrap();
                assert_eq!(
                    notice.purchase,
                    Some(Purchase::Order(OrderId(Uuid::from_u128(7))))
                );
                assert_eq!(notice.outcome, "payment_intent.succeeded");
            }
        }
    }

    #[test]
    fn among_several_signatures_one_is_enough() {
        let good = sign("whsec_new", "1795000000", BODY);
        let other = sign("whsec_unknown", "1795000000", BODY);
        for header in [
            format!("t=1795000000,v1={other},v1={good}"),
            format!("t=1795000000,v0={other},v1={good},v9=x"),
            format!("v1={good},t=1795000000"),
        ] {
            assert!(told(Some(&header), BODY).is_ok(), "{header}");
        }
    }

    #[test]
    fn nobody_without_the_secret_is_believed() {
        let good = sign("whsec_new", "1795000000", BODY);
        let empty = sign("", "1795000000", BODY);
        let crowd = format!("v1={},", sign("whsec_other", "1", "")).repeat(SIGNATURES_MAX);
        let late = SECONDS - 301;
        let early = SECONDS + 302;
        for header in [
            None,
            Some(String::new()),
            Some("t=1795000000".to_owned()),
            Some("t=1795000000,v1=".to_owned()),
            Some(format!("v1={good}")),
            Some(format!("t=,v1={good}")),
            Some(format!("t=1795000001,v1={good}")),
            Some(format!("t=1795000000,t=1795000000,v1={good}")),
            Some(format!("t=01795000000,v1={good}")),
            Some(format!("t=1795000000,v0={good}")),
            Some(format!("t=1795000000,v1={}", &good[..62])),
            Some(format!("t=1795000000,v1={good}00")),
            Some(format!("t=1795000000,v1={empty}")),
            Some(format!(
                "t=1795000000,v1={}",
                sign("whsec_other", "1795000000", BODY)
            )),
            Some(header("whsec_new", late)),
            Some(header("whsec_new", early)),
            Some(format!(
                "t=9223372036854775807,v1={}",
                sign("whsec_new", "9223372036854775807", BODY)
            )),
            Some(format!("t=1795000000,{crowd}v1={good}")),
        ] {
            assert_eq!(
                told(header.as_deref(), BODY),
                Err(WebhookError::Forged),
                "{header:?}"
            );
        }
        let altered = BODY.replace("succeeded", "canceled");
        assert_eq!(
            told(Some(&header("whsec_new", SECONDS)), &altered),
            Err(WebhookError::Forged)
        );
    }

    #[test]
    fn what_is_signed_and_none_of_ours_is_no_purchase() {
        for (object, metadata) in [
            ("payment_intent", "null"),
            ("payment_intent", "{}"),
            ("payment_intent", r#"{"purchase":"order_7"}"#),
            (
                "customer",
                r#"{"purchase":"order_00000000000000000000000000000007"}"#,
            ),
        ] {
            let body = format!(
                r#"{{"type":"x","data":{{"object":{{"object":"{object}","metadata":{metadata}}}}}}}"#
            );
            let signed = format!("t=1795000000,v1={}", sign("whsec_new", "1795000000", &body));
            let notice = told(Some(&signed), &body).unwrap();
            assert_eq!(notice.purchase, None, "{body}");
        }
    }

    #[test]
    fn what_is_signed_and_no_event_cannot_be_read() {
        for body in ["", "{}", "[]", r#"{"type":7}"#, "\u{0}"] {
            let signed = format!("t=1795000000,v1={}", sign("whsec_new", "1795000000", body));
            assert_eq!(
                told(Some(&signed), body),
                Err(WebhookError::Unreadable),
                "{body:?}"
            );
        }
    }

    #[test]
    fn without_a_secret_nothing_is_believed() {
        let header = header("", SECONDS);
        let of = |_: &str| Some(header.as_str());
        let request = WebhookRequest {
            header: &of,
            body: BODY.as_bytes(),
            now: NOW,
        };
        assert_eq!(read(request, &Secrets::new(&[])), Err(WebhookError::Forged));
    }
}
