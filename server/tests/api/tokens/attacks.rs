//! The attack table: what looks like a token and is none.

use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use uuid::Uuid;

use super::forge::{Forge, decoded, encoded, header, key_line, key_of, now, signed, unsigned};

/// A name and what is sent as a token.
type Attack = (String, String);

/// All of them, made of tokens that would be good otherwise.
pub(super) fn attacks(forge: &Forge) -> Vec<Attack> {
    [
        without_signature(forge),
        public_secrets(forge),
        swapped_algorithms(forge),
        keys_of_their_own(forge),
        key_ids(forge),
        other_types(forge),
        wrong_claims(forge),
        missing_claims(forge),
        tampered(forge),
        broken(forge),
    ]
    .concat()
}

fn without_signature(forge: &Forge) -> Vec<Attack> {
    let good = forge.eddsa();
    let signature = good.rsplit('.').next().unwrap();
    let mut attacks = vec![];
    for algorithm in ["none", "None", "NONE", "nOnE", ""] {
        for key_id in ["ed", "hs"] {
            let message = unsigned(&header(algorithm, key_id), &forge.claims());
            attacks.push((format!("alg {algorithm:?} under {key_id}"), format!("{message}.")));
            attacks.push((
                format!("alg {algorithm:?} under {key_id}, signed"),
                format!("{message}.{signature}"),
            ));
        }
    }
    let no_key = unsigned(&json!({"typ": "at+jwt", "alg": "none"}), &forge.claims());
    attacks.push(("alg none without key".to_owned(), format!("{no_key}.")));
    attacks
}

/// A secret that is none, because everybody has it.
fn public_secrets(forge: &Forge) -> Vec<Attack> {
    let claims = forge.claims();
    let x = forge.public_key["x"].as_str().unwrap();
    let public = decoded(x);
    // What the public key looks like in a certificate (RFC 8410).
    let der = [
        &[
            0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
        ],
        public.as_slice(),
    ]
    .concat();
    let mut attacks = vec![];
    for (name, secret) in [
        ("the public key", public.clone()),
        ("the public key's text", x.as_bytes().to_vec()),
        ("the public key's JWK", forge.public_key.to_string().into_bytes()),
        ("the public key's DER", der),
        ("nothing", vec![]),
    ] {
        for (text, algorithm) in [
            ("HS256", Algorithm::HS256),
            ("HS384", Algorithm::HS384),
            ("HS512", Algorithm::HS512),
        ] {
            for key_id in ["ed", "hs"] {
                let token = signed(
                    &header(text, key_id),
                    &claims,
                    algorithm,
                    &EncodingKey::from_secret(&secret),
                );
                attacks.push((format!("{text} with {name} under {key_id}"), token));
            }
        }
    }
    attacks
}

fn swapped_algorithms(forge: &Forge) -> Vec<Attack> {
    let claims = forge.claims();
    [
        (
            "EdDSA under the HS256 key",
            forge.sign_eddsa(&header("EdDSA", "hs"), &claims),
        ),
        (
            "EdDSA that says HS256",
            forge.sign_eddsa(&header("HS256", "ed"), &claims),
        ),
        (
            "HS256 under the EdDSA key",
            forge.sign_hs256(&header("HS256", "ed"), &claims),
        ),
        (
            "HS256 that says EdDSA",
            forge.sign_hs256(&header("EdDSA", "hs"), &claims),
        ),
        (
            "HS384 under the HS256 key",
            forge.sign_hmac(&header("HS384", "hs"), &claims, Algorithm::HS384),
        ),
        (
            "HS512 under the HS256 key",
            forge.sign_hmac(&header("HS512", "hs"), &claims, Algorithm::HS512),
        ),
        (
            "an algorithm that nobody knows",
            forge.sign_hs256(&header("HS257", "hs"), &claims),
        ),
        (
            "an algorithm in lower case",
            forge.sign_hs256(&header("hs256", "hs"), &claims),
        ),
    ]
    .map(|(name, token)| (name.to_owned(), token))
    .into()
}

/// The header says where to find the key that it is signed with.
fn keys_of_their_own(forge: &Forge) -> Vec<Attack> {
    let line = key_line("theirs", "eddsa");
    let pkcs8 = decoded(key_of(&line));
    let key = EncodingKey::from_ed_der(&pkcs8);
    // The public half stands at the end of what `token-key` prints.
    let x = encoded(&pkcs8[pkcs8.len() - 32..]);
    let theirs = json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "ed", "x": x});
    let mut attacks = vec![];
    for key_id in ["ed", "hs", "theirs"] {
        for (name, value) in [
            ("nothing", Value::Null),
            ("jwk", theirs.clone()),
            ("jku", json!("https://attacker.test/jwks.json")),
            ("x5u", json!("https://attacker.test/key.pem")),
            ("x5c", json!([encoded(&pkcs8)])),
            ("x5t", json!("0000")),
        ] {
            let mut header = header("EdDSA", key_id);
            if !value.is_null() {
                header[name] = value;
            }
            let token = signed(&header, &forge.claims(), Algorithm::EdDSA, &key);
            attacks.push((format!("a key of their own under {key_id}, with {name}"), token));
        }
    }
    attacks
}

fn key_ids(forge: &Forge) -> Vec<Attack> {
    let mut attacks = vec![];
    for key_id in [
        json!("unknown"),
        json!(""),
        json!("ED"),
        json!("ed "),
        json!("ed\u{0}"),
        json!("../../../../dev/null"),
        json!("ed' OR '1'='1"),
        json!(0),
        json!(["ed"]),
        json!({"ed": "ed"}),
        Value::Null,
    ] {
        let mut header = header("EdDSA", "ed");
        header["kid"] = key_id.clone();
        attacks.push((
            format!("key id {key_id}"),
            forge.sign_eddsa(&header, &forge.claims()),
        ));
    }
    let missing = json!({"typ": "at+jwt", "alg": "EdDSA"});
    attacks.push((
        "no key id".to_owned(),
        forge.sign_eddsa(&missing, &forge.claims()),
    ));
    attacks
}

fn other_types(forge: &Forge) -> Vec<Attack> {
    let mut attacks = vec![];
    for (name, value) in [
        ("typ", json!("JWT")),
        ("typ", json!("rt+jwt")),
        ("typ", json!("at+jwt2")),
        ("typ", json!("")),
        ("typ", Value::Null),
        ("crit", json!(["exp"])),
        ("crit", json!(["b64"])),
        ("crit", json!([])),
    ] {
        let mut header = header("EdDSA", "ed");
        header[name] = value.clone();
        attacks.push((
            format!("{name} {value}"),
            forge.sign_eddsa(&header, &forge.claims()),
        ));
    }
    let encrypted = json!({"alg": "dir", "enc": "A256GCM", "kid": "ed", "typ": "at+jwt"});
    let token = forge.sign_eddsa(&encrypted, &forge.claims());
    attacks.push(("an encrypted token".to_owned(), token));
    attacks
}

fn wrong_claims(forge: &Forge) -> Vec<Attack> {
    let now = now();
    let mut attacks = vec![];
    for (name, value) in [
        ("iss", json!("https://attacker.test")),
        ("iss", json!("Onsale")),
        ("iss", json!(["onsale"])),
        ("aud", json!("other-api")),
        ("aud", json!("onsale")),
        ("aud", json!([])),
        ("aud", json!({"onsale-api": true})),
        ("exp", json!(now - 1)),
        ("exp", json!(0)),
        ("exp", json!(-1)),
        ("exp", json!(now + 3_600)),
        ("exp", json!(i64::MAX)),
        ("exp", json!(1e300)),
        ("exp", json!((now + 600).to_string())),
        ("nbf", json!(now + 60)),
        ("nbf", json!("0")),
        ("iat", json!(now + 60)),
        ("iat", json!(now - 3_600)),
        ("iat", json!(i64::MIN)),
        ("sub", json!("admin")),
        ("sub", json!("")),
        ("sub", json!(1)),
        ("jti", json!("once")),
        ("sid", json!("")),
        ("gen", json!(-1)),
        ("gen", json!("0")),
        ("roles", json!("admin")),
        ("roles", json!({"admin": true})),
        ("roles", json!(["x".repeat(3_000)])),
    ] {
        let claims = forge.claims_with(name, value.clone());
        let mut told = format!("{name} {value}");
        told.truncate(80);
        attacks.push((
            format!("EdDSA, {told}"),
            forge.sign_eddsa(&header("EdDSA", "ed"), &claims),
        ));
        attacks.push((
            format!("HS256, {told}"),
            forge.sign_hs256(&header("HS256", "hs"), &claims),
        ));
    }
    attacks
}

fn missing_claims(forge: &Forge) -> Vec<Attack> {
    [
        "iss", "aud", "sub", "exp", "nbf", "iat", "jti", "sid", "gen", "roles",
    ]
    .map(|name| {
        let claims = forge.claims_with(name, Value::Null);
        (
            format!("without {name}"),
            forge.sign_eddsa(&header("EdDSA", "ed"), &claims),
        )
    })
    .into()
}

/// Something else under the signature of a good token.
fn tampered(forge: &Forge) -> Vec<Attack> {
    let mut attacks = vec![];
    for (key_id, good) in [("ed", forge.eddsa()), ("hs", forge.hs256())] {
        let [head, claims, signature]: [&str; 3] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
        let said: Value = serde_json::from_slice(&decoded(claims)).unwrap();
        for (name, value) in [
            ("sub", json!(Uuid::now_v7())),
            ("exp", json!(now() + 700)),
            ("gen", json!(1)),
            ("roles", json!(["buyer", "admin"])),
            ("sid", json!(Uuid::now_v7())),
        ] {
            let mut said = said.clone();
            said[name] = value;
            let token = format!("{head}.{}.{signature}", encoded(said.to_string()));
            attacks.push((format!("{name} tampered under {key_id}"), token));
        }
        let mut said: Value = serde_json::from_slice(&decoded(head)).unwrap();
        said["cty"] = json!("JWT");
        let token = format!("{}.{claims}.{signature}", encoded(said.to_string()));
        attacks.push((format!("a header tampered under {key_id}"), token));
        let mut bytes = decoded(signature);
        bytes[0] ^= 1;
        attacks.push((
            format!("a flipped bit under {key_id}"),
            format!("{head}.{claims}.{}", encoded(&bytes)),
        ));
        let zeros = encoded(vec![0; bytes.len()]);
        attacks.push((
            format!("a signature of zeros under {key_id}"),
            format!("{head}.{claims}.{zeros}"),
        ));
    }
    attacks
}

/// No three parts of base64url.
fn broken(forge: &Forge) -> Vec<Attack> {
    let good = forge.eddsa();
    let message = good.rsplit_once('.').unwrap().0;
    let other = forge.hs256();
    let other_signature = other.rsplit('.').next().unwrap();
    [
        ("a cut signature", good[..good.len() - 1].to_owned()),
        ("half a signature", good[..good.len() - 43].to_owned()),
        ("an empty signature", format!("{message}.")),
        ("no signature", message.to_owned()),
        (
            "another token's signature",
            format!("{message}.{other_signature}"),
        ),
        ("a longer signature", format!("{good}A")),
        ("a padded signature", format!("{good}==")),
        ("a fourth part", format!("{good}.e30")),
        ("an empty fourth part", format!("{good}.")),
        ("a part before", format!("e30.{good}")),
        ("a part that is empty", format!(".{good}")),
        (
            "other base64",
            good.replace('-', "+").replace('_', "/").replacen('e', "/", 1),
        ),
        ("one letter", "e".to_owned()),
        ("dots", "..".to_owned()),
        ("no JSON", format!("{0}.{0}.{0}", encoded("[]"))),
        ("a heap of letters", "e".repeat(4_000)),
        ("its own two times", format!("{good}{good}")),
        ("last bits that are not used", other_last_bits(&good)),
    ]
    .map(|(name, token)| (name.to_owned(), token))
    .into()
}

/// The same signature for whoever ignores the four bits that the last letter of 64 bytes has too many.
fn other_last_bits(token: &str) -> String {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (rest, last) = token.split_at(token.len() - 1);
    let position = LETTERS.find(last).unwrap();
    format!("{rest}{}", &LETTERS[position + 1..position + 2])
}
