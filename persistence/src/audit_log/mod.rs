//! The audit log: who did what, when and from where, and who was refused. Append-only and chained.
//!
//! Entries are numbered without gaps. Whoever appends holds the row of `audit_log_head` until its transaction ends,
//! so appending is one at a time: a change that is to be logged appends in its own transaction and as the last thing
//! there; what only reports gathers many entries into one call of [`Database::append_audit`](crate::Database).
//!
//! The chain (`chain`) is not secret. It shows an edit or a deletion by somebody who does not make all the later
//! hashes anew; against somebody who does, an operator keeps an earlier [`AuditHead`] elsewhere and hands it to
//! [`Database::verify_audit_log`](crate::Database) as an anchor.
//!
//! To log a further fact: a column, a field of `chain::Entry` and a line in its encoding. The test that edits every
//! column fails without the last.

mod append;
mod chain;
mod entry;
mod head;
mod list;
mod verify;

pub use entry::{Actor, ActorKind, AuditEntry, AuditOutcome, AuditTarget};
pub use head::{AuditHash, AuditHead, NotAnAuditHead};
pub use list::{AuditEntryRow, AuditFilter};
pub use verify::{AuditFinding, AuditLogReport};

pub(crate) use append::append;
