//! Everything that Onsale keeps outside its own memory; the only crate with SQL.
//!
//! - [`Database`] is the handle on Postgres: connecting, migrating, and the read models (rows for services and
//!   HTTP to show). It works with a single connection, because the embedded Postgres has no more.
//! - [`DatabaseProbe`] and [`RedisProbe`] look at what is there, for operators.
//! - [`PostgresJournal`] and [`LocalJournal`] implement the engine's journal.
//! - [`PostgresProjection`] folds committed records into the relational tables.
//! - [`Redis`] is the handle on Redis, which is optional: what several processes share but can do without, such as
//!   [`SharedRates`].
//! - [`FolderStore`] and, with the feature `s3`, `S3Store` keep files.
//! - [`audit`] reads these tables again, for whom the projection must not be trusted.
//! - `accounts` keeps people and their sessions; of tokens only digests.
//! - `jobs` is the queue of background work.
//! - `packages` keeps packages and the log of their sale.
//! - `audit_log` keeps who did what, chained, in [`AuditEntry`] after [`AuditEntry`].
//!
//! What is not here: rules (domain), scheduling and retrying (engine), deciding what to show to whom (services).
//! To add a query: write it with `query!` in the file of its noun, then run `cargo xtask sqlx-prepare`.

mod access;
mod accounts;
pub mod audit;
mod audit_log;
mod convert;
mod database;
mod jobs;
mod journal;
mod objects;
mod packages;
mod payments;
mod projection;
mod read;
mod redis;
mod ticket_files;

pub use self::redis::{
    AccessCache, AccessLookup, AccessMarks, CHANGES_READ_MAX, ChangeReader, ChangeStream, Redis, RedisError,
    RedisFacts, RedisProbe, SharedRate, SharedRates, Spent,
};
pub use access::{
    ADMIN_ROLE, API_KEYS_MAX, ASSIGNMENTS_MAX, AccessChanges, AccessError, AccountAccess, AccountKind,
    AccountStatus, ApiKeyRow, AssignmentRow, KnownApiKey, NewApiKey, NewAssignment, NewRole,
    NewServiceAccount, PermissionRow, ROLES_MAX, Revocation, RoleRow, RoleScope, ServiceAccountRow,
    TakenRole,
};
pub use accounts::{
    AccountRow, KeptSession, NewPerson, NewSession, PasswordChange, PasswordReset, PasswordResetAccount,
    RefreshAttempt, Rotation, StatusChange, TokenDigest, UserFilter, UserRow,
};
pub use audit_log::{
    Actor, ActorKind, AuditEntry, AuditEntryRow, AuditFilter, AuditFinding, AuditHash, AuditHead,
    AuditLogReport, AuditOutcome, AuditTarget, NotAnAuditHead,
};
pub use database::{
    Database, DatabaseConfig, DatabaseError, DatabaseFacts, DatabaseProbe, PoolConnections, Purpose,
    SchemaState,
};
pub use jobs::{
    Job, JobCount, JobCursor, JobKind, JobRow, JobState, MailMessage, NewJob, NewMail, QueuedMail,
};
pub use journal::{JournalCopy, LocalJournal, PostgresJournal};
pub use objects::{
    FolderStore, LINK_LIFETIME_MAX, LinkSecrets, LinkTarget, LinkedObject, OBJECT_BYTES_MAX, ObjectError,
    ObjectKey, ObjectKind, ObjectLink, ObjectStore,
};
#[cfg(feature = "s3")]
pub use objects::{S3Config, S3Store};
pub use packages::{
    LegLine, NewPackage, NewPackageOrder, PackageChange, PackageError, PackageLegRow, PackageOrderRow,
    PackageRefund, PackageRow, PackageStep,
};
pub use payments::{
    ListedPayment, OpenPayments, PaymentFilter, PaymentToSettle, RefundToSettle, SettledRefund,
};
pub use projection::PostgresProjection;
pub use read::{
    EventCursor, EventFilter, EventRow, LineRow, MailEvent, MailOrder, OrderFilter, OrderRow, OrderStatus,
    OrganizationRow, OwnedTicketRow, PaymentRow, PaymentStatus, RefundRow, RefundStatus, TicketRow,
    TicketStatus,
};
pub use read::{PackageOrderState, PackageStatus};
pub use ticket_files::{NewTicketFile, TicketFaceRow, TicketFileRow};
