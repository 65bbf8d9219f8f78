//! Packages as they are read and written.

use jiff_sqlx::Timestamp;
use onsale_domain::money::Currency;
use onsale_domain::{Inclusion, OrganizationId, PackageId, Sequence, UnixMillis};
use sqlx::types::Json;
use thiserror::Error;
use uuid::Uuid;

use crate::DatabaseError;
use crate::convert::{millis, seq_in};
use crate::read::{PackageStatus, currency};

/// A package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageRow {
    /// Identity.
    pub package_id: PackageId,
    /// Owner of the package and of all its events.
    pub organization_id: OrganizationId,
    /// Name shown to buyers.
    pub name: String,
    /// Currency of its price, and of its events.
    pub currency: Currency,
    /// What one costs, with all fees and taxes.
    pub price_minor: i64,
    /// Where it stands.
    pub status: PackageStatus,
    /// Raised by each change.
    pub version: Sequence,
    /// When it was made.
    pub created_at: UnixMillis,
    /// What is in it.
    pub inclusions: Vec<Inclusion>,
}

/// A package to be made, as a draft.
#[derive(Clone, Debug)]
pub struct NewPackage {
    /// Identity.
    pub package_id: PackageId,
    /// Owner.
    pub organization_id: OrganizationId,
    /// Its currency.
    pub currency: Currency,
    /// What staff wrote.
    pub content: PackageChange,
}

/// What staff write about a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageChange {
    /// Name shown to buyers.
    pub name: String,
    /// What one costs.
    pub price_minor: i64,
    /// Where it stands.
    pub status: PackageStatus,
    /// What is in it.
    pub inclusions: Vec<Inclusion>,
}

/// Why a package was not changed.
#[derive(Clone, Debug, Error)]
pub enum PackageError {
    /// Postgres did not do as asked.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// There is no such package.
    #[error("no such package")]
    NotFound,
    /// Somebody changed it since the editor read it.
    #[error("the package has changed: its version is {version}")]
    VersionMismatch {
        /// The version now.
        version: Sequence,
    },
    /// What was sold keeps its price and inclusions, is not hidden, and stays.
    #[error("some were sold, or are being sold")]
    Sold,
    /// It cannot be bought, or not as the buyer saw it.
    #[error("the package is not on sale")]
    NotOnSale,
}

impl From<sqlx::Error> for PackageError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

/// As the columns come.
pub(super) struct RawPackage {
    pub(super) package_id: Uuid,
    pub(super) organization_id: Uuid,
    pub(super) name: String,
    pub(super) currency: String,
    pub(super) price_minor: i64,
    pub(super) status: String,
    pub(super) version: i64,
    pub(super) created_at: Timestamp,
    pub(super) inclusions: Json<Vec<Inclusion>>,
}

impl TryFrom<RawPackage> for PackageRow {
    type Error = DatabaseError;

    fn try_from(raw: RawPackage) -> Result<Self, DatabaseError> {
        Ok(Self {
            package_id: PackageId(raw.package_id),
            organization_id: OrganizationId(raw.organization_id),
            name: raw.name,
            currency: currency(&raw.currency)?,
            price_minor: raw.price_minor,
            status: PackageStatus::parse(&raw.status)?,
            version: seq_in(raw.version),
            created_at: millis(raw.created_at),
            inclusions: raw.inclusions.0,
        })
    }
}
