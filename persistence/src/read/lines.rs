//! Lines of holds and orders.

use onsale_domain::TicketTypeId;
use onsale_domain::record::Line;
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
                r#"{separator}{{"ticket_type_id":"{}","quantity":{},"unit_price_minor":{}}}"#,
                line.ticket_type_id, line.quantity, line.unit_price_minor
            );
        }
        json.push(']');
        json
    }
}

#[cfg(test)]
mod tests {
    use super::LineRow;
    use onsale_domain::TicketTypeId;
    use onsale_domain::record::Line;
    use uuid::Uuid;

    #[test]
    fn lines_written_by_hand_are_read_by_serde() {
        let line = |quantity| Line {
            ticket_type_id: TicketTypeId(Uuid::now_v7()),
            quantity,
            unit_price_minor: i64::MAX,
        };
        for lines in [vec![], vec![line(1)], vec![line(1), line(u32::MAX)]] {
            let read: Vec<LineRow> =
                serde_json::from_str(&LineRow::list_to_json(&lines)).expect("valid JSON");
            assert_eq!(read.len(), lines.len());
            for (read, line) in read.iter().zip(&lines) {
                assert_eq!(
                    (read.ticket_type_id, read.quantity, read.unit_price_minor),
                    (line.ticket_type_id, line.quantity, line.unit_price_minor)
                );
            }
        }
    }
}
