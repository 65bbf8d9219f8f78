//! Money in checked integer arithmetic.

pub use iso_currency::Currency;
use serde::{Deserialize, Serialize};

/// An amount in minor units (cents, yen, fils: as many decimals as ISO 4217 gives the currency).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Minor units, never fractions.
    pub amount_minor: i64,
    /// ISO 4217 currency.
    pub currency: Currency,
}

/// `unit_price_minor` × `quantity`; `None` on overflow, which callers must refuse.
pub fn line_total_minor(unit_price_minor: i64, quantity: u32) -> Option<i64> {
    unit_price_minor.checked_mul(i64::from(quantity))
}

/// The sum of unit prices × quantities; `None` on overflow.
pub fn total_minor(lines: impl IntoIterator<Item = (i64, u32)>) -> Option<i64> {
    lines
        .into_iter()
        .try_fold(0_i64, |sum, (unit_price_minor, quantity)| {
            sum.checked_add(line_total_minor(unit_price_minor, quantity)?)
        })
}
