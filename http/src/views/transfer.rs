//! Tickets that are given away.

use jiff::Timestamp;
use onsale_services::TransferredTicket;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Asks to give a ticket away.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TransferInput)]
pub(crate) struct TransferBody {
    /// Mail address of the account that gets it.
    to_email: String,
}

/// A ticket that was given away, as its former owner may see it.
#[derive(Serialize, ToSchema)]
#[schema(as = TransferredTicket)]
pub(crate) struct TransferredTicketView {
    id: Uuid,
    event_id: Uuid,
    order_id: Uuid,
    /// `transferred`.
    status: &'static str,
    /// The ticket's version from then on: codes of earlier ones are dead.
    version: u32,
    transferred_at: Timestamp,
    /// Position in the event's journal.
    seq: u64,
}

impl TransferBody {
    pub(crate) fn into_email(self) -> String {
        self.to_email
    }
}

impl From<TransferredTicket> for TransferredTicketView {
    fn from(transferred: TransferredTicket) -> Self {
        let transfer = transferred.transfer;
        Self {
            id: transfer.ticket_id.0,
            event_id: transferred.event_id.0,
            order_id: transfer.order_id.0,
            status: "transferred",
            version: transfer.version,
            transferred_at: transfer.at.to_timestamp(),
            seq: transferred.seq,
        }
    }
}
