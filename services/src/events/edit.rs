//! Changing events: details, status, quotas and ticket types.

use std::sync::Arc;

use onsale_domain::{
    Availability, Command, EventDetails, EventId, EventStatus, Money, Quota, QuotaId, Sequence, Tax,
    TicketType, TicketTypeId,
};
use onsale_persistence::AuditOutcome;
use serde_json::{Value, json};

use crate::audit::{json_of, target};
use crate::{ServiceError, Services, StaffMember};

/// What an organizer writes about a ticket type.
#[derive(Clone, Debug)]
pub struct TicketTypeInput {
    /// Name shown to buyers.
    pub name: String,
    /// The pool it draws from.
    pub quota_id: QuotaId,
    /// Price of one ticket, in the event's currency.
    pub price: Money,
    /// Fee on one ticket, in the event's currency.
    pub fee_minor: i64,
    /// Tax on price and fee.
    pub tax: Tax,
}

impl Services {
    /// Replaces an event's details.
    pub async fn edit_event(
        &self,
        staff: &StaffMember,
        event_id: EventId,
        details: EventDetails,
        expected_version: Sequence,
    ) -> Result<Arc<Availability>, ServiceError> {
        let before = self.staff_event(staff, event_id).await?;
        let states = (json_of(&before.definition.details), json_of(&details));
        let command = Command::EditEvent {
            details: Box::new(details),
            expected_version,
        };
        self.change_event(staff, &before, ("events.edit", states), command)
            .await
    }

    /// Moves an event to another status. Without an expected version it wins over edits made meanwhile: stopping a
    /// sale must not wait for a fresh read.
    pub async fn change_event_status(
        &self,
        staff: &StaffMember,
        event_id: EventId,
        to: EventStatus,
        expected_version: Option<Sequence>,
    ) -> Result<Arc<Availability>, ServiceError> {
        let before = self.staff_event(staff, event_id).await?;
        let state = |status: EventStatus| Some(json!({"status": status.as_str()}));
        let changed = (state(before.definition.status), state(to));
        let command = Command::ChangeStatus { to, expected_version };
        self.change_event(staff, &before, ("events.change_status", changed), command)
            .await
    }

    /// Deletes an event that was never published, and that no package includes. Repeating it changes nothing.
    pub async fn delete_event(
        &self,
        staff: &StaffMember,
        event_id: EventId,
        expected_version: Option<Sequence>,
    ) -> Result<(), ServiceError> {
        let event = self.engine().availability(event_id).await?;
        let organization_id = event.definition.details.organization_id;
        if event.definition.status == EventStatus::Deleted && staff.scope.covers(organization_id) {
            return Ok(());
        }
        let before = self.staff_event(staff, event_id).await?;
        if self.database().is_in_a_package(event_id).await? {
            return Err(ServiceError::InPackage);
        }
        let to = EventStatus::Deleted;
        let changed = (json_of(&before.definition.details), None);
        let command = Command::ChangeStatus { to, expected_version };
        self.change_event(staff, &before, ("events.delete", changed), command)
            .await?;
        Ok(())
    }

    /// Adds a quota.
    pub async fn add_quota(
        &self,
        staff: &StaffMember,
        event_id: EventId,
        (name, capacity): (String, u32),
        expected_version: Sequence,
    ) -> Result<Arc<Availability>, ServiceError> {
        let id = self.ids().quota_id(self.now())?;
        let quota = Quota { id, name, capacity };
        let before = self.staff_event(staff, event_id).await?;
        self.set_quota(staff, &before, quota, expected_version).await
    }

    /// Renames or resizes a quota, during the sale as well.
    ///
    /// Errors: not found when the event has no such quota.
    pub async fn edit_quota(
        &self,
        staff: &StaffMember,
        event_id: EventId,
        quota: Quota,
        expected_version: Sequence,
    ) -> Result<Arc<Availability>, ServiceError> {
        let event = self.staff_event(staff, event_id).await?;
        if event.definition.quota_position(quota.id).is_none() {
            return Err(ServiceError::NotFound);
        }
        self.set_quota(staff, &event, quota, expected_version).await
    }

    async fn set_quota(
        &self,
        staff: &StaffMember,
        event: &Availability,
        quota: Quota,
        expected_version: Sequence,
    ) -> Result<Arc<Availability>, ServiceError> {
        let quotas = &event.definition.quotas;
        let before = quotas.iter().find(|before| before.id == quota.id);
        let states = (before.and_then(json_of), json_of(&quota));
        let command = Command::SetQuota {
            quota: Box::new(quota),
            expected_version,
        };
        self.change_event(staff, event, ("events.set_quota", states), command)
            .await
    }

    /// Adds a ticket type.
    pub async fn add_ticket_type(
        &self,
        staff: &StaffMember,
        event_id: EventId,
        input: TicketTypeInput,
        expected_version: Sequence,
    ) -> Result<Arc<Availability>, ServiceError> {
        let id = self.ids().ticket_type_id(self.now())?;
        let event = self.staff_event(staff, event_id).await?;
        self.set_ticket_type(staff, &event, (id, input), expected_version)
            .await
    }

    /// Edits a ticket type. Holds keep the price that they were quoted.
    ///
    /// Errors: not found when the event has no such ticket type.
    pub async fn edit_ticket_type(
        &self,
        staff: &StaffMember,
        event_id: EventId,
        (id, input): (TicketTypeId, TicketTypeInput),
        expected_version: Sequence,
    ) -> Result<Arc<Availability>, ServiceError> {
        let event = self.staff_event(staff, event_id).await?;
        if event.definition.ticket_type(id).is_none() {
            return Err(ServiceError::NotFound);
        }
        self.set_ticket_type(staff, &event, (id, input), expected_version)
            .await
    }

    async fn set_ticket_type(
        &self,
        staff: &StaffMember,
        event: &Availability,
        (id, input): (TicketTypeId, TicketTypeInput),
        expected_version: Sequence,
    ) -> Result<Arc<Availability>, ServiceError> {
        if input.price.currency != event.definition.details.currency {
            return Err(ServiceError::CurrencyMismatch);
        }
        let ticket_type = TicketType {
            id,
            name: input.name,
            quota_id: input.quota_id,
            unit_price_minor: input.price.amount_minor,
            unit_fee_minor: input.fee_minor,
            tax: input.tax,
        };
        let before = event.definition.ticket_type(id);
        let before = before.and_then(|(_, before)| json_of(before));
        let states = (before, json_of(&ticket_type));
        let command = Command::SetTicketType {
            ticket_type: Box::new(ticket_type),
            expected_version,
        };
        self.change_event(staff, event, ("events.set_ticket_type", states), command)
            .await
    }

    /// Sends a change to the event's journal, framed by its entries in the audit log.
    async fn change_event(
        &self,
        staff: &StaffMember,
        event: &Availability,
        (action, (before, after)): (&'static str, (Option<Value>, Option<Value>)),
        command: Command,
    ) -> Result<Arc<Availability>, ServiceError> {
        let event_id = event.definition.event_id;
        let mut entry = staff.entry(self.now(), action, AuditOutcome::Asked);
        entry.target = Some(target("event", event_id.0));
        entry.organization_id = Some(event.definition.details.organization_id);
        entry.before = before;
        entry.after = after;
        let changing = async {
            self.engine().execute(event_id, command).await?;
            Ok(self.engine().availability(event_id).await?)
        };
        self.audited(entry, changing, |_| None).await
    }
}
