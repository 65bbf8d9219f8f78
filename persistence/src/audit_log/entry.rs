//! An entry as the caller gives it, and what of it is kept.

use onsale_domain::{ApiKeyId, OrganizationId, UnixMillis, UserId};
use serde_json::{Value, json};

/// Longest id of a request or of what was acted upon, and longest address: more is cut off.
const TEXT_BYTES_MAX: usize = 64;
/// Largest state before or after, as JSON: of a larger one only its size is kept.
const STATE_BYTES_MAX: usize = 16 * 1024;

/// What kind of caller acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActorKind {
    /// Somebody who logged in, or tried to.
    Person,
    /// A service account.
    Service,
    /// The command line, or the server by itself.
    System,
}

impl ActorKind {
    /// Its name in the API and the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Service => "service",
            Self::System => "system",
        }
    }

    /// The kind of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        match name {
            "person" => Some(Self::Person),
            "service" => Some(Self::Service),
            "system" => Some(Self::System),
            _ => None,
        }
    }
}

/// Who acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// What kind of caller.
    pub kind: ActorKind,
    /// The account; `None` when nobody can be told.
    pub id: Option<UserId>,
    /// The API key that it came with.
    pub api_key_id: Option<ApiKeyId>,
}

impl Actor {
    /// The command line, or the server by itself.
    pub const SYSTEM: Self = Self {
        kind: ActorKind::System,
        id: None,
        api_key_id: None,
    };

    /// A person; `None`: a caller who did not say who it is.
    pub const fn person(id: Option<UserId>) -> Self {
        Self {
            kind: ActorKind::Person,
            id,
            api_key_id: None,
        }
    }

    /// A service account, and the key that it came with.
    pub const fn service(id: UserId, api_key_id: Option<ApiKeyId>) -> Self {
        Self {
            kind: ActorKind::Service,
            id: Some(id),
            api_key_id,
        }
    }
}

/// How far it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuditOutcome {
    /// Asked of the sale; an entry that says done or refused follows, or the process ended in between.
    Asked,
    /// It was done.
    Done,
    /// It was not done: not allowed, or a rule forbade it.
    Refused,
}

impl AuditOutcome {
    /// Its name in the API and the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }

    /// The outcome of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        match name {
            "asked" => Some(Self::Asked),
            "done" => Some(Self::Done),
            "refused" => Some(Self::Refused),
            _ => None,
        }
    }
}

/// What was acted upon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditTarget {
    /// What it is: `user`, `role`, `event` and so on.
    pub kind: &'static str,
    /// Its id; cut off after 64 bytes.
    pub id: String,
}

/// An entry to append. Must not hold a password, a token or a mail address in any field.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// When.
    pub at: UnixMillis,
    /// Who.
    pub actor: Actor,
    /// What, as `resource.action`.
    pub action: &'static str,
    /// How far it came.
    pub outcome: AuditOutcome,
    /// What it was done to.
    pub target: Option<AuditTarget>,
    /// The organization that it belongs to: whose staff may read the entry.
    pub organization_id: Option<OrganizationId>,
    /// Id of the request; cut off after 64 bytes.
    pub request_id: Option<String>,
    /// Network address of the caller; cut off after 64 bytes.
    pub address: Option<String>,
    /// What was there before; one larger than 16 KiB is replaced by its size.
    pub before: Option<Value>,
    /// What is there now; one larger than 16 KiB is replaced by its size.
    pub after: Option<Value>,
}

impl AuditEntry {
    /// An entry with no more than every entry has.
    pub const fn new(at: UnixMillis, actor: Actor, action: &'static str, outcome: AuditOutcome) -> Self {
        Self {
            at,
            actor,
            action,
            outcome,
            target: None,
            organization_id: None,
            request_id: None,
            address: None,
            before: None,
            after: None,
        }
    }

    /// With what it was done to.
    #[must_use]
    pub fn on(mut self, kind: &'static str, id: impl Into<String>) -> Self {
        let id = id.into();
        self.target = Some(AuditTarget { kind, id });
        self
    }
}

/// A text as the database takes it, within bounds. Callers choose some of these, and one entry that Postgres refuses
/// would take the rest of its batch with it.
pub(super) fn bounded(text: &str) -> String {
    let mut text = text.replace('\0', "");
    text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
    text
}

/// A state as it is stored and hashed: the JSON text itself.
pub(super) fn state(value: &Value) -> String {
    let text = value.to_string();
    if text.len() > STATE_BYTES_MAX {
        json!({ "omitted_bytes": text.len() }).to_string()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for kind in [ActorKind::Person, ActorKind::Service, ActorKind::System] {
            assert_eq!(ActorKind::of_name(kind.as_str()), Some(kind));
        }
        for outcome in [AuditOutcome::Asked, AuditOutcome::Done, AuditOutcome::Refused] {
            assert_eq!(AuditOutcome::of_name(outcome.as_str()), Some(outcome));
        }
        assert_eq!(ActorKind::of_name("robot"), None);
        assert_eq!(AuditOutcome::of_name(""), None);
    }

    #[test]
    fn texts_are_cut_between_characters_and_hold_no_nul() {
        assert_eq!(bounded("a\0b"), "ab");
        assert_eq!(bounded(&"ä".repeat(40)), "ä".repeat(32));
        assert_eq!(bounded(&format!("x{}", "ä".repeat(40))).len(), 63);
    }

    #[test]
    fn a_state_is_kept_whole_up_to_its_bound() {
        // Two quotes more.
        let fits = Value::String("x".repeat(STATE_BYTES_MAX - 2));
        assert_eq!(state(&fits).len(), STATE_BYTES_MAX);
        let large = Value::String("x".repeat(STATE_BYTES_MAX - 1));
        assert_eq!(state(&large), r#"{"omitted_bytes":16385}"#);
    }
}
