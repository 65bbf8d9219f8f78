//! What stands on a ticket, put together from the projected rows.

use jiff_sqlx::Timestamp;
use onsale_domain::money::Currency;
use onsale_domain::{EventId, OrderId, TicketId, TicketTypeId, UnixMillis};

use crate::convert::{millis, version_in};
use crate::read::{LineRow, currency};
use crate::{Database, DatabaseError};

/// A ticket with its event, type, price and holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketFaceRow {
    /// Identity.
    pub ticket_id: TicketId,
    /// Raised by each transfer.
    pub version: u32,
    /// The code printed on it.
    pub code: String,
    /// When its order was confirmed.
    pub issued_at: UnixMillis,
    /// Title of its event.
    pub event_name: String,
    /// Where it takes place; may be empty.
    pub venue: String,
    /// When it starts.
    pub starts_at: UnixMillis,
    /// IANA time zone.
    pub time_zone: String,
    /// Name of its type.
    pub ticket_type: String,
    /// Name of its owner; `None` for an account that is not there.
    pub holder: Option<String>,
    /// Currency of its price.
    pub currency: Currency,
    /// Its line, for one ticket.
    pub line: LineRow,
}

impl Database {
    /// The tickets of an order that have files: those that let somebody in, or did. In the order of their ids.
    pub async fn ticket_faces(
        &self,
        event_id: EventId,
        order_id: OrderId,
    ) -> Result<Vec<TicketFaceRow>, DatabaseError> {
        let rows = sqlx::query!(
            r#"SELECT ticket.ticket_id, ticket.version, ticket.code,
                   coalesce(ticket_order.confirmed_at, ticket_order.placed_at) AS "issued_at!: Timestamp",
                   event.name AS event_name, event.venue, event.starts_at AS "starts_at: Timestamp", event.time_zone,
                   ticket_type.name AS ticket_type, owner.name AS "holder?", ticket_order.currency,
                   line.ticket_type_id, line.unit_price_minor, line.unit_fee_minor, line.tax_basis_points,
                   line.tax_inclusive
               FROM tickets AS ticket
               JOIN ticket_orders AS ticket_order USING (event_id, order_id)
               JOIN order_lines AS line USING (event_id, order_id, ticket_type_id)
               JOIN ticket_types AS ticket_type USING (event_id, ticket_type_id)
               JOIN events AS event USING (event_id)
               LEFT JOIN users AS owner ON owner.user_id = ticket.owner_id
               WHERE ticket.event_id = $1 AND ticket.order_id = $2 AND ticket.status IN ('valid', 'used')
               ORDER BY ticket.ticket_id"#,
            event_id.0,
            order_id.0
        )
        .fetch_all(self.pool())
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(TicketFaceRow {
                    ticket_id: TicketId(row.ticket_id),
                    version: version_in(row.version),
                    code: row.code,
                    issued_at: millis(row.issued_at),
                    event_name: row.event_name,
                    venue: row.venue,
                    starts_at: millis(row.starts_at),
                    time_zone: row.time_zone,
                    ticket_type: row.ticket_type,
                    holder: row.holder,
                    currency: currency(&row.currency)?,
                    line: LineRow {
                        ticket_type_id: TicketTypeId(row.ticket_type_id),
                        quantity: 1,
                        unit_price_minor: row.unit_price_minor,
                        unit_fee_minor: row.unit_fee_minor,
                        // Bounded by a check of the table of ticket types.
                        tax_basis_points: u16::try_from(row.tax_basis_points).unwrap_or_default(),
                        tax_inclusive: row.tax_inclusive,
                    },
                })
            })
            .collect()
    }
}
