//! Events: what is on sale, read from memory and changed by staff.
//!
//! Every change answers the event as it is after the change, from the engine and not from the database: staff see
//! what they did at once. What was asked stands in the audit log before it is done, so staff's changes wait for
//! Postgres where the sale does not.

mod create;
mod edit;

use std::sync::Arc;

use onsale_domain::{Availability, EventId, EventStatus};

pub use create::CreatedEvent;
pub use edit::TicketTypeInput;

use crate::audit::target;
use crate::{ServiceError, Services, StaffMember};

impl Services {
    /// Counts and definition of an event that buyers may see, from memory.
    ///
    /// Errors: not found for a draft, too.
    pub async fn availability(&self, event_id: EventId) -> Result<Arc<Availability>, ServiceError> {
        let availability = self.engine().availability(event_id).await?;
        match availability.definition.status {
            EventStatus::Draft | EventStatus::Deleted => Err(ServiceError::NotFound),
            EventStatus::Published
            | EventStatus::OnSale
            | EventStatus::Paused
            | EventStatus::Closed
            | EventStatus::Cancelled => Ok(availability),
        }
    }

    /// Counts and definition of an event for staff. Errors: not found when it is out of their sight.
    pub async fn staff_event(
        &self,
        staff: &StaffMember,
        event_id: EventId,
    ) -> Result<Arc<Availability>, ServiceError> {
        let availability = self.engine().availability(event_id).await?;
        let organization_id = availability.definition.details.organization_id;
        if !staff.scope.covers(organization_id) {
            let event = target("event", event_id.0);
            return Err(self
                .out_of_sight(staff, "events.reach", event, organization_id)
                .await);
        }
        if availability.definition.status == EventStatus::Deleted {
            return Err(ServiceError::NotFound);
        }
        Ok(availability)
    }
}
