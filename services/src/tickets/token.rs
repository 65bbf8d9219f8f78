//! Signed tokens (JWS, RFC 7515) under the ticket keys: for gates, which have the public keys anyway.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::TicketKeys;
use crate::key_lines::ED25519;

impl TicketKeys {
    /// A compact JWS of this kind over a payload, signed with the first key. What it signs is printable, so that it
    /// can never be a ticket's code, which begins with bytes that are not.
    pub(crate) fn sign_token(&self, kind: &str, payload: &[u8]) -> String {
        let header = json!({"alg": ED25519, "kid": self.signing_id(), "typ": kind}).to_string();
        let mut token = URL_SAFE_NO_PAD.encode(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let signature = self.sign(token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        token
    }
}
