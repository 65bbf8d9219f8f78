//! Files: what is too large for a row and not worth a transaction. Two stores, one for a machine on its own and one for
//! what speaks as S3 does.
//!
//! Whoever stores a file keeps its key in a row, made before the file is: so a file is never lost track of, and storing
//! it again writes the same place. Keys are random and tell nothing; a link is good for minutes.

mod folder;
mod key;
mod link;
#[cfg(feature = "s3")]
mod s3;

use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use onsale_domain::UnixMillis;
use thiserror::Error;

pub use folder::FolderStore;
pub use key::ObjectKey;
pub use link::{LINK_LIFETIME_MAX, LinkSecrets};
#[cfg(feature = "s3")]
pub use s3::{S3Config, S3Store};

/// The largest file that is stored or read.
pub const OBJECT_BYTES_MAX: usize = 8 * 1_024 * 1_024;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// A PDF.
    Pdf,
    /// A calendar file.
    Calendar,
}

impl ObjectKind {
    /// All kinds.
    pub const ALL: [Self; 2] = [Self::Pdf, Self::Calendar];

    /// Its name in tables.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Calendar => "calendar",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// What a name of such a file ends with.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Calendar => "ics",
        }
    }

    /// The media type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Calendar => "text/calendar; charset=utf-8",
        }
    }
}

/// What a link leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedObject {
    /// Where it is.
    pub key: ObjectKey,
    /// What it is.
    pub kind: ObjectKind,
    /// What it is saved as: letters, digits, dots and dashes.
    pub file_name: String,
}

/// A link to a file, for whoever has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectLink {
    /// Where it leads.
    pub target: LinkTarget,
    /// First instant at which it leads nowhere.
    pub expires_at: UnixMillis,
}

/// Where a link leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkTarget {
    /// To the store itself.
    Url(String),
    /// To us, with this token, for [`ObjectStore::open_link`].
    Token(String),
}

/// Why a store did not do as asked. The texts are for operators, not for clients.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ObjectError {
    /// Away, full or refusing: try again later.
    #[error("object store unavailable: {0}")]
    Unavailable(String),
    /// Larger than [`OBJECT_BYTES_MAX`].
    #[error("the file is too large")]
    TooLarge,
    /// The configuration cannot work.
    #[error("misconfigured: {0}")]
    Misconfigured(String),
}

/// Where files are.
pub trait ObjectStore: Send + Sync + 'static {
    /// Stores a file durably, in place of what has its key.
    fn put<'a>(
        &'a self,
        key: &'a ObjectKey,
        kind: ObjectKind,
        bytes: Bytes,
    ) -> BoxFuture<'a, Result<(), ObjectError>>;

    /// A file; `None` when there is none.
    fn get<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Option<Bytes>, ObjectError>>;

    /// Removes a file. There is none: nothing happens.
    fn delete<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<(), ObjectError>>;

    /// A link that is good from `now` for `lifetime`, five minutes at most. It is not looked whether there is a file.
    fn link<'a>(
        &'a self,
        object: &'a LinkedObject,
        now: UnixMillis,
        lifetime: Duration,
    ) -> BoxFuture<'a, Result<ObjectLink, ObjectError>>;

    /// What the token of a link leads to; `None` when it is not ours, or not any more.
    fn open_link(&self, token: &str, now: UnixMillis) -> Option<LinkedObject>;
}
