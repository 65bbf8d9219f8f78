//! Organizations: the tenants that own events. They are the one thing that is written to Postgres directly.

use onsale_domain::limits::NAME_BYTES_MAX;
use onsale_domain::{OrganizationId, Refusal};
use onsale_persistence::OrganizationRow;

use crate::{ServiceError, Services};

impl Services {
    /// Makes an organization.
    pub async fn create_organization(&self, name: String) -> Result<OrganizationRow, ServiceError> {
        if name.trim().is_empty() || name.len() > NAME_BYTES_MAX || name.contains('\0') {
            return Err(Refusal::InvalidField { field: "name" }.into());
        }
        let organization_id = self.ids().organization_id(self.now())?;
        Ok(self
            .database()
            .insert_organization(organization_id, &name)
            .await?)
    }

    /// An organization by its id.
    pub async fn organization(&self, id: OrganizationId) -> Result<OrganizationRow, ServiceError> {
        self.database()
            .organization(id)
            .await?
            .ok_or(ServiceError::NotFound)
    }
}
