//! What a ticket costs, in its parts: price, fee and tax. All amounts are minor units, all arithmetic is checked.
//!
//! Tax is rounded for each ticket (half up), never for a line or an order: so every sum of tickets adds up, and a
//! refund of some tickets is exactly their share.

use serde::{Deserialize, Serialize};

use crate::TicketType;
use crate::record::Line;

/// A tax on price and fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tax {
    /// Hundredths of a percent, at most [`crate::limits::TAX_BASIS_POINTS_MAX`].
    pub basis_points: u16,
    /// Whether price and fee contain it. Otherwise it comes on top.
    pub inclusive: bool,
}

impl Default for Tax {
    fn default() -> Self {
        Self::NONE
    }
}

impl Tax {
    /// Nothing in the price, nothing on top.
    pub const NONE: Self = Self {
        basis_points: 0,
        inclusive: true,
    };

    /// The tax in or on an amount of at least zero; `None` on overflow.
    pub fn of(self, amount_minor: i64) -> Option<i64> {
        let basis_points = i128::from(self.basis_points);
        let whole = if self.inclusive {
            10_000 + basis_points
        } else {
            10_000
        };
        let tax = (i128::from(amount_minor) * basis_points * 2 + whole) / (2 * whole);
        i64::try_from(tax).ok()
    }
}

/// What an order or hold costs, in its parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Everything: what the buyer pays.
    pub total_minor: i64,
    /// The fees in it.
    pub fees_minor: i64,
    /// The tax in it, whether it was in the prices or came on top.
    pub tax_minor: i64,
}

/// What the buyer pays for one ticket; `None` on overflow.
fn unit_total_minor(price_minor: i64, fee_minor: i64, tax: Tax) -> Option<i64> {
    let asked = price_minor.checked_add(fee_minor)?;
    if tax.inclusive {
        return Some(asked);
    }
    asked.checked_add(tax.of(asked)?)
}

impl TicketType {
    /// What the buyer pays for one ticket; `None` on overflow.
    pub fn unit_total_minor(&self) -> Option<i64> {
        unit_total_minor(self.unit_price_minor, self.unit_fee_minor, self.tax)
    }
}

impl Line {
    /// The tax in the price of one ticket; `None` on overflow.
    pub fn unit_tax_minor(&self) -> Option<i64> {
        self.tax
            .of(self.unit_price_minor.checked_add(self.unit_fee_minor)?)
    }

    /// What the buyer pays for one ticket; `None` on overflow.
    pub fn unit_total_minor(&self) -> Option<i64> {
        unit_total_minor(self.unit_price_minor, self.unit_fee_minor, self.tax)
    }

    /// What the buyer pays for the line; `None` on overflow.
    pub fn total_minor(&self) -> Option<i64> {
        self.unit_total_minor()?.checked_mul(i64::from(self.quantity))
    }
}

/// The sums of lines; `None` on overflow, which callers must refuse.
pub fn totals(lines: &[Line]) -> Option<Totals> {
    lines.iter().try_fold(Totals::default(), |sums, line| {
        let quantity = i64::from(line.quantity);
        Some(Totals {
            total_minor: sums.total_minor.checked_add(line.total_minor()?)?,
            fees_minor: sums
                .fees_minor
                .checked_add(line.unit_fee_minor.checked_mul(quantity)?)?,
            tax_minor: sums
                .tax_minor
                .checked_add(line.unit_tax_minor()?.checked_mul(quantity)?)?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(basis_points: u16, inclusive: bool, amount_minor: i64, expected: i64) {
        let tax = Tax {
            basis_points,
            inclusive,
        };
        assert_eq!(tax.of(amount_minor), Some(expected));
    }

    #[test]
    fn tax_is_rounded_half_up() {
        check(1_900, false, 10_000, 1_900);
        check(1_900, true, 11_900, 1_900);
        check(700, false, 50, 4);
        check(500, false, 9, 0);
        check(500, false, 10, 1);
        check(0, true, 999, 0);
        check(10_000, true, 3, 2);
        check(1_900, false, 0, 0);
    }

    #[test]
    fn an_overflow_is_no_amount() {
        let tax = Tax {
            basis_points: 10_000,
            inclusive: false,
        };
        assert_eq!(tax.of(i64::MAX), Some(i64::MAX));
        let line = Line {
            ticket_type_id: crate::TicketTypeId(uuid::Uuid::nil()),
            quantity: 1,
            unit_price_minor: i64::MAX,
            unit_fee_minor: 0,
            tax,
        };
        assert_eq!(line.unit_total_minor(), None);
        assert_eq!(totals(&[line]), None);
    }
}
