//! Moving an event between its states, by staff and by the clock.

use super::state::Inventory;
use crate::definition::EventDefinition;
use crate::{EventStatus, Record, Refusal, Sequence, UnixMillis};

impl Inventory {
    /// See [`due_status`].
    pub(super) fn due_status(&self, now: UnixMillis) -> Option<EventStatus> {
        due_status(self.definition.as_ref()?, now)
    }

    /// When the sales window changes the status next.
    pub fn next_status_at(&self) -> Option<UnixMillis> {
        let definition = self.definition.as_ref()?;
        let window = definition.details.sales_window;
        match definition.status {
            EventStatus::Published => Some(window.opens_at),
            EventStatus::OnSale | EventStatus::Paused => Some(window.closes_at),
            EventStatus::Draft | EventStatus::Closed | EventStatus::Cancelled | EventStatus::Deleted => None,
        }
    }

    pub(super) fn change_status(
        &self,
        to: EventStatus,
        expected_version: Option<Sequence>,
        now: UnixMillis,
    ) -> Result<Option<Record>, Refusal> {
        let definition = self.definition.as_ref().ok_or(Refusal::EventNotFound)?;
        if expected_version.is_some_and(|expected| expected != definition.version) {
            return Err(Refusal::VersionMismatch {
                version: definition.version,
            });
        }
        // A window that opened or closed a moment ago counts, even where no record says so yet.
        let from = self.due_status(now).unwrap_or(definition.status);
        if from == to && definition.status == to {
            return Ok(None);
        }
        if from == EventStatus::Published && to == EventStatus::OnSale {
            return Err(Refusal::SaleNotStarted {
                opens_at: Some(definition.details.sales_window.opens_at),
            });
        }
        if to == EventStatus::Deleted && from != EventStatus::Draft {
            return Err(Refusal::NotDraft);
        }
        if from != to && !from.may_become(to) {
            return Err(Refusal::InvalidTransition { from, to });
        }
        if to == EventStatus::Published && definition.ticket_types.is_empty() {
            return Err(Refusal::NothingToSell);
        }
        Ok(Some(Record::StatusChanged { at: now, to }))
    }
}

/// The status that the sales window asks for at an instant, if it is another than the present one.
pub(super) fn due_status(definition: &EventDefinition, now: UnixMillis) -> Option<EventStatus> {
    let window = definition.details.sales_window;
    match definition.status {
        EventStatus::Published | EventStatus::OnSale | EventStatus::Paused if now >= window.closes_at => {
            Some(EventStatus::Closed)
        }
        EventStatus::Published if now >= window.opens_at => Some(EventStatus::OnSale),
        EventStatus::Published
        | EventStatus::OnSale
        | EventStatus::Paused
        | EventStatus::Draft
        | EventStatus::Closed
        | EventStatus::Cancelled
        | EventStatus::Deleted => None,
    }
}

/// Whether an event in this status sells, and if not, why.
pub(super) fn check_selling(status: EventStatus, opens_at: UnixMillis) -> Result<(), Refusal> {
    match status {
        EventStatus::OnSale => Ok(()),
        EventStatus::Draft => Err(Refusal::SaleNotStarted { opens_at: None }),
        EventStatus::Published => Err(Refusal::SaleNotStarted {
            opens_at: Some(opens_at),
        }),
        EventStatus::Paused => Err(Refusal::SalePaused),
        EventStatus::Closed => Err(Refusal::SaleEnded),
        EventStatus::Cancelled => Err(Refusal::EventCancelled),
        EventStatus::Deleted => Err(Refusal::EventNotFound),
    }
}
