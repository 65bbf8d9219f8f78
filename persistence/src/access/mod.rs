//! Roles, who has them, and what they allow. Written directly, with their audit entries in the same transaction.

mod account_access;

pub use account_access::{AccountAccess, AccountKind, AccountStatus};
