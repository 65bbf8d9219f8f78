//! What can be had of an event.

use jiff::Timestamp;
use onsale_domain::{Availability, UnixMillis};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Counts of one ticket type. Ticket types that share a quota share its capacity, so each can show it as available.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketTypeAvailability)]
pub(crate) struct TicketTypeAvailabilityView {
    id: Uuid,
    /// Units that can be held now.
    available: u32,
    /// Tickets in live holds.
    held: u32,
    /// Tickets in orders.
    sold: u32,
    /// Units of its quota in all.
    capacity: u32,
}

/// Counts of an event at one sequence.
#[derive(Serialize, ToSchema)]
#[schema(as = Availability)]
pub(crate) struct AvailabilityView {
    event_id: Uuid,
    status: &'static str,
    /// The records up to this one are counted.
    seq: u64,
    /// When the next hold ends by itself.
    next_expiry_at: Option<Timestamp>,
    ticket_types: Vec<TicketTypeAvailabilityView>,
}

impl From<&Availability> for AvailabilityView {
    fn from(availability: &Availability) -> Self {
        let definition = &availability.definition;
        let ticket_types = definition
            .ticket_types
            .iter()
            .zip(&availability.ticket_types)
            .enumerate()
            .map(|(position, (ticket_type, counts))| {
                let quota = availability.quota_of(position);
                TicketTypeAvailabilityView {
                    id: ticket_type.id.0,
                    available: quota.available(),
                    held: counts.held,
                    sold: counts.sold,
                    capacity: quota.capacity,
                }
            })
            .collect();
        Self {
            event_id: definition.event_id.0,
            status: definition.status.as_str(),
            seq: availability.seq,
            next_expiry_at: availability.next_expiry_at.map(UnixMillis::to_timestamp),
            ticket_types,
        }
    }
}
