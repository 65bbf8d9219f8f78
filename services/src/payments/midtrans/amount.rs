//! Money as Midtrans writes it: rupiah, whole in requests, with two zeros in answers.

use onsale_domain::Money;
use onsale_domain::money::Currency;

/// Minor units of a rupiah by ISO 4217.
const SEN: i64 = 100;

/// Whole rupiah for a request. `None`: not rupiah, not whole, or nothing.
pub(super) fn to_rupiah(money: Money) -> Option<i64> {
    let is_chargeable =
        money.currency == Currency::IDR && money.amount_minor > 0 && money.amount_minor % SEN == 0;
    is_chargeable.then_some(money.amount_minor / SEN)
}

/// `10000`, `10000.0` or `10000.00`; nothing else, and nothing that does not fit.
pub(super) fn from_text(text: &str) -> Option<Money> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "00"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || fraction.len() > 2 {
        return None;
    }
    let tens = if fraction.len() == 1 { 10 } else { 1 };
    let sen = fraction.parse::<i64>().ok()?.checked_mul(tens)?;
    let amount_minor = whole.parse::<i64>().ok()?.checked_mul(SEN)?.checked_add(sen)?;
    Some(Money {
        amount_minor,
        currency: Currency::IDR,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_exactly_or_not_at_all() {
        for (text, amount_minor) in [
            ("10000.00", 1_000_000),
            ("10000", 1_000_000),
            ("10000.5", 1_000_050),
            ("0.01", 1),
            ("92233720368547758.07", i64::MAX),
        ] {
            assert_eq!(
                from_text(text).map(|money| money.amount_minor),
                Some(amount_minor),
                "{text}"
            );
        }
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1.00",
            "+1",
            "1,000.00",
            "1.000",
            "1e3",
            " 1",
            "92233720368547758.08",
            "１",
        ] {
            assert_eq!(from_text(text), None, "{text}");
        }
    }

    #[test]
    fn only_whole_rupiah_are_charged() {
        let of = |amount_minor, currency| {
            to_rupiah(Money {
                amount_minor,
                currency,
            })
        };
        assert_eq!(of(15_000_000, Currency::IDR), Some(150_000));
        assert_eq!(of(15_000_050, Currency::IDR), None);
        assert_eq!(of(15_000_000, Currency::EUR), None);
        assert_eq!(of(0, Currency::IDR), None);
    }
}
