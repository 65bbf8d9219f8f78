//! Roles, and who has them. Nobody makes or gives a role that allows more than they may do themselves at that place.

use onsale_domain::{OrganizationId, Permission, PermissionSet, RoleId, UserId};
use onsale_persistence::{
    AssignmentRow, AuditOutcome, NewAssignment, NewRole, PermissionRow, RoleRow, RoleScope,
};

use crate::{Change, ServiceError, Services, StaffMember};

/// Bytes of a role's name.
const NAME_BYTES_MAX: usize = 50;

impl Services {
    /// All permissions, by name.
    pub async fn permissions(&self) -> Result<Vec<PermissionRow>, ServiceError> {
        Ok(self.database().permissions().await?)
    }

    /// All roles, by name.
    pub async fn roles(&self) -> Result<Vec<RoleRow>, ServiceError> {
        Ok(self.database().roles().await?)
    }

    /// One role.
    pub async fn role(&self, role_id: RoleId) -> Result<RoleRow, ServiceError> {
        let roles = self.database().roles().await?;
        let found = roles.into_iter().find(|role| role.role_id == role_id);
        found.ok_or(ServiceError::NotFound)
    }

    /// Makes a role.
    pub async fn create_role(
        &self,
        staff: &StaffMember,
        name: String,
        scope: RoleScope,
        permissions: PermissionSet,
    ) -> Result<RoleRow, ServiceError> {
        check_name(&name)?;
        self.must_hold(staff, Permission::RolesEdit, None, permissions)
            .await?;
        let now = self.now();
        let role = NewRole {
            role_id: self.ids().role_id(now)?,
            name,
            scope,
            permissions,
        };
        let entry = staff.entry(now, "roles.create", AuditOutcome::Done);
        let services = self.clone();
        self.to_its_end(async move {
            let made = services.database().create_role(&role, entry).await;
            services.announced(made, |_| vec![Change::RolesChanged]).await
        })
        .await
    }

    /// Gives a role another name or other permissions.
    pub async fn change_role(
        &self,
        staff: &StaffMember,
        role_id: RoleId,
        name: String,
        permissions: PermissionSet,
    ) -> Result<RoleRow, ServiceError> {
        check_name(&name)?;
        self.must_hold(staff, Permission::RolesEdit, None, permissions)
            .await?;
        let entry = staff.entry(self.now(), "roles.edit", AuditOutcome::Done);
        let held = staff.access.everywhere;
        let services = self.clone();
        let changing = self.to_its_end(async move {
            let database = services.database();
            let may_change = |before| may_take(held, before, permissions);
            let changed = database
                .change_role(role_id, (&name, permissions), may_change, entry)
                .await;
            services.announced(changed, |_| vec![Change::RolesChanged]).await
        });
        match changing.await {
            Err(ServiceError::Forbidden) => Err(self
                .refuse(&staff.caller, Permission::RolesEdit, &staff.origin)
                .await),
            outcome => outcome,
        }
    }

    /// Deletes a role that nobody has.
    pub async fn delete_role(&self, staff: &StaffMember, role_id: RoleId) -> Result<(), ServiceError> {
        self.must_hold(staff, Permission::RolesEdit, None, PermissionSet::EMPTY)
            .await?;
        let entry = staff.entry(self.now(), "roles.delete", AuditOutcome::Done);
        let services = self.clone();
        self.to_its_end(async move {
            let deleted = services.database().delete_role(role_id, entry).await;
            services.announced(deleted, |()| vec![Change::RolesChanged]).await
        })
        .await
    }

    /// The roles of an account that are in sight.
    pub async fn assignments(
        &self,
        staff: &StaffMember,
        user_id: UserId,
    ) -> Result<Vec<AssignmentRow>, ServiceError> {
        let within = staff.scope.organizations();
        let rows = self.database().assignments(user_id, within).await?;
        // Whether there is such an account is told to those who see all of them.
        if rows.is_empty() && (within.is_some() || self.database().access_of(user_id).await?.is_none()) {
            return Err(ServiceError::NotFound);
        }
        Ok(rows)
    }

    /// Gives an account a role; one that it has is nothing new.
    pub async fn assign_role(
        &self,
        staff: &StaffMember,
        assignment: NewAssignment,
    ) -> Result<AssignmentRow, ServiceError> {
        self.may_give(staff, assignment).await?;
        let entry = staff.entry(self.now(), "roles.assign", AuditOutcome::Done);
        let services = self.clone();
        self.to_its_end(async move {
            let given = services.database().assign_role(assignment, entry).await;
            let user_id = assignment.user_id;
            services
                .announced(given, |_| vec![Change::AccessChanged { user_id }])
                .await?;
            let rows = services.database().assignments(user_id, None).await?;
            let is_it = |row: &AssignmentRow| {
                row.role_id == assignment.role_id && row.organization_id == assignment.organization_id
            };
            rows.into_iter().find(is_it).ok_or(ServiceError::NotFound)
        })
        .await
    }

    /// Takes a role from an account.
    pub async fn take_role(
        &self,
        staff: &StaffMember,
        assignment: NewAssignment,
    ) -> Result<(), ServiceError> {
        self.may_give(staff, assignment).await?;
        let entry = staff.entry(self.now(), "roles.take", AuditOutcome::Done);
        let services = self.clone();
        self.to_its_end(async move {
            let taken = services.database().take_role(assignment, entry).await;
            let user_id = assignment.user_id;
            let changes = |taken: &onsale_persistence::TakenRole| {
                let ended = taken
                    .generation
                    .map(|generation| Change::GenerationRaised { user_id, generation });
                ended
                    .into_iter()
                    .chain([Change::AccessChanged { user_id }])
                    .collect()
            };
            services.announced(taken, changes).await.map(|_| ())
        })
        .await
    }

    /// Who takes a role must be able to give it: what is above one is not one's to change.
    async fn may_give(&self, staff: &StaffMember, assignment: NewAssignment) -> Result<(), ServiceError> {
        let place = assignment.organization_id;
        self.must_see(staff, Permission::RolesAssign, place).await?;
        let permissions = self.role(assignment.role_id).await?.permissions;
        self.must_hold(staff, Permission::RolesAssign, place, permissions)
            .await
    }

    /// Errors: not found for an organization that is out of sight; forbidden for the whole deployment where only
    /// organizations are in sight.
    pub(crate) async fn must_see(
        &self,
        staff: &StaffMember,
        permission: Permission,
        place: Option<OrganizationId>,
    ) -> Result<(), ServiceError> {
        match place {
            Some(organization_id) if staff.scope.covers(organization_id) => Ok(()),
            Some(_) => Err(ServiceError::NotFound),
            None if staff.scope.organizations().is_none() => Ok(()),
            None => Err(self.refuse(&staff.caller, permission, &staff.origin).await),
        }
    }

    /// Refuses to give away what one does not have. To buy is everybody's who registers, so all may give that.
    pub(crate) async fn must_hold(
        &self,
        staff: &StaffMember,
        permission: Permission,
        place: Option<OrganizationId>,
        given: PermissionSet,
    ) -> Result<(), ServiceError> {
        let held = staff.access.within(place).with(Permission::TicketsBuy);
        if staff.access.within(place).has(permission) && held.contains(given) {
            return Ok(());
        }
        Err(self.refuse(&staff.caller, permission, &staff.origin).await)
    }
}

/// Whether who holds so much may take from a role what it will not allow any more. Nobody of staff holds the permission
/// to buy, so taking that from everybody is left to those who hold all others.
fn may_take(held: PermissionSet, before: PermissionSet, after: PermissionSet) -> bool {
    let held = held.with(Permission::TicketsBuy);
    let takes_buying = before.has(Permission::TicketsBuy) && !after.has(Permission::TicketsBuy);
    let needed = if takes_buying {
        Permission::ALL.iter().copied().collect()
    } else {
        before
    };
    held.contains(needed)
}

/// As the table wants it: a lower case letter, then letters, digits and underscores.
fn check_name(name: &str) -> Result<(), ServiceError> {
    let is_good = name.len() <= NAME_BYTES_MAX
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if is_good {
        Ok(())
    } else {
        Err(onsale_domain::Refusal::InvalidField { field: "name" }.into())
    }
}
