//! Tickets as their owners see them.

use jiff::Timestamp;
use onsale_services::{LinkTarget, OwnedTicket, OwnedTicketRow, TicketFileLink};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// What a ticket is for.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketEvent)]
pub(crate) struct TicketEventView {
    id: Uuid,
    name: String,
    /// May be empty.
    venue: String,
    starts_at: Timestamp,
    /// IANA time zone.
    time_zone: String,
}

/// What kind of ticket it is.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketTypeName)]
pub(crate) struct TicketTypeNameView {
    id: Uuid,
    name: String,
}

/// One's own ticket.
#[derive(Serialize, ToSchema)]
#[schema(as = OwnedTicket)]
pub(crate) struct OwnedTicketView {
    id: Uuid,
    order_id: Uuid,
    event: TicketEventView,
    ticket_type: TicketTypeNameView,
    /// `valid`, `used`, `cancelled` or `refunded`.
    status: &'static str,
    /// Raised by each transfer.
    version: u32,
    /// What is printed on it, for people.
    code: String,
    /// What its QR symbol says: signed, in letters and digits. Absent in lists, and when the ticket lets nobody in.
    #[serde(skip_serializing_if = "Option::is_none")]
    qr: Option<String>,
}

impl From<OwnedTicketRow> for OwnedTicketView {
    fn from(row: OwnedTicketRow) -> Self {
        let ticket = row.ticket;
        Self {
            id: ticket.ticket_id.0,
            order_id: ticket.order_id.0,
            event: TicketEventView {
                id: row.event_id.0,
                name: row.event_name,
                venue: row.venue,
                starts_at: row.starts_at.to_timestamp(),
                time_zone: row.time_zone,
            },
            ticket_type: TicketTypeNameView {
                id: ticket.ticket_type_id.0,
                name: row.ticket_type,
            },
            status: ticket.status.as_str(),
            version: ticket.version,
            code: ticket.code,
            qr: None,
        }
    }
}

impl From<OwnedTicket> for OwnedTicketView {
    fn from(ticket: OwnedTicket) -> Self {
        Self {
            qr: ticket.pass,
            ..Self::from(ticket.row)
        }
    }
}

/// A link to a file.
#[derive(Serialize, ToSchema)]
#[schema(as = FileLink)]
pub(crate) struct FileLinkView {
    /// Where the file is. A path alone is one of this API.
    #[schema(example = "/v1/files/5f0c…")]
    url: String,
    /// The link leads nowhere from then on.
    expires_at: Timestamp,
}

impl From<TicketFileLink> for FileLinkView {
    fn from(link: TicketFileLink) -> Self {
        Self {
            url: match link.target {
                LinkTarget::Url(url) => url,
                LinkTarget::Token(token) => format!("/v1/files/{token}"),
            },
            expires_at: link.expires_at.to_timestamp(),
        }
    }
}
