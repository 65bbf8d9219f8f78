//! Permissions as types, so that a handler's signature says what it takes: `Staff<right::EventsEdit>`.

use onsale_domain::Permission;

use crate::rate_limit::Traffic;

/// A permission that a handler needs.
pub(crate) trait Right {
    /// Which.
    const PERMISSION: Permission;
    /// The limit that a request spends from.
    const TRAFFIC: Traffic = Traffic::Staff;
}

macro_rules! rights {
    ($($name:ident),+ $(,)?) => {$(
        pub(crate) enum $name {}

        impl Right for $name {
            const PERMISSION: Permission = Permission::$name;
        }
    )+};
}

rights! {
    OrganizationsCreate,
    OrganizationsRead,
    EventsRead,
    EventsEdit,
    EventsPublish,
    UsersRead,
    UsersDeactivate,
    RolesRead,
    RolesEdit,
    RolesAssign,
    ServiceAccountsRead,
    ServiceAccountsEdit,
    AuditLogRead,
    TokensIntrospect,
    JobsRead,
    JobsRetry,
    OrdersRead,
    OrdersCancel,
    RefundsCreate,
    PackagesEdit,
}

/// Letting one ticket holder in: by the thousand when the doors open.
pub(crate) enum CheckInsCreate {}

impl Right for CheckInsCreate {
    const PERMISSION: Permission = Permission::CheckInsCreate;
    const TRAFFIC: Traffic = Traffic::Door;
}

/// The same permission, for what costs more than one scan.
pub(crate) enum CheckInsInBulk {}

impl Right for CheckInsInBulk {
    const PERMISSION: Permission = Permission::CheckInsCreate;
}
