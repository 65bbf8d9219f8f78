//! Permissions as types, so that a handler's signature says what it takes: `Staff<right::EventsEdit>`.

use onsale_domain::Permission;

/// A permission that a handler needs.
pub(crate) trait Right {
    /// Which.
    const PERMISSION: Permission;
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
    CheckInsCreate,
    JobsRead,
    JobsRetry,
    OrdersRead,
    OrdersCancel,
    RefundsCreate,
    PackagesEdit,
}
