//! Bringing events into being.

use onsale_domain::id::KeyDigest;
use onsale_domain::{
    Command, EventDefinition, EventDetails, EventId, EventStatus, Record, Refusal, Sequence,
};
use onsale_engine::EngineError;
use onsale_persistence::AuditOutcome;

use crate::audit::{json_of, target};
use crate::keyed::KeyedIds;
use crate::sale::Work;
use crate::{ServiceError, Services, StaffMember};

/// A new event's id may meet one whose route is taken; more often than this it is no accident.
const ID_TRIES_MAX: u32 = 4;
/// Sequence of the record that brings an event into being.
const FIRST: Sequence = 1;

/// An event that was brought into being, now or by an earlier request with the same key.
#[derive(Clone, Debug)]
pub struct CreatedEvent {
    /// The event as it was then.
    pub definition: EventDefinition,
    /// Whether this repeats an earlier answer.
    pub replayed: bool,
}

impl Services {
    /// Brings an event into being, as a draft. A repeat of the key gets the first answer.
    pub async fn create_event(
        &self,
        staff: &StaffMember,
        details: EventDetails,
        key: Option<KeyDigest>,
    ) -> Result<CreatedEvent, ServiceError> {
        let organization_id = details.organization_id;
        if !staff.scope.covers(organization_id) {
            let organization = target("organization", organization_id.0);
            return Err(self
                .out_of_sight(staff, "events.create", organization, organization_id)
                .await);
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
        let mut entry = staff.entry(self.now(), "events.create", AuditOutcome::Asked);
        entry.organization_id = Some(details.organization_id);
        entry.after = json_of(&details);
        let creating = async {
            match key {
                None => self.create_unkeyed_event(details).await,
                Some(key) => self.create_keyed_event(details, key).await,
            }
        };
        self.audited(entry, creating, |created| {
            Some(target("event", created.definition.event_id.0))
        })
        .await
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
}
