//! What a ticket's files say. Made of committed rows alone, so that the same ticket always gives the same files.

use jiff::tz::TimeZone;
use onsale_domain::record::Line;
use onsale_domain::{EventId, Money, OrderId, TicketId, UnixMillis};
use onsale_persistence::TicketFaceRow;

/// Everything that stands on a ticket. No mail address: a ticket is shown to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketFace {
    /// Which ticket.
    pub ticket_id: TicketId,
    /// Raised by each transfer.
    pub version: u32,
    /// The order that it was bought in.
    pub order_id: OrderId,
    /// When the order was confirmed.
    pub issued_at: UnixMillis,
    /// What it admits to.
    pub event_id: EventId,
    /// Title of the event.
    pub event_name: String,
    /// Where it takes place; may be empty.
    pub venue: String,
    /// When it starts.
    pub starts_at: UnixMillis,
    /// IANA time zone in which the event's times are meant.
    pub time_zone: String,
    /// Name of the ticket's type.
    pub ticket_type: String,
    /// Name of who holds it; `None` where it is not known any more.
    pub holder: Option<String>,
    /// The code that people read.
    pub code: String,
    /// What it cost, fees and taxes included.
    pub price: Money,
    /// Of the price: the fee, in minor units.
    pub fee_minor: i64,
    /// Of the price: the tax.
    pub tax: Option<FaceTax>,
}

/// The tax in a ticket's price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaceTax {
    /// Hundredths of a percent.
    pub basis_points: u32,
    /// The amount, in minor units.
    pub amount_minor: i64,
}

impl TicketFace {
    /// What a ticket's row says. A price that overflows, which no sale has, is shown as none.
    pub(super) fn of_row(event_id: EventId, order_id: OrderId, row: TicketFaceRow) -> Self {
        let line = Line::from(row.line);
        let tax = line.unit_tax_minor().filter(|amount_minor| *amount_minor != 0);
        Self {
            ticket_id: row.ticket_id,
            version: row.version,
            order_id,
            issued_at: row.issued_at,
            event_id,
            event_name: row.event_name,
            venue: row.venue,
            starts_at: row.starts_at,
            time_zone: row.time_zone,
            ticket_type: row.ticket_type,
            holder: row.holder,
            code: row.code,
            price: Money {
                amount_minor: line.unit_total_minor().unwrap_or_default(),
                currency: row.currency,
            },
            fee_minor: line.unit_fee_minor,
            tax: tax.map(|amount_minor| FaceTax {
                basis_points: line.tax.basis_points.into(),
                amount_minor,
            }),
        }
    }

    /// When it starts, by the clocks of the event's place, with the name of its zone. In UTC where the zone is unknown.
    pub(super) fn start_in_words(&self) -> String {
        let start = self.starts_at.to_timestamp();
        let (zone, name) = match TimeZone::get(&self.time_zone) {
            Ok(zone) => (zone, self.time_zone.as_str()),
            Err(_) => (TimeZone::UTC, "UTC"),
        };
        let local = start.to_zoned(zone);
        let at = local.strftime("%A, %-d %B %Y, %H:%M");
        if name == "UTC" {
            format!("{at} UTC")
        } else {
            format!("{at} ({name}, UTC{})", local.strftime("%:z"))
        }
    }

    /// The price, and what of it are fees and taxes.
    pub(super) fn price_in_words(&self) -> String {
        if self.price.amount_minor == 0 {
            return "free".to_owned();
        }
        let mut parts = Vec::new();
        if self.fee_minor != 0 {
            parts.push(format!("fee {}", self.amount(self.fee_minor)));
        }
        if let Some(tax) = self.tax {
            let rate = decimal(i64::from(tax.basis_points), 2);
            let rate = rate.trim_end_matches('0').trim_end_matches('.').to_owned();
            parts.push(format!("tax {rate}% {}", self.amount(tax.amount_minor)));
        }
        let total = self.amount(self.price.amount_minor);
        if parts.is_empty() {
            total
        } else {
            format!("{total} (includes {})", parts.join(", "))
        }
    }

    fn amount(&self, minor: i64) -> String {
        let currency = self.price.currency;
        let exponent = currency.exponent().unwrap_or_default();
        format!("{} {}", decimal(minor, exponent), currency.code())
    }
}

/// `minor` with so many decimals.
fn decimal(minor: i64, exponent: u16) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let digits = minor.unsigned_abs().to_string();
    let decimals = usize::from(exponent);
    if decimals == 0 {
        return format!("{sign}{digits}");
    }
    let digits = format!("{digits:0>width$}", width = decimals + 1);
    let (whole, part) = digits.split_at(digits.len() - decimals);
    format!("{sign}{whole}.{part}")
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn amounts_have_the_decimals_of_their_currency() {
        for (minor, exponent, text) in [
            (1_234, 2, "12.34"),
            (5, 2, "0.05"),
            (0, 2, "0.00"),
            (-7, 2, "-0.07"),
            (1_234, 0, "1234"),
            (1_234, 3, "1.234"),
            (i64::MIN, 2, "-92233720368547758.08"),
        ] {
            assert_eq!(decimal(minor, exponent), text);
        }
    }
}
