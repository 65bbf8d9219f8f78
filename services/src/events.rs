//! Events: what is on sale, read from memory and changed by staff.
//!
//! Every change answers the event as it is after the change, from the engine and not from the database: staff see
//! what they did at once, and a sale can be changed while Postgres is away.

use std::sync::Arc;

use onsale_domain::id::KeyDigest;
use onsale_domain::{
    Availability, Command, EventDefinition, EventDetails, EventId, EventStatus, Money, Quota, QuotaId,
    Record, Refusal, Sequence, TicketType, TicketTypeId,
};
use onsale_engine::EngineError;

use crate::keyed::KeyedIds;
use crate::sale::Work;
use crate::{ServiceError, Services, StaffMember};

/// A new event's id may meet one whose route is taken; more often than this it is no accident.
const ID_TRIES_MAX: u32 = 4;
/// Sequence of the record that brings an event into being.
const FIRST: Sequence = 1;

/// What an organizer writes about a ticket type.
#[derive(Clone, Debug)]
pub struct TicketTypeInput {
    /// Name shown to buyers.
    pub name: String,
    /// The pool it draws from.
    pub quota_id: QuotaId,
    /// Price of one ticket, in the event's currency.
    pub price: Money,
}

/// An event that was brought into being, now or by an earlier request with the same key.
#[derive(Clone, Debug)]
pub struct CreatedEvent {
    /// The event as it was then.
    pub definition: EventDefinition,
    /// Whether this repeats an earlier answer.
    pub replayed: bool,
}

impl Services {
    /// Counts and definition of an event that buyers may see, from memory.
    ///
    /// Errors: not found for a draft, too.
    pub async fn availability(&self, event_id: EventId) -> Result<Arc<Availability>, ServiceError> {
        let availability = self.engine().availability(event_id).await?;
        match availability.definition.status {
            EventStatus::Draft => Err(ServiceError::NotFound),
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
        if !staff
            .scope
            .covers(availability.definition.details.organization_id)
        {
            return Err(ServiceError::NotFound);
        }
        Ok(availability)
    }

    /// Brings an event into being, as a draft. A repeat of the key gets the first answer.
    pub async fn create_event(
        &self,
        staff: &StaffMember,
        details: EventDetails,
        key: Option<KeyDigest>,
    ) -> Result<CreatedEvent, ServiceError> {
        if !staff.scope.covers(details.organization_id) {
            return Err(ServiceError::NotFound);
        }
        details.check()?;
        self.organization(details.organization_id)
            .await
            .map_err(|error| match error {
                ServiceError::NotFound => Refusal::InvalidField {
                    field: "organization_id",
                }
                .into(),
                other => other,
            })?;
        match key {
            None => self.create_unkeyed_event(details).await,
            Some(key) => self.create_keyed_event(details, key).await,
        }
    }

    async fn create_unkeyed_event(&self, details: EventDetails) -> Result<CreatedEvent, ServiceError> {
        for _ in 0..ID_TRIES_MAX {
            let event_id = self.ids().event_id(self.now())?;
            if let Some(created) = self.try_create_event(event_id, &details).await? {
                return Ok(created);
            }
        }
        Err(Refusal::EventExists.into())
    }

    /// The event's id follows from the key, so that what an earlier request made is found under it. The claim keeps
    /// two requests with one key apart here, and the event's owner does between processes.
    async fn create_keyed_event(
        &self,
        details: EventDetails,
        key: KeyDigest,
    ) -> Result<CreatedEvent, ServiceError> {
        let _claim = self.in_flight().claim(Work::Key(key))?;
        for attempt in 0..ID_TRIES_MAX {
            let ids = KeyedIds::of(key, attempt, self.now());
            if let Some(created) = self.created_before(EventId(ids.earlier), &details).await? {
                return Ok(created);
            }
            if let Some(created) = self.try_create_event(EventId(ids.today), &details).await? {
                return Ok(created);
            }
            if let Some(created) = self.created_before(EventId(ids.today), &details).await? {
                return Ok(created);
            }
            // The route is another event's, or a crash came between the id and its first record.
        }
        Err(Refusal::EventExists.into())
    }

    /// `None` when the id or its route is taken.
    async fn try_create_event(
        &self,
        event_id: EventId,
        details: &EventDetails,
    ) -> Result<Option<CreatedEvent>, ServiceError> {
        let command = Command::CreateEvent {
            event_id,
            details: Box::new(details.clone()),
        };
        match self.engine().execute(event_id, command).await {
            Ok(_) => {
                let event = self.engine().availability(event_id).await?;
                Ok(Some(CreatedEvent {
                    definition: event.definition.as_ref().clone(),
                    replayed: false,
                }))
            }
            Err(EngineError::Refused(Refusal::EventExists)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The event as it was brought into being by an earlier request. `None` when there is none.
    ///
    /// Errors: the key was used for another event.
    async fn created_before(
        &self,
        event_id: EventId,
        details: &EventDetails,
    ) -> Result<Option<CreatedEvent>, ServiceError> {
        match self.engine().availability(event_id).await {
            Ok(_) => {}
            Err(EngineError::NotFound) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let Record::EventCreated { details: first, .. } = self.engine().record(event_id, FIRST).await? else {
            return Err(ServiceError::Internal(
                "an event that does not begin with its creation",
            ));
        };
        if first != *details {
            return Err(Refusal::KeyReused.into());
        }
        Ok(Some(CreatedEvent {
            definition: EventDefinition {
                event_id,
                version: FIRST,
                status: EventStatus::Draft,
                details: first,
                ticket_types: vec![],
                quotas: vec![],
            },
            replayed: true,
        }))
    }

    /// Replaces an event's details.
    pub async fn edit_event(
        &self,
        staff: &StaffMember,
        event_id: EventId,
        details: EventDetails,
        expected_version: Sequence,
    ) -> Result<Arc<Availability>, ServiceError> {
        self.staff_event(staff, event_id).await?;
        let command = Command::EditEvent {
            details: Box::new(details),
            expected_version,
        };
        self.change_event(event_id, command).await
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
        self.staff_event(staff, event_id).await?;
        let command = Command::ChangeStatus { to, expected_version };
        self.change_event(event_id, command).await
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
        self.staff_event(staff, event_id).await?;
        self.set_quota(event_id, quota, expected_version).await
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
        self.set_quota(event_id, quota, expected_version).await
    }

    async fn set_quota(
        &self,
        event_id: EventId,
        quota: Quota,
        expected_version: Sequence,
    ) -> Result<Arc<Availability>, ServiceError> {
        let command = Command::SetQuota {
            quota: Box::new(quota),
            expected_version,
        };
        self.change_event(event_id, command).await
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
        let command = set_ticket_type(&event, id, input, expected_version)?;
        self.change_event(event_id, command).await
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
        let command = set_ticket_type(&event, id, input, expected_version)?;
        self.change_event(event_id, command).await
    }

    async fn change_event(
        &self,
        event_id: EventId,
        command: Command,
    ) -> Result<Arc<Availability>, ServiceError> {
        self.engine().execute(event_id, command).await?;
        Ok(self.engine().availability(event_id).await?)
    }
}

fn set_ticket_type(
    event: &Availability,
    id: TicketTypeId,
    input: TicketTypeInput,
    expected_version: Sequence,
) -> Result<Command, ServiceError> {
    if input.price.currency != event.definition.details.currency {
        return Err(ServiceError::CurrencyMismatch);
    }
    Ok(Command::SetTicketType {
        ticket_type: Box::new(TicketType {
            id,
            name: input.name,
            quota_id: input.quota_id,
            unit_price_minor: input.price.amount_minor,
        }),
        expected_version,
    })
}
