//! Lines of holds and orders.

use onsale_domain::record::Line;
use onsale_domain::{Tax, TicketTypeId};
use serde::{Deserialize, Serialize};

/// A line of a hold or order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineRow {
    /// Which ticket type.
    pub ticket_type_id: TicketTypeId,
    /// How many tickets.
    pub quantity: u32,
    /// Price of one ticket, locked.
    pub unit_price_minor: i64,
    /// Fee on one ticket, locked.
    #[serde(default)]
    pub unit_fee_minor: i64,
    /// Rate of the tax, locked.
    #[serde(default)]
    pub tax_basis_points: u16,
    /// Whether price and fee contain the tax.
    #[serde(default = "without_tax")]
    pub tax_inclusive: bool,
}

/// Rows from before there were taxes: nothing comes on top.
const fn without_tax() -> bool {
    true
}

impl From<LineRow> for Line {
    fn from(row: LineRow) -> Self {
        Self {
            ticket_type_id: row.ticket_type_id,
            quantity: row.quantity,
            unit_price_minor: row.unit_price_minor,
            unit_fee_minor: row.unit_fee_minor,
            tax: Tax {
                basis_points: row.tax_basis_points,
                inclusive: row.tax_inclusive,
            },
        }
    }
}

impl LineRow {
    /// What stands in `holds.lines`. Written by hand: it is the projection's hottest spot, and numbers and ids need no
    /// escaping.
    pub(crate) fn list_to_json(lines: &[Line]) -> String {
        use std::fmt::Write;
        let mut json = String::with_capacity(2 + 112 * lines.len());
        json.push('[');
        for (index, line) in lines.iter().enumerate() {
            let separator = if index == 0 { "" } else { "," };
            // Writing to a string cannot fail.
            let _ = write!(
                json,
                r#"{separator}{{"ticket_type_id":"{}","quantity":{},"unit_price_minor":{}"#,
                line.ticket_type_id, line.quantity, line.unit_price_minor
            );
            if line.unit_fee_minor != 0 || line.tax != Tax::NONE {
                let _ = write!(
                    json,
                    r#","unit_fee_minor":{},"tax_basis_points":{},"tax_inclusive":{}"#,
                    line.unit_fee_minor, line.tax.basis_points, line.tax.inclusive
                );
            }
            json.push('}');
        }
        json.push(']');
        json
    }
}

#[cfg(test)]
mod tests {
    use super::LineRow;
    use onsale_domain::record::Line;
    use onsale_domain::{Tax, TicketTypeId};
    use uuid::Uuid;

    #[test]
    fn lines_written_by_hand_are_read_by_serde() {
        let line = |quantity| Line {
            ticket_type_id: TicketTypeId(Uuid::now_v7()),
            quantity,
            unit_price_minor: i64::MAX,
            unit_fee_minor: i64::from(quantity),
            tax: Tax {
                basis_points: u16::try_from(quantity).unwrap_or(u16::MAX),
                inclusive: quantity > 1,
            },
        };
        for lines in [vec![], vec![line(1)], vec![line(1), line(u32::MAX)]] {
            let read: Vec<LineRow> =
                serde_json::from_str(&LineRow::list_to_json(&lines)).expect("valid JSON");
            assert_eq!(read.len(), lines.len());
            for (read, line) in read.iter().zip(&lines) {
                assert_eq!(Line::from(*read), *line);
            }
        }
    }
}
