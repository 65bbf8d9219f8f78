//! Decisions about what is on sale: creating and editing the event, its quotas and ticket types.

use std::sync::Arc;

use super::state::Inventory;
use crate::definition::{EventDefinition, EventDetails, Quota, TicketType};
use crate::limits::{QUOTAS_MAX, TICKET_TYPES_MAX};
use crate::{EventId, EventStatus, Record, Refusal, Sequence, UnixMillis};

impl Inventory {
    pub(super) fn create_event(
        &self,
        event_id: EventId,
        details: &EventDetails,
        now: UnixMillis,
    ) -> Result<Record, Refusal> {
        if self.definition.is_some() {
            return Err(Refusal::EventExists);
        }
        details.check()?;
        Ok(Record::EventCreated {
            at: now,
            event_id,
            details: details.clone(),
        })
    }

    pub(super) fn edit_event(
        &self,
        details: &EventDetails,
        expected_version: Sequence,
        now: UnixMillis,
    ) -> Result<Record, Refusal> {
        let definition = self.editable(expected_version)?;
        details.check()?;
        if details.organization_id != definition.details.organization_id {
            return Err(Refusal::Frozen {
                field: "organization_id",
            });
        }
        if definition.status != EventStatus::Draft && details.currency != definition.details.currency {
            return Err(Refusal::Frozen { field: "currency" });
        }
        Ok(Record::EventEdited {
            at: now,
            details: details.clone(),
        })
    }

    /// Capacity may change during the sale, but never below what is sold and held (I2).
    pub(super) fn set_quota(
        &self,
        quota: &Quota,
        expected_version: Sequence,
        now: UnixMillis,
    ) -> Result<Record, Refusal> {
        let definition = self.editable(expected_version)?;
        quota.check()?;
        match definition.quota_position(quota.id) {
            Some(position) => {
                let committed = self
                    .quota_units
                    .get(position)
                    .map_or(0, |units| units.held + units.sold);
                if quota.capacity < committed {
                    return Err(Refusal::CapacityBelowCommitted { committed });
                }
            }
            None if definition.quotas.len() >= QUOTAS_MAX => {
                return Err(Refusal::TooMany { what: "quotas" });
            }
            None => {}
        }
        Ok(Record::QuotaSet {
            at: now,
            quota: quota.clone(),
        })
    }

    pub(super) fn set_ticket_type(
        &self,
        ticket_type: &TicketType,
        expected_version: Sequence,
        now: UnixMillis,
    ) -> Result<Record, Refusal> {
        let definition = self.editable(expected_version)?;
        ticket_type.check()?;
        if definition.quota_position(ticket_type.quota_id).is_none() {
            return Err(Refusal::UnknownQuota);
        }
        match definition.ticket_type(ticket_type.id) {
            // Units that are held or sold stand in the old quota's counts.
            Some((_, present))
                if definition.status != EventStatus::Draft && present.quota_id != ticket_type.quota_id =>
            {
                return Err(Refusal::Frozen { field: "quota_id" });
            }
            None if definition.ticket_types.len() >= TICKET_TYPES_MAX => {
                return Err(Refusal::TooMany { what: "ticket types" });
            }
            Some(_) | None => {}
        }
        Ok(Record::TicketTypeSet {
            at: now,
            ticket_type: ticket_type.clone(),
        })
    }

    fn editable(&self, expected_version: Sequence) -> Result<&Arc<EventDefinition>, Refusal> {
        let definition = self.definition.as_ref().ok_or(Refusal::EventNotFound)?;
        if definition.status == EventStatus::Deleted {
            return Err(Refusal::EventNotFound);
        }
        if definition.version != expected_version {
            return Err(Refusal::VersionMismatch {
                version: definition.version,
            });
        }
        if definition.status == EventStatus::Cancelled {
            return Err(Refusal::EventCancelled);
        }
        Ok(definition)
    }
}
