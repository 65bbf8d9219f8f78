use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::*;

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const NOW: UnixMillis = UnixMillis(1_795_000_000_000);

fn verifier() -> TokenVerifier {
    TokenVerifier::new(SECRET, "https://issuer.test", "onsale").unwrap()
}

fn grant() -> Grant {
    Grant {
        subject: Uuid::from_u128(1),
        roles: vec![Role::Buyer],
        organization_id: None,
        not_before: NOW,
        expires_at: NOW.plus_ms(900_000),
    }
}

fn claims() -> Value {
    json!({
        "iss": "https://issuer.test", "aud": "onsale", "sub": Uuid::from_u128(1),
        "exp": NOW.0 / 1_000 + 900, "nbf": NOW.0 / 1_000, "roles": ["buyer"],
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn header(alg: Algorithm) -> Header {
    let mut header = Header::new(alg);
    header.typ = Some(TYPE.to_owned());
    header
}

fn sign(header: &Header, claims: &Value, secret: &[u8]) -> String {
    jsonwebtoken::encode(header, claims, &EncodingKey::from_secret(secret)).unwrap()
}

fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .chain(&[0; 2])
            .take(3)
            .fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte));
        for index in 0..=chunk.len() {
            let position = (group >> (18 - 6 * index)) & 63;
            text.push(char::from(ALPHABET[usize::try_from(position).unwrap()]));
        }
    }
    text
}

/// Tokens that somebody without the secret, or with a token for something else, may come with.
pub(crate) fn attacks() -> Vec<(&'static str, String)> {
    let good = header(Algorithm::HS256);
    let genuine = sign(&good, &claims(), SECRET);
    let parts: Vec<&str> = genuine.split('.').collect();
    let none = base64url(br#"{"alg":"none","typ":"at+jwt"}"#);
    let rs256 = base64url(br#"{"alg":"RS256","typ":"at+jwt"}"#);
    let admin = base64url(with("roles", json!(["admin"])).to_string().as_bytes());
    let mut jku = good.clone();
    jku.jku = Some("https://attacker.test/keys".to_owned());
    let mut plain_type = good.clone();
    plain_type.typ = Some("JWT".to_owned());
    let mut no_type = good.clone();
    no_type.typ = None;
    let past = NOW.0 / 1_000 - 1;
    let future = NOW.0 / 1_000 + 3_600;
    vec![
        ("empty", String::new()),
        ("not a token", "abc".to_owned()),
        ("alg none, no signature", format!("{none}.{}.", parts[1])),
        (
            "alg none, old signature",
            format!("{none}.{}.{}", parts[1], parts[2]),
        ),
        (
            "alg swapped in the header",
            format!("{rs256}.{}.{}", parts[1], parts[2]),
        ),
        ("HS384", sign(&header(Algorithm::HS384), &claims(), SECRET)),
        ("HS512", sign(&header(Algorithm::HS512), &claims(), SECRET)),
        (
            "another secret",
            sign(&good, &claims(), b"another-secret-another-secret-xx"),
        ),
        (
            "jku with another secret",
            sign(&jku, &claims(), b"another-secret-another-secret-xx"),
        ),
        ("claims tampered", format!("{}.{admin}.{}", parts[0], parts[2])),
        ("signature cut", genuine[..genuine.len() - 4].to_owned()),
        ("signature missing", format!("{}.{}.", parts[0], parts[1])),
        ("other type", sign(&plain_type, &claims(), SECRET)),
        ("no type", sign(&no_type, &claims(), SECRET)),
        (
            "wrong issuer",
            sign(&good, &with("iss", json!("https://other.test")), SECRET),
        ),
        (
            "wrong audience",
            sign(&good, &with("aud", json!("other")), SECRET),
        ),
        ("expired", sign(&good, &with("exp", json!(past)), SECRET)),
        ("not yet valid", sign(&good, &with("nbf", json!(future)), SECRET)),
        (
            "subject is no uuid",
            sign(&good, &with("sub", json!("root")), SECRET),
        ),
        ("no issuer", sign(&good, &without("iss"), SECRET)),
        ("no audience", sign(&good, &without("aud"), SECRET)),
        ("no expiry", sign(&good, &without("exp"), SECRET)),
        ("no start", sign(&good, &without("nbf"), SECRET)),
        ("no subject", sign(&good, &without("sub"), SECRET)),
        ("no roles", sign(&good, &without("roles"), SECRET)),
        ("too long", format!("{genuine}{}", "A".repeat(TOKEN_BYTES_MAX))),
    ]
}

#[test]
fn attacks_are_refused() {
    let verifier = verifier();
    for (name, token) in attacks() {
        assert_eq!(verifier.verify(&token, NOW), None, "{name}");
        assert_eq!(verifier.verify(&token, NOW), None, "{name}, again");
    }
}

#[test]
fn minted_tokens_are_accepted_until_they_expire() {
    let verifier = verifier();
    let token = verifier.mint(&grant()).unwrap();
    let identity = verifier.verify(&token, NOW).unwrap();
    assert_eq!(identity.subject, Uuid::from_u128(1));
    assert!(identity.has(Role::Buyer) && !identity.has(Role::Admin));
    // The remembered token, too, is valid only within its time.
    assert!(verifier.verify(&token, NOW.plus_ms(899_999)).is_some());
    assert!(verifier.verify(&token, NOW.plus_ms(900_000)).is_none());
    assert!(verifier.verify(&token, NOW.plus_ms(-60_000)).is_none());
}

#[test]
fn a_list_of_audiences_is_accepted_when_ours_is_in_it() {
    let token = sign(
        &header(Algorithm::HS256),
        &with("aud", json!(["other", "onsale"])),
        SECRET,
    );
    assert!(verifier().verify(&token, NOW).is_some());
}

#[test]
fn short_secrets_are_refused() {
    assert!(TokenVerifier::new(b"short", "i", "a").is_err());
}
