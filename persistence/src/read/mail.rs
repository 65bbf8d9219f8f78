//! What messages tell of events and orders.

use jiff_sqlx::Timestamp;
use onsale_domain::money::{Currency, Money};
use onsale_domain::{BuyerId, EventId, OrderId, UnixMillis};

use super::status::currency;
use crate::convert::millis;
use crate::{Database, DatabaseError};

/// An event, for who has a ticket to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailEvent {
    /// Title.
    pub name: String,
    /// Where it takes place; may be empty.
    pub venue: String,
    /// When it starts.
    pub starts_at: UnixMillis,
    /// IANA time zone.
    pub time_zone: String,
    /// Currency of every price.
    pub currency: Currency,
}

/// An order, for who bought it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailOrder {
    /// Who bought.
    pub buyer_id: BuyerId,
    /// What was paid.
    pub total: Money,
    /// How many of which ticket type, in the order of the request.
    pub lines: Vec<(i64, String)>,
}

impl Database {
    /// An event, for a message.
    pub async fn mail_event(&self, event_id: EventId) -> Result<Option<MailEvent>, DatabaseError> {
        let row = sqlx::query!(
            r#"SELECT name, venue, starts_at AS "starts_at: Timestamp", time_zone, currency
               FROM events WHERE event_id = $1"#,
            event_id.0
        )
        .fetch_optional(self.pool())
        .await?;
        row.map(|row| {
            Ok(MailEvent {
                name: row.name,
                venue: row.venue,
                starts_at: millis(row.starts_at),
                time_zone: row.time_zone,
                currency: currency(&row.currency)?,
            })
        })
        .transpose()
    }

    /// An order, for a message.
    pub async fn mail_order(
        &self,
        event_id: EventId,
        order_id: OrderId,
    ) -> Result<Option<MailOrder>, DatabaseError> {
        let order = sqlx::query!(
            "SELECT buyer_id, currency, total_minor FROM ticket_orders WHERE event_id = $1 AND order_id = $2",
            event_id.0,
            order_id.0
        )
        .fetch_optional(self.pool())
        .await?;
        let Some(order) = order else { return Ok(None) };
        let lines = sqlx::query!(
            "SELECT line.quantity, ticket_type.name
             FROM order_lines AS line JOIN ticket_types AS ticket_type USING (event_id, ticket_type_id)
             WHERE line.event_id = $1 AND line.order_id = $2 ORDER BY line.position",
            event_id.0,
            order_id.0
        )
        .fetch_all(self.pool())
        .await?;
        Ok(Some(MailOrder {
            buyer_id: BuyerId(order.buyer_id),
            total: Money {
                amount_minor: order.total_minor,
                currency: currency(&order.currency)?,
            },
            lines: lines.into_iter().map(|line| (line.quantity, line.name)).collect(),
        }))
    }
}
