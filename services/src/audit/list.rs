//! Reading the audit log.

use onsale_persistence::{AuditEntryRow, AuditFilter};

use crate::{Page, ServiceError, Services, StaffMember};

impl Services {
    /// Entries that staff may see, newest first, from the one before `before`.
    ///
    /// Errors: not found when an organization was asked for that is out of their sight.
    pub async fn list_audit_entries(
        &self,
        staff: &StaffMember,
        mut filter: AuditFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Page<AuditEntryRow>, ServiceError> {
        filter.organizations = staff.narrowed(filter.organizations)?;
        let rows = self.database().audit_entries(&filter, before, limit + 1).await?;
        Ok(Page::cut(rows, limit))
    }
}
