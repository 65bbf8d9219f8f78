//! A scanner without a connection, as `docs/OFFLINE-GATES.md` asks for it. It shares no code with the server, so that
//! it shows that the page is enough to build one.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use data_encoding::BASE32_NOPAD;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

/// What the person at the gate is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Light {
    Green,
    Red(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Outside,
    Inside,
    /// Was inside and has gone.
    Gone,
    Void(&'static str),
}

struct Entry {
    version: u64,
    state: State,
}

/// A device with the list of an event's tickets.
pub struct Device {
    keys: HashMap<String, Vec<u8>>,
    gate: String,
    event: Uuid,
    re_entry: bool,
    opens_at: Option<i64>,
    expires_at: i64,
    salt: Vec<u8>,
    entries: HashMap<Uuid, Entry>,
    by_code: HashMap<Vec<u8>, Uuid>,
    log: Vec<Value>,
}

impl Device {
    /// Loads all parts of a list. Errors: what is wrong with them.
    pub fn load(parts: &[String], key_set: &Value, now: Timestamp) -> Result<Self, String> {
        let keys = key_set["keys"].as_array().ok_or("no keys")?.iter();
        let keys: HashMap<_, _> = keys
            .filter_map(|key| Some((key["kid"].as_str()?.to_owned(), decode(&key["x"])?)))
            .collect();
        let parts = parts
            .iter()
            .map(|part| verified(part, &keys))
            .collect::<Result<Vec<_>, _>>()?;
        let first = parts.first().ok_or("no parts")?;
        let mut device = Self {
            gate: text(&first["gate"])?,
            event: id(&first["event"]["id"])?,
            re_entry: first["re_entry"] == true,
            opens_at: first["opens_at"].as_i64(),
            expires_at: first["exp"].as_i64().ok_or("no expiry")?,
            salt: decode(&first["salt"]).ok_or("no salt")?,
            entries: HashMap::new(),
            by_code: HashMap::new(),
            log: vec![],
            keys,
        };
        for (number, part) in parts.iter().enumerate() {
            let is_last = number + 1 == parts.len();
            let fits = ["event", "gate", "salt"]
                .iter()
                .all(|member| part[member] == first[member]);
            if !fits || part["has_more"] == is_last || part["from"] != device.entries.len() {
                return Err("the parts do not fit together".to_owned());
            }
            device.expires_at = device.expires_at.min(part["exp"].as_i64().ok_or("no expiry")?);
            for entry in part["entries"].as_array().ok_or("no entries")? {
                device.take(entry)?;
            }
        }
        if now.as_second() >= device.expires_at {
            return Err("the list has expired".to_owned());
        }
        Ok(device)
    }

    fn take(&mut self, entry: &Value) -> Result<(), String> {
        let ticket = id(&entry["ticket"])?;
        let state = match entry["state"].as_str() {
            Some("valid") => State::Outside,
            Some("inside") => State::Inside,
            Some("outside") => State::Gone,
            Some("refunded") => State::Void("ticket_refunded"),
            Some("cancelled") => State::Void("ticket_cancelled"),
            other => return Err(format!("no state: {other:?}")),
        };
        let version = entry["version"].as_u64().ok_or("no version")?;
        self.by_code
            .insert(decode(&entry["code"]).ok_or("no code")?, ticket);
        self.entries.insert(ticket, Entry { version, state });
        Ok(())
    }

    /// Somebody shows a ticket.
    pub fn scan(&mut self, shown: &str, direction: &'static str, now: Timestamp) -> Light {
        match self.decide(shown, direction, now) {
            Ok((ticket, state)) => {
                self.entries.entry(ticket).and_modify(|entry| entry.state = state);
                let nonce = format!("{}-{}", self.gate, self.log.len());
                let (at, code) = (now.to_string(), shown);
                self.log
                    .push(json!({"code": code, "nonce": nonce, "scanned_at": at, "direction": direction}));
                Light::Green
            }
            Err(reason) => Light::Red(reason),
        }
    }

    fn decide(&self, shown: &str, direction: &str, now: Timestamp) -> Result<(Uuid, State), &'static str> {
        if now.as_second() >= self.expires_at {
            return Err("list_expired");
        }
        if self.opens_at.is_some_and(|opens_at| now.as_second() < opens_at) {
            return Err("check_in_too_early");
        }
        let ticket = self.find(shown)?;
        let entry = self.entries.get(&ticket).ok_or("unknown_ticket")?;
        match (direction, entry.state) {
            (_, State::Void(reason)) => Err(reason),
            ("in", State::Outside) => Ok((ticket, State::Inside)),
            ("in", State::Gone) if self.re_entry => Ok((ticket, State::Inside)),
            ("in", State::Gone | State::Inside) => Err("already_used"),
            ("out", State::Inside) if self.re_entry => Ok((ticket, State::Gone)),
            _ => Err("not_leaving"),
        }
    }

    fn find(&self, shown: &str) -> Result<Uuid, &'static str> {
        let typed: String = shown.chars().filter(|c| !"- ".contains(*c)).collect();
        let typed = typed
            .to_ascii_uppercase()
            .replace('O', "0")
            .replace(['I', 'L'], "1");
        if typed.len() == 16 {
            let salted = [&self.salt[..], typed.as_bytes()].concat();
            let found = self.by_code.get(&digest(&SHA256, &salted).as_ref()[..16]);
            return found.copied().ok_or("unknown_ticket");
        }
        let (event, ticket, version) = self.read_pass(shown).ok_or("unknown_ticket")?;
        if event != self.event {
            return Err("wrong_event");
        }
        let known = self.entries.get(&ticket).ok_or("unknown_ticket")?.version;
        match version.cmp(&known) {
            std::cmp::Ordering::Less => Err("ticket_transferred"),
            std::cmp::Ordering::Equal => Ok(ticket),
            // It was transferred after the list was made: only the server knows.
            std::cmp::Ordering::Greater => Err("unknown_ticket"),
        }
    }

    /// Event, ticket and version of a signed text; nothing for what is forged or of another format.
    fn read_pass(&self, shown: &str) -> Option<(Uuid, Uuid, u64)> {
        let bytes = BASE32_NOPAD.decode(shown.as_bytes()).ok()?;
        let (signed, signature) = bytes.split_last_chunk::<64>()?;
        let key_id = std::str::from_utf8(signed.get(38..)?).ok()?;
        if signed[0] != 1 || usize::from(signed[37]) != key_id.len() {
            return None;
        }
        let message = [b"onsale ticket pass\0", signed].concat();
        let key = UnparsedPublicKey::new(&ED25519, self.keys.get(key_id)?);
        key.verify(&message, signature).ok()?;
        let version = u32::from_be_bytes(signed[33..37].try_into().ok()?);
        let part = |range: std::ops::Range<usize>| Uuid::from_slice(&signed[range]).ok();
        Some((part(1..17)?, part(17..33)?, version.into()))
    }

    /// What `POST /v1/check-ins/sync` takes.
    pub fn report(&self) -> Value {
        json!({"event_id": self.event, "gate": self.gate, "scans": self.log})
    }
}

/// The payload of a list whose signature holds.
fn verified(token: &str, keys: &HashMap<String, Vec<u8>>) -> Result<Value, String> {
    let parts: Vec<_> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        return Err("not a token".to_owned());
    };
    let json =
        |part: &str| -> Option<Value> { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok() };
    let head = json(header).ok_or("no header")?;
    if head["alg"] != "EdDSA" || head["typ"] != "onsale-door-bundle" {
        return Err("another kind of token".to_owned());
    }
    let key = head["kid"]
        .as_str()
        .and_then(|kid| keys.get(kid))
        .ok_or("no key")?;
    let signature = URL_SAFE_NO_PAD
        .decode(signature)
        .map_err(|error| error.to_string())?;
    let signed = &token[..header.len() + 1 + payload.len()];
    UnparsedPublicKey::new(&ED25519, key)
        .verify(signed.as_bytes(), &signature)
        .map_err(|_| "a wrong signature")?;
    json(payload).ok_or_else(|| "no payload".to_owned())
}

fn decode(value: &Value) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(value.as_str()?).ok()
}

fn id(value: &Value) -> Result<Uuid, String> {
    text(value)?.parse().map_err(|_| format!("not an id: {value}"))
}

fn text(value: &Value) -> Result<String, String> {
    value
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| format!("no text: {value}"))
}
