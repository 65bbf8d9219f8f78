//! Organizations.

use jiff::Timestamp;
use onsale_services::OrganizationRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What staff write about an organization.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrganizationInput {
    /// Name shown to buyers, at most 200 bytes.
    pub(crate) name: String,
}

/// An organization: the tenant that owns events.
#[derive(Serialize, ToSchema)]
#[schema(as = Organization)]
pub(crate) struct OrganizationView {
    id: Uuid,
    name: String,
    created_at: Timestamp,
}

impl From<OrganizationRow> for OrganizationView {
    fn from(organization: OrganizationRow) -> Self {
        Self {
            id: organization.organization_id.0,
            name: organization.name,
            created_at: organization.created_at.to_timestamp(),
        }
    }
}
