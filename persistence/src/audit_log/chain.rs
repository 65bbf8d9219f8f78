//! What an entry's hash covers, and how: the one place, for writing and for verifying.
//!
//! The hash is BLAKE3 over the hash of the entry before (32 bytes), the sequence and the instant (8 bytes each, signed,
//! big-endian, the instant in microseconds since 1970 as Postgres keeps it), and then every other column in the order
//! of the table. Such a column is one byte 0 where it is null; otherwise one byte 1, its length in 8 bytes,
//! big-endian, and its bytes: a text in UTF-8, JSON as the text that is stored, an id as its 16 bytes. So no two
//! different entries have the same encoding. A change of it needs a column that says which one an entry has.

use uuid::Uuid;

use super::head::AuditHash;

/// An entry's columns as they are stored, without the hashes.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) seq: i64,
    /// Microseconds since 1970; `None` outside the years 1 to 9999, where no release writes an entry.
    pub(super) at_us: Option<i64>,
    pub(super) actor_id: Option<Uuid>,
    pub(super) actor_kind: String,
    pub(super) api_key_id: Option<Uuid>,
    pub(super) action: String,
    pub(super) outcome: String,
    pub(super) target_kind: Option<String>,
    pub(super) target_id: Option<String>,
    pub(super) organization_id: Option<Uuid>,
    pub(super) request_id: Option<String>,
    pub(super) address: Option<String>,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

impl Entry {
    /// Its hash after an entry with this one; `None` for what no release writes.
    pub(super) fn hash_after(&self, previous: AuditHash) -> Option<AuditHash> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&previous.0);
        hasher.update(&self.seq.to_be_bytes());
        hasher.update(&self.at_us?.to_be_bytes());
        for column in self.other_columns() {
            match column {
                None => {
                    hasher.update(&[0]);
                }
                Some(bytes) => {
                    hasher.update(&[1]);
                    hasher.update(&u64::try_from(bytes.len()).ok()?.to_be_bytes());
                    hasher.update(bytes);
                }
            }
        }
        Some(AuditHash(*hasher.finalize().as_bytes()))
    }

    /// In the order of the table.
    fn other_columns(&self) -> [Option<&[u8]>; 12] {
        fn id(id: Option<&Uuid>) -> Option<&[u8]> {
            id.map(|id| &id.as_bytes()[..])
        }
        fn text(text: Option<&String>) -> Option<&[u8]> {
            text.map(String::as_bytes)
        }
        [
            id(self.actor_id.as_ref()),
            Some(self.actor_kind.as_bytes()),
            id(self.api_key_id.as_ref()),
            Some(self.action.as_bytes()),
            Some(self.outcome.as_bytes()),
            text(self.target_kind.as_ref()),
            text(self.target_id.as_ref()),
            id(self.organization_id.as_ref()),
            text(self.request_id.as_ref()),
            text(self.address.as_ref()),
            text(self.before.as_ref()),
            text(self.after.as_ref()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            seq: 7,
            at_us: Some(1_795_000_000_123_000),
            actor_id: Some(Uuid::from_u128(1)),
            actor_kind: "person".to_owned(),
            api_key_id: None,
            action: "roles.assign".to_owned(),
            outcome: "done".to_owned(),
            target_kind: Some("user".to_owned()),
            target_id: Some("2".to_owned()),
            organization_id: Some(Uuid::from_u128(3)),
            request_id: Some("r".to_owned()),
            address: None,
            before: None,
            after: Some(r#"{"role":"support"}"#.to_owned()),
        }
    }

    /// Logs that exist were written with this encoding: this value must never change.
    #[test]
    fn the_hash_of_an_entry_is_what_it_always_was() {
        let hash = entry().hash_after(AuditHash([0x11; 32])).unwrap();
        assert_eq!(
            hash.to_string(),
            "68e95caf76a37e8746d330c480816448de57d4ea2d24e442d35e81aeb693e471"
        );
    }

    #[test]
    fn text_that_moves_to_the_next_column_changes_the_hash() {
        let hash = |target_kind: Option<&str>, target_id: Option<&str>| {
            let entry = Entry {
                target_kind: target_kind.map(str::to_owned),
                target_id: target_id.map(str::to_owned),
                ..entry()
            };
            entry.hash_after(AuditHash::default()).unwrap().to_string()
        };
        let hashes = [
            hash(Some("ab"), Some("c")),
            hash(Some("a"), Some("bc")),
            hash(Some("abc"), Some("")),
            hash(Some("abc"), None),
            hash(None, Some("abc")),
        ];
        let different: std::collections::BTreeSet<_> = hashes.iter().collect();
        assert_eq!(different.len(), hashes.len());
    }

    #[test]
    fn an_instant_that_nobody_writes_has_no_hash() {
        let entry = Entry {
            at_us: None,
            ..entry()
        };
        assert_eq!(entry.hash_after(AuditHash::default()), None);
    }
}
