//! What staff may do.

use onsale_domain::{
    EventDetails, EventId, EventStatus, Quota, Record, Refusal, Sequence, TicketType, UnixMillis,
};

use super::{Event, Reference, State, Wanted};

impl Reference {
    pub(super) fn create(&self, event_id: EventId, details: &EventDetails, at: UnixMillis) -> Wanted {
        if self.event.is_some() {
            return Err(Refusal::EventExists);
        }
        check_details(details)?;
        let details = details.clone();
        Ok(Some(Record::EventCreated {
            at,
            event_id,
            details,
        }))
    }

    fn editable(&self, expected: Sequence) -> Result<&Event, Refusal> {
        let event = self.event();
        if event.status == EventStatus::Deleted {
            return Err(Refusal::EventNotFound);
        }
        if event.version != expected {
            return Err(Refusal::VersionMismatch {
                version: event.version,
            });
        }
        if event.status == EventStatus::Cancelled {
            return Err(Refusal::EventCancelled);
        }
        Ok(event)
    }

    pub(super) fn edit(&self, details: &EventDetails, expected: Sequence, at: UnixMillis) -> Wanted {
        let event = self.editable(expected)?;
        check_details(details)?;
        if details.organization_id != event.details.organization_id {
            return Err(Refusal::Frozen {
                field: "organization_id",
            });
        }
        if event.status != EventStatus::Draft && details.currency != event.details.currency {
            return Err(Refusal::Frozen { field: "currency" });
        }
        Ok(Some(Record::EventEdited {
            at,
            details: details.clone(),
        }))
    }

    pub(super) fn set_quota(&self, quota: &Quota, expected: Sequence, at: UnixMillis) -> Wanted {
        self.editable(expected)?;
        if quota.capacity > 10_000_000 {
            return Err(Refusal::InvalidField { field: "capacity" });
        }
        let committed = self.units(quota.id, State::Live) + self.units(quota.id, State::Sold);
        if quota.capacity < committed {
            return Err(Refusal::CapacityBelowCommitted { committed });
        }
        Ok(Some(Record::QuotaSet {
            at,
            quota: quota.clone(),
        }))
    }

    pub(super) fn set_type(&self, ticket_type: &TicketType, expected: Sequence, at: UnixMillis) -> Wanted {
        let event = self.editable(expected)?;
        if ticket_type.unit_price_minor < 0 {
            return Err(Refusal::InvalidField { field: "price" });
        }
        if ticket_type.unit_fee_minor < 0 {
            return Err(Refusal::InvalidField { field: "fee" });
        }
        if ticket_type.tax.basis_points > 10_000 {
            return Err(Refusal::InvalidField { field: "tax" });
        }
        if event.quotas.iter().all(|quota| quota.id != ticket_type.quota_id) {
            return Err(Refusal::UnknownQuota);
        }
        let moves = self
            .type_of(ticket_type.id)
            .is_some_and(|present| present.quota_id != ticket_type.quota_id);
        if moves && event.status != EventStatus::Draft {
            return Err(Refusal::Frozen { field: "quota_id" });
        }
        Ok(Some(Record::TicketTypeSet {
            at,
            ticket_type: ticket_type.clone(),
        }))
    }

    pub(super) fn change_status(
        &self,
        to: EventStatus,
        expected: Option<Sequence>,
        at: UnixMillis,
    ) -> Wanted {
        use EventStatus::{Cancelled, Closed, Deleted, Draft, OnSale, Paused, Published};
        let event = self.event();
        if expected.is_some_and(|expected| expected != event.version) {
            return Err(Refusal::VersionMismatch {
                version: event.version,
            });
        }
        let from = self.due(at.0).unwrap_or(event.status);
        let changed = Ok(Some(Record::StatusChanged { at, to }));
        match (from, to) {
            (from, to) if from == to => {
                if event.status == to {
                    Ok(None)
                } else {
                    changed
                }
            }
            (Draft, Published) if event.types.is_empty() => Err(Refusal::NothingToSell),
            (Published, OnSale) => {
                let opens_at = Some(event.details.sales_window.opens_at);
                Err(Refusal::SaleNotStarted { opens_at })
            }
            (Draft, Published | Deleted)
            | (OnSale, Paused)
            | (Paused, OnSale)
            | (Published | OnSale | Paused, Closed)
            | (Draft | Published | OnSale | Paused | Closed, Cancelled) => changed,
            (_, Deleted) => Err(Refusal::NotDraft),
            (from, to) => Err(Refusal::InvalidTransition { from, to }),
        }
    }
}

fn check_details(details: &EventDetails) -> Result<(), Refusal> {
    if details.sales_window.opens_at >= details.sales_window.closes_at {
        return Err(Refusal::InvalidField {
            field: "sales_window",
        });
    }
    if details.buyer_limit == Some(0) {
        return Err(Refusal::InvalidField { field: "buyer_limit" });
    }
    Ok(())
}
