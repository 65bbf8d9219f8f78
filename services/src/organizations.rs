//! Organizations: the tenants that own events. They are the one thing that is written to Postgres directly.

use onsale_domain::id::KeyDigest;
use onsale_domain::limits::NAME_BYTES_MAX;
use onsale_domain::{OrganizationId, Refusal};
use onsale_persistence::{AuditEntry, AuditOutcome, DatabaseError, OrganizationRow};
use serde_json::json;

use crate::audit::target;
use crate::keyed::KeyedIds;
use crate::{ServiceError, Services, StaffMember};

/// An organization that was made, now or by an earlier request with the same key.
#[derive(Clone, Debug)]
pub struct CreatedOrganization {
    /// The organization.
    pub organization: OrganizationRow,
    /// Whether this repeats an earlier answer.
    pub replayed: bool,
}

impl Services {
    /// Makes an organization. A repeat of the key gets the first answer.
    pub async fn create_organization(
        &self,
        staff: &StaffMember,
        name: String,
        key: Option<KeyDigest>,
    ) -> Result<CreatedOrganization, ServiceError> {
        if name.trim().is_empty() || name.len() > NAME_BYTES_MAX || name.contains('\0') {
            return Err(Refusal::InvalidField { field: "name" }.into());
        }
        let Some(key) = key else {
            let organization_id = self.ids().organization_id(self.now())?;
            let organization = self
                .database()
                .insert_organization(
                    organization_id,
                    &name,
                    self.creation(staff, organization_id, &name),
                )
                .await?;
            return Ok(CreatedOrganization {
                organization,
                replayed: false,
            });
        };
        let ids = KeyedIds::of(key, 0, self.now());
        if let Some(organization) = self.database().organization(OrganizationId(ids.earlier)).await? {
            return replayed(organization, &name);
        }
        let organization_id = OrganizationId(ids.today);
        let entry = self.creation(staff, organization_id, &name);
        match self
            .database()
            .insert_organization(organization_id, &name, entry)
            .await
        {
            Ok(organization) => Ok(CreatedOrganization {
                organization,
                replayed: false,
            }),
            Err(DatabaseError::Conflict { .. }) => replayed(self.organization(organization_id).await?, &name),
            Err(error) => Err(error.into()),
        }
    }

    fn creation(&self, staff: &StaffMember, organization_id: OrganizationId, name: &str) -> AuditEntry {
        let mut entry = staff.entry(self.now(), "organizations.create", AuditOutcome::Done);
        entry.target = Some(target("organization", organization_id.0));
        entry.organization_id = Some(organization_id);
        entry.after = Some(json!({ "name": name }));
        entry
    }

    /// An organization by its id, for staff. Errors: not found, also when it is out of their sight.
    pub async fn staff_organization(
        &self,
        staff: &StaffMember,
        id: OrganizationId,
    ) -> Result<OrganizationRow, ServiceError> {
        if !staff.scope.covers(id) {
            let organization = target("organization", id.0);
            return Err(self
                .out_of_sight(staff, "organizations.reach", organization, id)
                .await);
        }
        self.organization(id).await
    }

    /// An organization by its id.
    pub async fn organization(&self, id: OrganizationId) -> Result<OrganizationRow, ServiceError> {
        self.database()
            .organization(id)
            .await?
            .ok_or(ServiceError::NotFound)
    }
}

/// Errors: the key was used for another organization.
fn replayed(organization: OrganizationRow, name: &str) -> Result<CreatedOrganization, ServiceError> {
    if organization.name != name {
        return Err(Refusal::KeyReused.into());
    }
    Ok(CreatedOrganization {
        organization,
        replayed: true,
    })
}
