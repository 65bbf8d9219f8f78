//! Who may do what: permissions, and the sets of them that an account has everywhere or within organizations.
//!
//! Roles are data (they can be made and changed while the server runs); permissions are code, because each guards a
//! route. To add one: a line here, a row for it in a migration, the role that shall have it.

use crate::OrganizationId;

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// What an account may be allowed, named `resource.action`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Permission {
            $($(#[$doc])* $name,)+
        }

        impl Permission {
            /// All permissions.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Its name in the API and the tables.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The permission of a name.
            pub fn of_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

permissions! {
    /// Hold, buy and see the own orders.
    TicketsBuy = "tickets.buy",
    /// Make organizations.
    OrganizationsCreate = "organizations.create",
    /// See organizations.
    OrganizationsRead = "organizations.read",
    /// See events as staff do.
    EventsRead = "events.read",
    /// Create and edit events, ticket types and quotas.
    EventsEdit = "events.edit",
    /// Publish, pause, resume, close and cancel events.
    EventsPublish = "events.publish",
    /// Let ticket holders in.
    CheckInsCreate = "check_ins.create",
    /// See accounts.
    UsersRead = "users.read",
    /// Deactivate and activate accounts.
    UsersDeactivate = "users.deactivate",
    /// See roles and permissions.
    RolesRead = "roles.read",
    /// Make, change and delete roles.
    RolesEdit = "roles.edit",
    /// Give roles to accounts and take them.
    RolesAssign = "roles.assign",
    /// See service accounts and their keys.
    ServiceAccountsRead = "service_accounts.read",
    /// Make and delete service accounts and their keys.
    ServiceAccountsEdit = "service_accounts.edit",
    /// Read the audit log.
    AuditLogRead = "audit_log.read",
    /// Ask whom a token speaks for.
    TokensIntrospect = "tokens.introspect",
    /// See background jobs.
    JobsRead = "jobs.read",
    /// Have background jobs tried again that were given up.
    JobsRetry = "jobs.retry",
    /// See orders, payments and refunds.
    OrdersRead = "orders.read",
    /// Cancel orders.
    OrdersCancel = "orders.cancel",
    /// Give money back for tickets.
    RefundsCreate = "refunds.create",
    /// Create, change and delete packages.
    PackagesEdit = "packages.edit",
}

impl Permission {
    /// Whether it is about what belongs to no organization, so that holding it within one means nothing.
    pub const fn is_everywhere_only(self) -> bool {
        match self {
            Self::TicketsBuy
            | Self::OrganizationsCreate
            | Self::UsersRead
            | Self::UsersDeactivate
            | Self::RolesEdit
            | Self::TokensIntrospect
            | Self::JobsRead
            | Self::JobsRetry => true,
            Self::OrganizationsRead
            | Self::EventsRead
            | Self::EventsEdit
            | Self::EventsPublish
            | Self::CheckInsCreate
            | Self::RolesRead
            | Self::RolesAssign
            | Self::ServiceAccountsRead
            | Self::ServiceAccountsEdit
            | Self::AuditLogRead
            | Self::OrdersRead
            | Self::OrdersCancel
            | Self::RefundsCreate
            | Self::PackagesEdit => false,
        }
    }
}

/// A set of permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PermissionSet(u32);

const _: () = assert!(Permission::ALL.len() <= 32, "PermissionSet has a bit for each");

impl PermissionSet {
    /// No permissions.
    pub const EMPTY: Self = Self(0);

    /// Whether it holds a permission.
    pub const fn has(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u32) != 0
    }

    /// With a permission more.
    #[must_use]
    pub const fn with(self, permission: Permission) -> Self {
        Self(self.0 | (1 << permission as u32))
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether the other has nothing that this has not.
    pub const fn contains(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Whether it is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its members.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL
            .iter()
            .copied()
            .filter(move |permission| self.has(*permission))
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        permissions.into_iter().fold(Self::EMPTY, Self::with)
    }
}

/// All that an account may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// In every organization and outside them.
    pub everywhere: PermissionSet,
    /// Within organizations, in the order of their ids; each once.
    pub organizations: Vec<(OrganizationId, PermissionSet)>,
}

impl Access {
    /// Allows more within an organization, or everywhere.
    pub fn grant(&mut self, organization_id: Option<OrganizationId>, permissions: PermissionSet) {
        let Some(organization_id) = organization_id else {
            self.everywhere = self.everywhere.union(permissions);
            return;
        };
        match self
            .organizations
            .binary_search_by_key(&organization_id, |(id, _)| *id)
        {
            Ok(position) => {
                self.organizations[position].1 = self.organizations[position].1.union(permissions);
            }
            Err(position) => self
                .organizations
                .insert(position, (organization_id, permissions)),
        }
    }

    /// What is allowed within an organization; `None`: outside all of them.
    pub fn within(&self, organization_id: Option<OrganizationId>) -> PermissionSet {
        let Some(organization_id) = organization_id else {
            return self.everywhere;
        };
        match self
            .organizations
            .binary_search_by_key(&organization_id, |(id, _)| *id)
        {
            Ok(position) => self.everywhere.union(self.organizations[position].1),
            Err(_) => self.everywhere,
        }
    }

    /// Where a permission is held; `None`: nowhere, or only where it means nothing.
    pub fn scope_of(&self, permission: Permission) -> Option<StaffScope> {
        if self.everywhere.has(permission) {
            return Some(StaffScope::Everything);
        }
        if permission.is_everywhere_only() {
            return None;
        }
        let organizations: Vec<_> = self
            .organizations
            .iter()
            .filter(|(_, permissions)| permissions.has(permission))
            .map(|(organization_id, _)| *organization_id)
            .collect();
        (!organizations.is_empty()).then(|| StaffScope::Organizations(organizations.into()))
    }

    /// Whether all that the other may do may be done with this, at the same places. To buy is everybody's.
    pub fn covers(&self, other: &Self) -> bool {
        let has = |place, permissions| {
            self.within(place)
                .with(Permission::TicketsBuy)
                .contains(permissions)
        };
        has(None, other.everywhere)
            && other
                .organizations
                .iter()
                .all(|(organization_id, permissions)| has(Some(*organization_id), *permissions))
    }

    /// The same access, cut down to these permissions and, where one is given, to one organization.
    #[must_use]
    pub fn limited_to(&self, organization_id: Option<OrganizationId>, permissions: PermissionSet) -> Self {
        let mut limited = Self::default();
        if let Some(only) = organization_id {
            limited.grant(Some(only), self.within(Some(only)).intersection(permissions));
        } else {
            limited.everywhere = self.everywhere.intersection(permissions);
            for (organization_id, held) in &self.organizations {
                limited.grant(Some(*organization_id), held.intersection(permissions));
            }
        }
        limited
    }
}

/// Whose things staff may see or change under a permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StaffScope {
    /// Of every organization, and what belongs to none.
    Everything,
    /// Of these organizations; never empty.
    Organizations(std::sync::Arc<[OrganizationId]>),
}

impl StaffScope {
    /// Whether an organization's things are in sight.
    pub fn covers(&self, organization_id: OrganizationId) -> bool {
        match self {
            Self::Everything => true,
            Self::Organizations(own) => own.contains(&organization_id),
        }
    }

    /// The organizations to look in; `None`: all.
    pub fn organizations(&self) -> Option<&[OrganizationId]> {
        match self {
            Self::Everything => None,
            Self::Organizations(own) => Some(own),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn organization(number: u128) -> OrganizationId {
        OrganizationId(Uuid::from_u128(number))
    }

    fn set(permissions: &[Permission]) -> PermissionSet {
        permissions.iter().copied().collect()
    }

    #[test]
    fn names_are_unique_and_read_back() {
        for permission in Permission::ALL {
            assert_eq!(Permission::of_name(permission.as_str()), Some(*permission));
        }
        assert_eq!(Permission::of_name("events.delete"), None);
    }

    #[test]
    fn what_is_granted_in_one_organization_is_not_held_in_another() {
        let mut access = Access::default();
        access.grant(Some(organization(2)), set(&[Permission::EventsEdit]));
        access.grant(Some(organization(1)), set(&[Permission::EventsRead]));
        access.grant(Some(organization(2)), set(&[Permission::EventsRead]));
        assert_eq!(access.scope_of(Permission::ServiceAccountsRead), None);
        access.grant(Some(organization(2)), set(&[Permission::UsersRead]));
        assert_eq!(
            access.scope_of(Permission::UsersRead),
            None,
            "accounts belong to no organization"
        );
        let scope = access.scope_of(Permission::EventsEdit).unwrap();
        assert!(scope.covers(organization(2)) && !scope.covers(organization(1)));
        let scope = access.scope_of(Permission::EventsRead).unwrap();
        assert_eq!(
            scope.organizations(),
            Some(&[organization(1), organization(2)][..])
        );
        assert!(access.within(None).is_empty());
        access.grant(None, set(&[Permission::EventsRead]));
        assert_eq!(
            access.scope_of(Permission::EventsRead),
            Some(StaffScope::Everything)
        );
        assert!(access.within(Some(organization(3))).has(Permission::EventsRead));
    }

    #[test]
    fn access_covers_what_is_no_more_than_itself_at_every_place() {
        let mut less = Access::default();
        less.grant(None, set(&[Permission::TicketsBuy]));
        less.grant(Some(organization(1)), set(&[Permission::EventsRead]));
        let mut more = Access::default();
        assert!(!more.covers(&less));
        more.grant(Some(organization(2)), set(&[Permission::EventsRead]));
        assert!(!more.covers(&less), "elsewhere");
        more.grant(Some(organization(1)), set(&[Permission::EventsRead]));
        assert!(more.covers(&less));
        less.grant(None, set(&[Permission::EventsRead]));
        assert!(!more.covers(&less), "everywhere is more than in two places");
    }

    #[test]
    fn limits_only_take_away() {
        let mut access = Access::default();
        access.grant(None, set(&[Permission::EventsRead, Permission::TicketsBuy]));
        access.grant(Some(organization(1)), set(&[Permission::EventsEdit]));
        let scopes = set(&[
            Permission::EventsRead,
            Permission::EventsEdit,
            Permission::UsersRead,
        ]);
        let limited = access.limited_to(Some(organization(1)), scopes);
        assert!(limited.everywhere.is_empty());
        assert_eq!(
            limited.within(Some(organization(1))),
            set(&[Permission::EventsRead, Permission::EventsEdit])
        );
        assert!(limited.within(Some(organization(2))).is_empty());
        let limited = access.limited_to(None, scopes);
        assert_eq!(limited.everywhere, set(&[Permission::EventsRead]));
        assert_eq!(
            limited.within(Some(organization(2))),
            set(&[Permission::EventsRead])
        );
    }
}
