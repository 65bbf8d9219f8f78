//! Counting units and the buyers' live tickets, in checked arithmetic.

use super::super::Violation;
use super::super::line::HeldLines;
use super::super::state::{Inventory, Units};
use crate::BuyerId;

/// Where units are counted.
#[derive(Clone, Copy)]
pub(super) enum Count {
    Held,
    Sold,
}

impl Units {
    fn count(&mut self, count: Count) -> &mut u32 {
        match count {
            Count::Held => &mut self.held,
            Count::Sold => &mut self.sold,
        }
    }
}

impl Inventory {
    pub(super) fn add_units(&mut self, lines: &HeldLines, count: Count) -> Result<(), Violation> {
        self.change_units(lines, count, u32::checked_add)
    }

    pub(super) fn remove_units(&mut self, lines: &HeldLines, count: Count) -> Result<(), Violation> {
        self.change_units(lines, count, u32::checked_sub)
    }

    fn change_units(
        &mut self,
        lines: &HeldLines,
        count: Count,
        change: fn(u32, u32) -> Option<u32>,
    ) -> Result<(), Violation> {
        for line in lines {
            let position = self.quota_position_of(usize::from(line.ticket_type))?;
            for units in [
                self.ticket_type_units.get_mut(usize::from(line.ticket_type)),
                self.quota_units.get_mut(position),
            ] {
                let units = units.ok_or(Violation::state("counts are missing"))?.count(count);
                *units = change(*units, line.quantity)
                    .ok_or(Violation::conservation("a count fell below zero"))?;
            }
            self.check_conservation(position)?;
        }
        Ok(())
    }

    fn quota_position_of(&self, ticket_type: usize) -> Result<usize, Violation> {
        self.definition
            .as_ref()
            .and_then(|definition| {
                definition.quota_position(definition.ticket_types.get(ticket_type)?.quota_id)
            })
            .ok_or(Violation::state("a ticket type without a quota"))
    }

    pub(super) fn credit_buyer(&mut self, buyer_id: BuyerId, quantity: u32) -> Result<(), Violation> {
        let live = self.buyers.entry(buyer_id).or_default();
        *live = live
            .checked_add(quantity)
            .ok_or(Violation::buyer_ledger("a buyer's count overflowed"))?;
        Ok(())
    }

    pub(super) fn debit_buyer(&mut self, buyer_id: BuyerId, quantity: u32) -> Result<(), Violation> {
        let below_zero = Violation::buyer_ledger("a buyer's count fell below zero");
        let live = self.buyers.get_mut(&buyer_id).ok_or_else(|| below_zero.clone())?;
        *live = live.checked_sub(quantity).ok_or(below_zero)?;
        if *live == 0 {
            self.buyers.swap_remove(&buyer_id);
        }
        Ok(())
    }
}
