//! Money.

use onsale_domain::Money;
use onsale_domain::money::Currency;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An amount in minor units of its currency.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Money)]
pub(crate) struct MoneyView {
    /// Minor units (cents, yen, fils), never fractions.
    pub(crate) amount: i64,
    /// ISO 4217 code.
    #[schema(value_type = String, example = "EUR")]
    pub(crate) currency: Currency,
}

impl From<Money> for MoneyView {
    fn from(money: Money) -> Self {
        Self {
            amount: money.amount_minor,
            currency: money.currency,
        }
    }
}

impl From<MoneyView> for Money {
    fn from(money: MoneyView) -> Self {
        Self {
            amount_minor: money.amount,
            currency: money.currency,
        }
    }
}
