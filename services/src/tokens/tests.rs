use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use onsale_domain::Permission;
use serde_json::{Value, json};

use super::*;

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const NOW: UnixMillis = UnixMillis(1_795_000_000_000);

fn tokens(keys: TokenKeys) -> Tokens {
    Tokens::new(keys, "https://issuer.test", "onsale")
}

fn hs256() -> Tokens {
    tokens(TokenKeys::of_secret(SECRET).unwrap())
}

fn rights_of(role: &str) -> PermissionSet {
    match role {
        "buyer" => PermissionSet::EMPTY.with(Permission::TicketsBuy),
        "admin" => Permission::ALL.iter().copied().collect(),
        _ => PermissionSet::EMPTY,
    }
}

fn verify(tokens: &Tokens, token: &str) -> Option<Identity> {
    tokens.verify(token, NOW, rights_of)
}

fn grant() -> Grant {
    Grant {
        user_id: UserId(Uuid::from_u128(1)),
        session_id: SessionId(Uuid::from_u128(2)),
        generation: 3,
        roles: vec!["buyer".to_owned()],
        issued_at: NOW,
        expires_at: NOW.plus_ms(ACCESS_TOKEN_LIFETIME_MS),
    }
}

fn claims() -> Value {
    let now = NOW.0 / 1_000;
    json!({
        "iss": "https://issuer.test", "aud": "onsale", "sub": Uuid::from_u128(1), "jti": Uuid::from_u128(9),
        "exp": now + 900, "nbf": now, "iat": now, "sid": Uuid::from_u128(2), "gen": 3, "roles": ["buyer"],
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

fn header(tokens: &Tokens) -> Header {
    let key = tokens.keys.signing();
    let mut header = Header::new(key.algorithm);
    header.typ = Some(TYPE.to_owned());
    header.kid = Some(key.id.clone());
    header
}

fn signed(header: &Header, claims: &Value, key: &EncodingKey) -> String {
    jsonwebtoken::encode(header, claims, key).unwrap()
}

#[test]
fn claims_that_are_missing_or_wrong_are_refused() {
    let tokens = hs256();
    let key = EncodingKey::from_secret(SECRET);
    let sign = |claims: &Value| signed(&header(&tokens), claims, &key);
    assert!(
        verify(&tokens, &sign(&claims())).is_some(),
        "the table's base is good"
    );
    let now = NOW.0 / 1_000;
    for name in [
        "iss", "aud", "sub", "exp", "nbf", "iat", "jti", "sid", "gen", "roles",
    ] {
        assert_eq!(verify(&tokens, &sign(&without(name))), None, "without {name}");
    }
    for (name, value) in [
        ("iss", json!("https://other.test")),
        ("aud", json!("other")),
        ("aud", json!([])),
        ("sub", json!("root")),
        ("exp", json!(now)),
        ("exp", json!(now + 901)),
        ("exp", json!(i64::MAX)),
        ("exp", json!("tomorrow")),
        ("nbf", json!(now + 6)),
        ("iat", json!(now + 6)),
        ("iat", json!(i64::MIN)),
        ("gen", json!(-1)),
        ("roles", json!("admin")),
    ] {
        assert_eq!(
            verify(&tokens, &sign(&with(name, value.clone()))),
            None,
            "{name}: {value}"
        );
    }
    let several = sign(&with("aud", json!(["other", "onsale"])));
    assert!(verify(&tokens, &several).is_some());
}

#[test]
fn headers_choose_nothing_but_one_of_our_keys() {
    let tokens = hs256();
    let ours = EncodingKey::from_secret(SECRET);
    let theirs = EncodingKey::from_secret(b"another-secret-another-secret-xx");
    let altered = |change: &dyn Fn(&mut Header)| {
        let mut header = header(&tokens);
        change(&mut header);
        header
    };
    for (name, header, key) in [
        ("another secret", altered(&|_| {}), &theirs),
        ("no key id", altered(&|header| header.kid = None), &ours),
        (
            "an unknown key id",
            altered(&|header| header.kid = Some("x".to_owned())),
            &ours,
        ),
        ("HS384", altered(&|header| header.alg = Algorithm::HS384), &ours),
        ("HS512", altered(&|header| header.alg = Algorithm::HS512), &ours),
        (
            "another type",
            altered(&|header| header.typ = Some("JWT".to_owned())),
            &ours,
        ),
        ("no type", altered(&|header| header.typ = None), &ours),
        (
            "an extension that must be understood",
            altered(&|header| header.crit = Some(vec!["b64".to_owned()])),
            &ours,
        ),
        (
            "keys of their own",
            altered(&|header| header.jku = Some("https://attacker.test/keys".to_owned())),
            &theirs,
        ),
    ] {
        assert_eq!(verify(&tokens, &signed(&header, &claims(), key)), None, "{name}");
    }
}

#[test]
fn a_public_key_is_no_secret() {
    let line = TokenKeys::generate("ed", TokenAlgorithm::EdDsa).unwrap();
    let tokens = tokens(TokenKeys::parse(&line).unwrap());
    let x = tokens.public_keys()["keys"][0]["x"].as_str().unwrap().to_owned();
    let public = URL_SAFE_NO_PAD.decode(x).unwrap();
    let mut confused = header(&tokens);
    confused.alg = Algorithm::HS256;
    let forged = signed(&confused, &claims(), &EncodingKey::from_secret(&public));
    assert_eq!(verify(&tokens, &forged), None);
    assert!(verify(&tokens, &tokens.mint(&grant()).unwrap()).is_some());
}

#[test]
fn tokens_are_accepted_while_they_live_remembered_or_not() {
    let tokens = hs256();
    let token = tokens.mint(&grant()).unwrap();
    let identity = verify(&tokens, &token).unwrap();
    assert_eq!(identity.user_id, UserId(Uuid::from_u128(1)));
    assert_eq!(identity.session_id, SessionId(Uuid::from_u128(2)));
    assert_eq!(identity.generation, 3);
    assert!(identity.rights.has(Permission::TicketsBuy) && !identity.rights.has(Permission::EventsRead));
    for (after_ms, valid) in [(899_999, true), (900_000, false), (-60_000, false)] {
        let identity = tokens.verify(&token, NOW.plus_ms(after_ms), rights_of);
        assert_eq!(identity.is_some(), valid, "{after_ms} ms later");
    }
}

#[test]
fn what_roles_allow_is_asked_again_once_it_is_forgotten() {
    let tokens = hs256();
    let token = tokens.mint(&grant()).unwrap();
    assert!(
        verify(&tokens, &token)
            .unwrap()
            .rights
            .has(Permission::TicketsBuy)
    );
    tokens.forget_verified();
    let identity = tokens.verify(&token, NOW, |_| PermissionSet::EMPTY).unwrap();
    assert!(identity.rights.is_empty());
}

#[test]
fn keys_rotate_without_refusing_anybody() {
    let line = |id, algorithm| TokenKeys::generate(id, algorithm).unwrap();
    let (old, new) = (
        line("old", TokenAlgorithm::Hs256),
        line("new", TokenAlgorithm::EdDsa),
    );
    let of = |lines: &[&str]| tokens(TokenKeys::parse(&lines.join("\n")).unwrap());
    let stages = [of(&[&old]), of(&[&old, &new]), of(&[&new, &old]), of(&[&new])];
    for (position, stage) in stages.iter().enumerate() {
        let token = stage.mint(&grant()).unwrap();
        for (other, verifier) in stages.iter().enumerate() {
            // Only the ends of the rotation do not know each other's key.
            let known = !(position <= 1 && other == 3 || position >= 2 && other == 0);
            assert_eq!(
                verify(verifier, &token).is_some(),
                known,
                "made in {position}, read in {other}"
            );
        }
    }
    assert_eq!(stages[1].public_keys()["keys"].as_array().unwrap().len(), 1);
    assert_eq!(stages[0].public_keys(), json!({"keys": []}));
}

/// As docs/OPERATING.md has several processes leave `token_secret`: none of them is to refuse what another signs.
#[test]
fn a_secret_that_is_made_a_line_is_the_same_key() {
    let token = hs256().mint(&grant()).unwrap();
    let id = jsonwebtoken::decode_header(&token).unwrap().kid.unwrap();
    let line = format!("{id} HS256 {}", URL_SAFE_NO_PAD.encode(SECRET));
    let new = TokenKeys::generate("new", TokenAlgorithm::EdDsa).unwrap();
    let lines = tokens(TokenKeys::parse(&format!("{line}\n{new}")).unwrap());
    assert!(verify(&lines, &token).is_some());
    assert!(verify(&hs256(), &lines.mint(&grant()).unwrap()).is_some());
}

#[test]
fn bad_keys_are_refused_without_being_told() {
    assert!(TokenKeys::of_secret(b"short").is_err());
    let good = TokenKeys::generate("a", TokenAlgorithm::Hs256).unwrap();
    let secret = good.rsplit(' ').next().unwrap();
    for text in [
        String::new(),
        "# a comment".to_owned(),
        "a HS256".to_owned(),
        format!("a RS256 {secret}"),
        format!("a EdDSA {secret}"),
        "a HS256 c2hvcnQ".to_owned(),
        format!("a HS256 {secret}!"),
        format!("a/b HS256 {secret}"),
        format!("{good}\n{good}"),
    ] {
        let refusal = TokenKeys::parse(&text).map(|_| ()).unwrap_err().to_string();
        assert!(!refusal.contains(secret), "{refusal}");
    }
}
