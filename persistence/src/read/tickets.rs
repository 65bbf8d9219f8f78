//! Tickets as their owners see them.

use jiff_sqlx::Timestamp;
use onsale_domain::{BuyerId, EventId, OrderId, TicketId, TicketTypeId, UnixMillis};
use uuid::Uuid;

use super::orders::TicketRow;
use super::status::TicketStatus;
use crate::convert::{limit_out, millis, version_in};
use crate::{Database, DatabaseError};

/// A ticket with what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedTicketRow {
    /// The ticket.
    pub ticket: TicketRow,
    /// Name of its type.
    pub ticket_type: String,
    /// What it is for.
    pub event_id: EventId,
    /// Title of the event.
    pub event_name: String,
    /// Where it takes place; may be empty.
    pub venue: String,
    /// When it starts.
    pub starts_at: UnixMillis,
    /// IANA time zone.
    pub time_zone: String,
}

/// As the columns come.
struct RawTicket {
    ticket_id: Uuid,
    order_id: Uuid,
    ticket_type_id: Uuid,
    code: String,
    status: String,
    owner_id: Uuid,
    version: i32,
    ticket_type: String,
    event_id: Uuid,
    event_name: String,
    venue: String,
    starts_at: Timestamp,
    time_zone: String,
}

impl TryFrom<RawTicket> for OwnedTicketRow {
    type Error = DatabaseError;

    fn try_from(raw: RawTicket) -> Result<Self, DatabaseError> {
        Ok(Self {
            ticket: TicketRow {
                ticket_id: TicketId(raw.ticket_id),
                order_id: OrderId(raw.order_id),
                ticket_type_id: TicketTypeId(raw.ticket_type_id),
                code: raw.code,
                status: TicketStatus::parse(&raw.status)?,
                owner_id: BuyerId(raw.owner_id),
                version: version_in(raw.version),
            },
            ticket_type: raw.ticket_type,
            event_id: EventId(raw.event_id),
            event_name: raw.event_name,
            venue: raw.venue,
            starts_at: millis(raw.starts_at),
            time_zone: raw.time_zone,
        })
    }
}

impl Database {
    /// One ticket.
    pub async fn ticket(
        &self,
        event_id: EventId,
        ticket_id: TicketId,
    ) -> Result<Option<OwnedTicketRow>, DatabaseError> {
        let row = sqlx::query_as!(
            RawTicket,
            r#"SELECT ticket.ticket_id, ticket.order_id, ticket.ticket_type_id, ticket.code, ticket.status,
                   ticket.owner_id, ticket.version, ticket_type.name AS ticket_type, ticket.event_id,
                   event.name AS event_name, event.venue, event.starts_at AS "starts_at: Timestamp", event.time_zone
               FROM tickets AS ticket
               JOIN ticket_types AS ticket_type USING (event_id, ticket_type_id)
               JOIN events AS event USING (event_id)
               WHERE ticket.event_id = $1 AND ticket.ticket_id = $2"#,
            event_id.0,
            ticket_id.0
        )
        .fetch_optional(self.pool())
        .await?;
        row.map(OwnedTicketRow::try_from).transpose()
    }

    /// Tickets that somebody owns, the newest first, from the one before `before`.
    pub async fn tickets_of_owner(
        &self,
        owner_id: BuyerId,
        before: Option<TicketId>,
        limit: usize,
    ) -> Result<Vec<OwnedTicketRow>, DatabaseError> {
        let rows = sqlx::query_as!(
            RawTicket,
            r#"SELECT ticket.ticket_id, ticket.order_id, ticket.ticket_type_id, ticket.code, ticket.status,
                   ticket.owner_id, ticket.version, ticket_type.name AS ticket_type, ticket.event_id,
                   event.name AS event_name, event.venue, event.starts_at AS "starts_at: Timestamp", event.time_zone
               FROM tickets AS ticket
               JOIN ticket_types AS ticket_type USING (event_id, ticket_type_id)
               JOIN events AS event USING (event_id)
               WHERE ticket.owner_id = $1 AND ticket.ticket_id < $2
               ORDER BY ticket.ticket_id DESC LIMIT $3"#,
            owner_id.0,
            before.map_or(Uuid::max(), |id| id.0),
            limit_out(limit)
        )
        .fetch_all(self.pool())
        .await?;
        rows.into_iter().map(OwnedTicketRow::try_from).collect()
    }
}
