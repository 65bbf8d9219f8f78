//! What may be told to buyers: counts at one sequence.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::state::Inventory;
use super::status::{check_selling, due_status};
use crate::command::RequestedLine;
use crate::definition::EventDefinition;
use crate::{Refusal, Sequence, UnixMillis};

/// Counts of one quota.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaCounts {
    /// Units in all.
    pub capacity: u32,
    /// Units in live holds.
    pub held: u32,
    /// Units in orders that are not cancelled.
    pub sold: u32,
}

impl QuotaCounts {
    /// Units that are neither held nor sold (I1).
    pub const fn available(self) -> u32 {
        self.capacity.saturating_sub(self.held).saturating_sub(self.sold)
    }

    /// The refusal of a line that wants more than the `available` units: those that earlier lines of its request
    /// leave of the free ones. Only where the quota itself has nothing free and nothing held is it "sold out": held
    /// units may come back.
    pub const fn refusal(self, available: u32, next_expiry_at: Option<UnixMillis>) -> Refusal {
        match (self.available(), self.held) {
            (0, 0) => Refusal::SoldOut,
            (0, _) => Refusal::AllHeld { next_expiry_at },
            (_, _) => Refusal::InsufficientAvailability { available },
        }
    }
}

/// Counts of one ticket type; its capacity is its quota's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketTypeCounts {
    /// Tickets in live holds.
    pub held: u32,
    /// Tickets in orders that are not cancelled.
    pub sold: u32,
}

/// The counts of an event at one sequence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    /// The records up to this one are counted.
    pub seq: Sequence,
    /// The definition that they are counted under.
    pub definition: Arc<EventDefinition>,
    /// By the quota's position in the definition.
    pub quotas: SmallVec<[QuotaCounts; 2]>,
    /// By the ticket type's position in the definition.
    pub ticket_types: SmallVec<[TicketTypeCounts; 2]>,
    /// When the next hold ends.
    pub next_expiry_at: Option<UnixMillis>,
}

impl Inventory {
    /// The counts now; `None` before the event was created.
    pub fn availability(&self) -> Option<Availability> {
        let definition = self.definition.as_ref()?;
        Some(Availability {
            seq: self.seq,
            definition: Arc::clone(definition),
            quotas: (0..definition.quotas.len())
                .map(|position| self.quota_counts(position))
                .collect(),
            ticket_types: self
                .ticket_type_units
                .iter()
                .map(|units| TicketTypeCounts {
                    held: units.held,
                    sold: units.sold,
                })
                .collect(),
            next_expiry_at: self.next_expiry_at(),
        })
    }

    pub(super) fn quota_counts(&self, position: usize) -> QuotaCounts {
        let capacity = self
            .definition
            .as_ref()
            .and_then(|definition| definition.quotas.get(position))
            .map_or(0, |quota| quota.capacity);
        let units = self.quota_units.get(position).copied().unwrap_or_default();
        QuotaCounts {
            capacity,
            held: units.held,
            sold: units.sold,
        }
    }
}

impl Availability {
    /// The quick answer for a request that cannot succeed at this sequence: the sale is not open, or a line's quota
    /// has nothing free. It may only reject; whatever passes is decided by [`Inventory::apply`].
    ///
    /// Errors: the refusal that the full decision would give at this sequence.
    pub fn gate(&self, lines: &[RequestedLine], now: UnixMillis) -> Result<(), Refusal> {
        let window = self.definition.details.sales_window;
        let status = due_status(&self.definition, now).unwrap_or(self.definition.status);
        check_selling(status, window.opens_at)?;
        for line in lines {
            let Some((position, _)) = self.definition.ticket_type(line.ticket_type_id) else {
                return Ok(());
            };
            let counts = self.quota_of(position);
            if counts.available() == 0 && line.quantity > 0 {
                return Err(counts.refusal(0, self.next_expiry_at));
            }
        }
        Ok(())
    }

    /// Counts of the quota behind a ticket type's position.
    pub fn quota_of(&self, ticket_type: usize) -> QuotaCounts {
        self.definition
            .ticket_types
            .get(ticket_type)
            .and_then(|ticket_type| self.definition.quota_position(ticket_type.quota_id))
            .and_then(|position| self.quotas.get(position).copied())
            .unwrap_or_default()
    }
}
