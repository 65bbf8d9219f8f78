//! Money and instants as people read them.

use jiff::tz::TimeZone;
use onsale_domain::UnixMillis;
use onsale_domain::money::Money;

/// An amount, as `EUR 12.50`: with the decimals of its currency.
pub(super) fn amount(money: Money) -> String {
    let code = money.currency.code();
    let decimals = usize::from(money.currency.exponent().unwrap_or(0));
    let digits = format!(
        "{:0>width$}",
        money.amount_minor.unsigned_abs(),
        width = decimals + 1
    );
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let sign = if money.amount_minor < 0 { "-" } else { "" };
    let point = if decimals == 0 { "" } else { "." };
    format!("{code} {sign}{whole}{point}{fraction}")
}

/// An instant where it takes place, as `Saturday, 21 November 2026, 20:00 (Europe/Berlin)`; in UTC where the zone is not
/// known.
pub(super) fn local_time(at: UnixMillis, time_zone: &str) -> String {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    let name = zone.iana_name().unwrap_or("UTC").to_owned();
    let local = at.to_timestamp().to_zoned(zone);
    format!("{} ({name})", local.strftime("%A, %-d %B %Y, %H:%M"))
}

#[cfg(test)]
mod tests {
    use onsale_domain::money::Currency;

    use super::*;

    #[test]
    fn amounts_have_the_decimals_of_their_currency() {
        for (amount_minor, currency, expected) in [
            (1_250, Currency::EUR, "EUR 12.50"),
            (5, Currency::EUR, "EUR 0.05"),
            (0, Currency::USD, "USD 0.00"),
            (1_250, Currency::JPY, "JPY 1250"),
            (1_250, Currency::KWD, "KWD 1.250"),
            (-1_250, Currency::EUR, "EUR -12.50"),
        ] {
            assert_eq!(
                amount(Money {
                    amount_minor,
                    currency
                }),
                expected
            );
        }
    }

    #[test]
    fn instants_are_told_where_it_takes_place() {
        let at = UnixMillis(1_795_287_600_000);
        let told = local_time(at, "Europe/Berlin");
        assert_eq!(told, "Saturday, 21 November 2026, 20:00 (Europe/Berlin)");
        assert!(local_time(at, "Nowhere/Else").ends_with("19:00 (UTC)"));
    }
}
