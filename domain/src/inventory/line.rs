//! Lines as the state keeps them: small, because every open hold has one.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::record::Line;
use crate::{Tax, TicketTypeId};

/// A line with the ticket type by its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldLine {
    /// Price of one ticket, locked.
    unit_price_minor: i64,
    /// Fee on one ticket, locked.
    unit_fee_minor: i64,
    /// How many tickets.
    pub quantity: u32,
    /// Tax on price and fee, locked: twice the rate, and one more where the price contains it.
    tax: u16,
    /// Position of the ticket type in the definition.
    pub ticket_type: u16,
}

/// The lines of a hold or order. Most have one.
pub(super) type HeldLines = SmallVec<[HeldLine; 1]>;

const _: () = assert!(
    size_of::<HeldLine>() == 24 && crate::limits::TAX_BASIS_POINTS_MAX <= u16::MAX / 2,
    "a tax must fit beside the position"
);

impl HeldLine {
    /// The line of a record; `None` where no ticket type could have its tax or stand at this position.
    pub(super) fn of(line: &Line, position: usize) -> Option<Self> {
        Some(Self {
            unit_price_minor: line.unit_price_minor,
            unit_fee_minor: line.unit_fee_minor,
            quantity: line.quantity,
            tax: line.tax.basis_points.checked_mul(2)? | u16::from(line.tax.inclusive),
            ticket_type: u16::try_from(position).ok()?,
        })
    }

    /// The line of a record again.
    pub(super) const fn spell_out(self, ticket_type_id: TicketTypeId) -> Line {
        Line {
            ticket_type_id,
            quantity: self.quantity,
            unit_price_minor: self.unit_price_minor,
            unit_fee_minor: self.unit_fee_minor,
            tax: Tax {
                basis_points: self.tax / 2,
                inclusive: self.tax % 2 == 1,
            },
        }
    }
}
