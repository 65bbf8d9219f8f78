//! The register of `docs/INVARIANTS.md`, as far as one event's state can show it.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::line::HeldLines;
use super::state::{Hold, Inventory, Map, Units};
use crate::word::{self, Word};
use crate::{BuyerId, HoldId, TicketStatus};

/// A broken invariant.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[error("{invariant}: {detail}")]
pub struct Violation {
    /// Number in the register, such as `I1`.
    #[serde(deserialize_with = "word::deserialize")]
    pub invariant: Word,
    /// What was found.
    #[serde(deserialize_with = "word::deserialize")]
    pub detail: Word,
}

impl Violation {
    pub(super) const fn conservation(detail: &'static str) -> Self {
        Self {
            invariant: "I1",
            detail,
        }
    }

    pub(super) const fn oversell(detail: &'static str) -> Self {
        Self {
            invariant: "I2",
            detail,
        }
    }

    pub(super) const fn buyer_ledger(detail: &'static str) -> Self {
        Self {
            invariant: "I9",
            detail,
        }
    }

    pub(super) const fn tickets(detail: &'static str) -> Self {
        Self {
            invariant: "I15",
            detail,
        }
    }

    pub(super) const fn state(detail: &'static str) -> Self {
        Self {
            invariant: "I13",
            detail,
        }
    }
}

impl Inventory {
    /// The cheap check of one quota that follows every change of its counts.
    pub(super) fn check_conservation(&self, position: usize) -> Result<(), Violation> {
        let counts = self.quota_counts(position);
        let committed = counts.held.checked_add(counts.sold);
        match committed {
            Some(committed) if committed <= counts.capacity => Ok(()),
            Some(_) => Err(Violation::oversell("held and sold exceed the capacity")),
            None => Err(Violation::conservation("counts overflow")),
        }
    }

    /// Counts everything again from the holds and orders and compares (I1, I2, I9, I10's index).
    pub fn check_invariants(&self) -> Result<(), Violation> {
        let mut quotas = vec![Units::default(); self.quota_units.len()];
        let mut ticket_types = vec![Units::default(); self.ticket_type_units.len()];
        let mut buyers: Map<BuyerId, u32> = Map::default();
        for hold in self.holds.values() {
            self.recount(&hold.lines, &mut quotas, &mut ticket_types, |units| {
                &mut units.held
            })?;
            *buyers.entry(hold.buyer_id).or_default() += hold.quantity();
        }
        for order in self.orders.values().filter(|order| !order.cancelled) {
            self.recount(&order.lines, &mut quotas, &mut ticket_types, |units| {
                &mut units.sold
            })?;
            *buyers.entry(order.buyer_id).or_default() +=
                order.lines.iter().map(|line| line.quantity).sum::<u32>();
        }
        // Who has nothing left, because all was refunded, stands in no ledger.
        buyers.retain(|_, live| *live > 0);
        if quotas != self.quota_units || ticket_types != self.ticket_type_units {
            return Err(Violation::conservation("counts differ from the holds and orders"));
        }
        if buyers != self.buyers {
            return Err(Violation::buyer_ledger(
                "the buyers' counts differ from the holds and orders",
            ));
        }
        (0..quotas.len()).try_for_each(|position| self.check_conservation(position))?;
        self.check_tickets()?;
        let indexed =
            |(hold_id, hold): (&HoldId, &Hold)| self.deadlines.contains(&(hold.expires_at, *hold_id));
        if self.deadlines.len() != self.holds.len() || !self.holds.iter().all(indexed) {
            return Err(Violation {
                invariant: "I10",
                detail: "deadlines differ from the live holds",
            });
        }
        Ok(())
    }

    /// I15: an order's tickets that still let in are as many as the units that are left of it.
    fn check_tickets(&self) -> Result<(), Violation> {
        for (order_id, order) in &self.orders {
            let mut living = 0_usize;
            for (_, ticket) in self.tickets_of(*order_id) {
                if ticket.order_id != *order_id {
                    return Err(Violation::tickets("an order with a ticket of another"));
                }
                living += usize::from(matches!(ticket.status, TicketStatus::Valid | TicketStatus::Used));
            }
            let left: u32 = order.lines.iter().map(|line| line.quantity).sum();
            let expected = if order.cancelled {
                Ok(0)
            } else {
                usize::try_from(left)
            };
            if expected != Ok(living) {
                return Err(Violation::tickets("an order's tickets differ from its units"));
            }
        }
        let indexed = self
            .tickets
            .values()
            .zip(0_u32..)
            .all(|(ticket, position)| self.codes.get(&ticket.code) == Some(&position));
        if !indexed || self.codes.len() != self.tickets.len() {
            return Err(Violation::tickets("codes differ from the tickets"));
        }
        let underway = |hold_id: &HoldId| self.holds.contains_key(hold_id);
        if !self.payments.keys().all(underway) {
            return Err(Violation::state("a payment of a hold that is not live"));
        }
        Ok(())
    }

    fn recount(
        &self,
        lines: &HeldLines,
        quotas: &mut [Units],
        ticket_types: &mut [Units],
        count: fn(&mut Units) -> &mut u32,
    ) -> Result<(), Violation> {
        let definition = self
            .definition
            .as_ref()
            .ok_or(Violation::state("the event was not created"))?;
        for line in lines {
            let ticket_type = usize::from(line.ticket_type);
            let quota = definition
                .ticket_types
                .get(ticket_type)
                .and_then(|ticket_type| definition.quota_position(ticket_type.quota_id))
                .ok_or(Violation::state("a ticket type without a quota"))?;
            *count(&mut quotas[quota]) += line.quantity;
            *count(&mut ticket_types[ticket_type]) += line.quantity;
        }
        Ok(())
    }
}
