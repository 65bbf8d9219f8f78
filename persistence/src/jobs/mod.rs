//! The one queue of background work.
//!
//! A job is named by its kind and its subject, and says only that there is something to do: whoever runs it looks up
//! what. So asking twice is asking once, and a projection that folds a record again asks for nothing new. [`enqueue`]
//! works in the transaction of what makes the job necessary.
//!
//! A job is claimed by one runner for a time ([`Database::claim_jobs`]), without an open transaction. A runner that dies
//! leaves it to be claimed again when that time is over; its end also names the claim, so that a runner which lost it
//! changes nothing. Work may therefore be begun twice, and must bear that.
//!
//! What cannot be done is buried: it stays, with its last error, until an admin has it tried again.

mod claim;
mod counts;
mod enqueue;
mod list;
mod mail;
mod outcome;

use onsale_domain::{EventId, UnixMillis};
use serde_json::Value;
use uuid::Uuid;

use crate::DatabaseError;

pub use counts::JobCount;
pub use list::{JobCursor, JobRow, JobState};
pub use mail::{MailMessage, NewMail, QueuedMail};

pub(crate) use enqueue::enqueue;
pub(crate) use mail::enqueue_mail;

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobKind {
    /// Brings an order's payment forward; the subject is the order.
    Payment,
    /// Makes an order's ticket files; the subject is the order.
    TicketFiles,
    /// Sends a message; the subject is the message.
    Mail,
    /// Brings the purchase of a package forward; the subject is the package's order.
    Package,
}

impl JobKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Payment, Self::TicketFiles, Self::Mail, Self::Package];

    /// Its name in the API and the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::TicketFiles => "ticket_files",
            Self::Mail => "mail",
            Self::Package => "package",
        }
    }

    /// The kind of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    fn parse(name: &str) -> Result<Self, DatabaseError> {
        Self::of_name(name).ok_or_else(|| DatabaseError::Damaged(format!("job kind {name:?}")))
    }
}

/// A job to be done.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJob {
    /// What it does.
    pub kind: JobKind,
    /// What it is about.
    pub subject_id: Uuid,
    /// The subject's event, where it has one.
    pub event_id: Option<EventId>,
    /// What the subject does not tell by itself. Never a token or an address.
    pub payload: Option<Value>,
    /// Not begun before this.
    pub due_at: UnixMillis,
}

/// A job that the caller has claimed.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// What it does.
    pub kind: JobKind,
    /// What it is about.
    pub subject_id: Uuid,
    /// The subject's event, where it has one.
    pub event_id: Option<EventId>,
    /// What the subject does not tell by itself.
    pub payload: Option<Value>,
    /// When it was first asked for.
    pub created_at: UnixMillis,
    /// Tries since it was last asked for or postponed, this one included.
    pub attempts: u32,
    /// Raised each time it is asked for.
    pub version: u64,
    /// When the claim ends.
    pub claimed_until: UnixMillis,
}
