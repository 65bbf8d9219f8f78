//! A server with keys that the test knows, and tokens of any shape.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Journal, World, get, onsale_binary};

/// The keys of a server, and somebody who may do everything there.
pub(super) struct Forge {
    ed_line: String,
    hs_line: String,
    /// The Ed25519 key, as anybody can read it.
    pub(super) public_key: Value,
    account: Uuid,
    session: Uuid,
}

impl Forge {
    /// A server that knows an `EdDSA` key `ed`, which signs, and an HS256 key `hs`, and shows its mail in the log.
    pub(super) async fn start() -> (World, Self) {
        let (ed_line, hs_line) = (key_line("ed", "eddsa"), key_line("hs", "hs256"));
        let keys = format!("{ed_line}\n{hs_line}");
        let settings = [
            ("ONSALE_TOKEN_KEYS", keys.as_str()),
            ("ONSALE_DRILLS", "false"),
            ("ONSALE_MAILER", "log"),
        ];
        let world = World::with(Journal::Local, &settings).await;
        let set = world.send(get("/.well-known/jwks.json")).await.expect(200);
        let forge = Self {
            ed_line,
            hs_line,
            public_key: set["keys"][0].clone(),
            account: world.admin.id,
            session: world.admin.session,
        };
        (world, forge)
    }

    /// What nobody else may see of the keys.
    pub(super) fn secrets(&self) -> [&str; 2] {
        [key_of(&self.ed_line), key_of(&self.hs_line)]
    }

    /// A good token under the `EdDSA` key.
    pub(super) fn eddsa(&self) -> String {
        self.sign_eddsa(&header("EdDSA", "ed"), &self.claims())
    }

    /// A good token under the HS256 key.
    pub(super) fn hs256(&self) -> String {
        self.sign_hs256(&header("HS256", "hs"), &self.claims())
    }

    /// What a good token says: somebody who buys, is staff and has an account.
    pub(super) fn claims(&self) -> Value {
        let now = now();
        json!({
            "iss": "onsale", "aud": "onsale-api", "sub": self.account, "jti": Uuid::now_v7(),
            "exp": now + 600, "nbf": now - 10, "iat": now - 10, "sid": self.session, "gen": 0, "roles": ["buyer"],
        })
    }

    /// Any header and claims under the server's `EdDSA` key.
    pub(super) fn sign_eddsa(&self, header: &Value, claims: &Value) -> String {
        let key = EncodingKey::from_ed_der(&decoded(key_of(&self.ed_line)));
        signed(header, claims, Algorithm::EdDSA, &key)
    }

    /// Any header and claims under the server's HS256 key.
    pub(super) fn sign_hs256(&self, header: &Value, claims: &Value) -> String {
        self.sign_hmac(header, claims, Algorithm::HS256)
    }

    /// Any header and claims under the secret of the server's HS256 key.
    pub(super) fn sign_hmac(&self, header: &Value, claims: &Value, algorithm: Algorithm) -> String {
        let key = EncodingKey::from_secret(&decoded(key_of(&self.hs_line)));
        signed(header, claims, algorithm, &key)
    }

    /// Claims where one says something else; null takes it away.
    pub(super) fn claims_with(&self, name: &str, value: Value) -> Value {
        let mut claims = self.claims();
        match value {
            Value::Null => drop(claims.as_object_mut().expect("claims").remove(name)),
            value => claims[name] = value,
        }
        claims
    }
}

/// Seconds since 1970.
pub(super) fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(now.as_secs()).expect("seconds")
}

pub(super) fn header(algorithm: &str, key_id: &str) -> Value {
    json!({"typ": "at+jwt", "alg": algorithm, "kid": key_id})
}

pub(super) fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn decoded(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

/// Header and claims, ready to be signed.
pub(super) fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()))
}

pub(super) fn signed(header: &Value, claims: &Value, algorithm: Algorithm, key: &EncodingKey) -> String {
    let message = unsigned(header, claims);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).expect("a signature");
    format!("{message}.{signature}")
}

/// A new key as `onsale token-key` prints it.
pub(super) fn key_line(id: &str, algorithm: &str) -> String {
    let output = Command::new(onsale_binary())
        .args(["token-key", "--id", id, "--algorithm", algorithm])
        .output()
        .expect("onsale token-key");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout)
        .expect("a line")
        .trim()
        .to_owned()
}

/// The key itself in its line.
pub(super) fn key_of(line: &str) -> &str {
    line.rsplit(' ').next().expect("a key")
}
