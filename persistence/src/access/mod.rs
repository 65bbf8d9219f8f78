//! Who may do what: roles, who has them, service accounts and their API keys, and what was revoked lately.
//!
//! Every change takes the audit entry of whoever makes it, completes it with what was there before and after, and
//! appends it in its own transaction: nothing is changed that is not logged. Locks are taken in the order role, account,
//! audit log.
//!
//! To add a change: read what is there with a lock, change it, `log` it, commit.

mod account_access;
mod api_keys;
mod assignments;
mod error;
mod revocations;
mod roles;
mod rows;
mod service_accounts;

use serde_json::Value;
use sqlx::PgConnection;

pub(crate) use assignments::{an_admin_is_left, lock_admin_role};

pub use account_access::{AccountAccess, AccountKind, AccountStatus};
pub use error::AccessError;
pub use revocations::AccessChanges;
pub use rows::{
    ApiKeyRow, AssignmentRow, KnownApiKey, NewApiKey, NewAssignment, NewRole, NewServiceAccount,
    PermissionRow, Revocation, RoleRow, RoleScope, ServiceAccountRow, TakenRole,
};

use crate::DatabaseError;
use crate::audit_log::{AuditEntry, append};

/// The name of the role that does everything but buy; somebody must always have it.
pub const ADMIN_ROLE: &str = "admin";
/// Roles of a deployment; every process keeps all of them in memory.
pub const ROLES_MAX: i64 = 500;
/// Roles that one account has, counted once for each organization.
pub const ASSIGNMENTS_MAX: i64 = 500;
/// API keys of one service account that are not revoked.
pub const API_KEYS_MAX: i64 = 100;

/// Appends what was done, in the transaction that did it and as the last thing there.
async fn log(
    connection: &mut PgConnection,
    entry: AuditEntry,
    before: Option<Value>,
    after: Option<Value>,
) -> Result<(), DatabaseError> {
    append(
        connection,
        &[AuditEntry {
            before,
            after,
            ..entry
        }],
    )
    .await
}
