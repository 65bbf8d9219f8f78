//! Holds.

use jiff_sqlx::Timestamp;
use onsale_domain::money::Currency;
use onsale_domain::record::Line;
use onsale_domain::{BuyerId, EventId, HoldId, Sequence, TicketTypeId, UnixMillis};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use uuid::Uuid;

use super::status::{HoldStatus, currency};
use crate::convert::{limit_out, millis, seq_in};
use crate::{Database, DatabaseError};

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

/// A hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldRow {
    /// Whose inventory it is in.
    pub event_id: EventId,
    /// Identity.
    pub hold_id: HoldId,
    /// For whom.
    pub buyer_id: BuyerId,
    /// Where it stands.
    pub status: HoldStatus,
    /// What it holds, at which prices.
    pub lines: Vec<LineRow>,
    /// Currency of the prices.
    pub currency: Currency,
    /// Sum of the lines.
    pub total_minor: i64,
    /// When it was placed.
    pub placed_at: UnixMillis,
    /// When it ends, unless it has ended otherwise.
    pub expires_at: UnixMillis,
    /// Last record that changed it.
    pub seq: Sequence,
}

/// As the columns come.
struct RawHold {
    event_id: Uuid,
    hold_id: Uuid,
    buyer_id: Uuid,
    status: String,
    lines: Json<Vec<LineRow>>,
    currency: String,
    total_minor: i64,
    placed_at: Timestamp,
    expires_at: Timestamp,
    seq: i64,
}

impl TryFrom<RawHold> for HoldRow {
    type Error = DatabaseError;

    fn try_from(raw: RawHold) -> Result<Self, DatabaseError> {
        Ok(Self {
            event_id: EventId(raw.event_id),
            hold_id: HoldId(raw.hold_id),
            buyer_id: BuyerId(raw.buyer_id),
            status: HoldStatus::parse(&raw.status)?,
            lines: raw.lines.0,
            currency: currency(&raw.currency)?,
            total_minor: raw.total_minor,
            placed_at: millis(raw.placed_at),
            expires_at: millis(raw.expires_at),
            seq: seq_in(raw.seq),
        })
    }
}

impl Database {
    /// One hold.
    pub async fn hold(&self, event_id: EventId, hold_id: HoldId) -> Result<Option<HoldRow>, DatabaseError> {
        sqlx::query_as!(
            RawHold,
            r#"SELECT event_id, hold_id, buyer_id, status, lines AS "lines: Json<Vec<LineRow>>", currency,
                   total_minor, placed_at AS "placed_at: Timestamp", expires_at AS "expires_at: Timestamp", seq
               FROM holds WHERE event_id = $1 AND hold_id = $2"#,
            event_id.0,
            hold_id.0
        )
        .fetch_optional(self.pool())
        .await?
        .map(HoldRow::try_from)
        .transpose()
    }

    /// Holds of an event in the order of their ids, from the one after `after`: for the audit.
    pub async fn holds(
        &self,
        event_id: EventId,
        after: Option<HoldId>,
        limit: usize,
    ) -> Result<Vec<HoldRow>, DatabaseError> {
        sqlx::query_as!(
            RawHold,
            r#"SELECT event_id, hold_id, buyer_id, status, lines AS "lines: Json<Vec<LineRow>>", currency,
                   total_minor, placed_at AS "placed_at: Timestamp", expires_at AS "expires_at: Timestamp", seq
               FROM holds WHERE event_id = $1 AND hold_id > $2 ORDER BY hold_id LIMIT $3"#,
            event_id.0,
            after.map_or(Uuid::nil(), |id| id.0),
            limit_out(limit)
        )
        .fetch_all(self.pool())
        .await?
        .into_iter()
        .map(HoldRow::try_from)
        .collect()
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
