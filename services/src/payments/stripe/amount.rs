//! Money as Stripe writes it, which is not always in ISO 4217's minor units.

use onsale_domain::Money;
use onsale_domain::money::Currency;

/// Charged in whole units, as of Stripe's list; ISO 4217 gives some of these decimals.
const ZERO_DECIMALS: &[Currency] = &[
    Currency::BIF,
    Currency::CLP,
    Currency::DJF,
    Currency::GNF,
    Currency::JPY,
    Currency::KMF,
    Currency::KRW,
    Currency::MGA,
    Currency::PYG,
    Currency::RWF,
    Currency::VND,
    Currency::VUV,
    Currency::XAF,
    Currency::XOF,
    Currency::XPF,
];
/// Charged in whole units that are written with two zeros.
const WRITTEN_WITH_TWO: &[Currency] = &[Currency::ISK, Currency::UGX];
/// Three decimals of which the last must be zero.
const THREE_DECIMALS: &[Currency] = &[
    Currency::BHD,
    Currency::JOD,
    Currency::KWD,
    Currency::OMR,
    Currency::TND,
];

/// The number that stands for an amount in a request. `None`: Stripe cannot charge exactly this much, and we never
/// round what somebody pays.
pub(super) fn to_stripe(money: Money) -> Option<i64> {
    let amount = rescaled(
        money.amount_minor,
        iso_decimals(money.currency)?,
        stripe_decimals(money.currency)?,
    )?;
    let is_chargeable = !THREE_DECIMALS.contains(&money.currency) || amount % 10 == 0;
    (amount > 0 && is_chargeable).then_some(amount)
}

/// The amount that a number in an answer stands for. `None`: none that we could write.
pub(super) fn from_stripe(amount: i64, currency: &str) -> Option<Money> {
    let currency = Currency::from_code(&currency.to_ascii_uppercase())?;
    let amount_minor = rescaled(amount, stripe_decimals(currency)?, iso_decimals(currency)?)?;
    Some(Money {
        amount_minor,
        currency,
    })
}

fn iso_decimals(currency: Currency) -> Option<u32> {
    currency.exponent().map(u32::from)
}

/// How many decimals Stripe's numbers have; `None` for currencies that it does not charge.
fn stripe_decimals(currency: Currency) -> Option<u32> {
    if ZERO_DECIMALS.contains(&currency) {
        Some(0)
    } else if WRITTEN_WITH_TWO.contains(&currency) {
        Some(2)
    } else if THREE_DECIMALS.contains(&currency) {
        Some(3)
    } else {
        iso_decimals(currency).filter(|decimals| *decimals == 2)
    }
}

fn rescaled(amount: i64, from: u32, to: u32) -> Option<i64> {
    let factor = 10_i64.checked_pow(from.abs_diff(to))?;
    if to >= from {
        amount.checked_mul(factor)
    } else {
        (amount % factor == 0).then_some(amount / factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_stripe_wants_them() {
        for (amount_minor, currency, number) in [
            (4_500, Currency::EUR, Some(4_500)),
            (500, Currency::JPY, Some(500)),
            // Two decimals by ISO, none at Stripe.
            (50_000, Currency::MGA, Some(500)),
            (50_050, Currency::MGA, None),
            // None by ISO, written with two.
            (40, Currency::ISK, Some(4_000)),
            (5, Currency::UGX, Some(500)),
            // Three, of which the last is zero.
            (5_120, Currency::KWD, Some(5_120)),
            (5_124, Currency::KWD, None),
            // Not charged by Stripe.
            (1_000, Currency::IQD, None),
            (10_000, Currency::CLF, None),
            (0, Currency::EUR, None),
            (-1, Currency::EUR, None),
            (i64::MAX, Currency::ISK, None),
        ] {
            let money = Money {
                amount_minor,
                currency,
            };
            assert_eq!(to_stripe(money), number, "{money:?}");
            if let Some(number) = number {
                let code = currency.code().to_ascii_lowercase();
                assert_eq!(from_stripe(number, &code), Some(money));
            }
        }
    }

    #[test]
    fn what_is_no_amount_of_ours_is_not_rounded_to_one() {
        assert_eq!(from_stripe(4_050, "isk"), None);
        assert_eq!(from_stripe(100, "zzz"), None);
        assert_eq!(from_stripe(i64::MAX, "mga"), None);
    }
}
