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
