//! Tickets as their owners see them, and links to their files.

use bytes::Bytes;
use onsale_domain::{BuyerId, TicketId, UnixMillis};
use onsale_persistence::{
    LINK_LIFETIME_MAX, LinkTarget, LinkedObject, ObjectKind, OwnedTicketRow, TicketStatus,
};

use super::TicketPass;
use crate::{Page, ServiceError, Services};

/// A ticket with the code that a scanner reads.
#[derive(Clone, Debug)]
pub struct OwnedTicket {
    /// The ticket.
    pub row: OwnedTicketRow,
    /// Its signed code; `None` when it lets nobody in any more.
    pub pass: Option<String>,
}

/// A link to a ticket's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketFileLink {
    /// Where it leads.
    pub target: LinkTarget,
    /// First instant at which it leads nowhere.
    pub expires_at: UnixMillis,
}

impl Services {
    /// Somebody's tickets, latest first.
    pub async fn list_tickets(
        &self,
        owner_id: BuyerId,
        before: Option<TicketId>,
        limit: usize,
    ) -> Result<Page<OwnedTicketRow>, ServiceError> {
        self.engine().wait_all_projected().await?;
        let rows = self
            .database()
            .tickets_of_owner(owner_id, before, limit + 1)
            .await?;
        Ok(Page::cut(rows, limit))
    }

    /// Somebody's own ticket. Errors: not found, also when it is another's, or no longer theirs.
    pub async fn ticket(&self, ticket_id: TicketId, owner_id: BuyerId) -> Result<OwnedTicket, ServiceError> {
        let event_id = self.event_of(ticket_id.route()).await?;
        self.engine().wait_projected(event_id).await?;
        let row = self
            .database()
            .ticket(event_id, ticket_id)
            .await?
            .filter(|row| row.ticket.owner_id == owner_id)
            .ok_or(ServiceError::NotFound)?;
        let pass = has_files(row.ticket.status).then(|| {
            let pass = TicketPass {
                event_id,
                ticket_id,
                version: row.ticket.version,
            };
            pass.encode(self.ticket_keys())
        });
        Ok(OwnedTicket { row, pass })
    }

    /// A link to a file of somebody's own ticket, good for five minutes.
    ///
    /// Errors: not found, also when the ticket lets nobody in any more; [`ServiceError::FileNotReady`].
    pub async fn ticket_file_link(
        &self,
        ticket_id: TicketId,
        owner_id: BuyerId,
        kind: ObjectKind,
    ) -> Result<TicketFileLink, ServiceError> {
        let OwnedTicketRow { ticket, event_id, .. } = self.ticket(ticket_id, owner_id).await?.row;
        if !has_files(ticket.status) {
            return Err(ServiceError::NotFound);
        }
        let file = self
            .database()
            .ticket_file(event_id, ticket_id, ticket.version, kind)
            .await?
            .ok_or(ServiceError::FileNotReady)?;
        let object = LinkedObject {
            key: file.object_key,
            kind,
            file_name: format!("ticket-{ticket_id}.{}", kind.extension()),
        };
        let objects = &self.ticketing().objects;
        let link = objects.link(&object, self.now(), LINK_LIFETIME_MAX).await?;
        Ok(TicketFileLink {
            target: link.target,
            expires_at: link.expires_at,
        })
    }

    /// What a link of ours leads to. Errors: not found, also when it has expired or the file is gone.
    pub async fn linked_file(&self, token: &str) -> Result<(LinkedObject, Bytes), ServiceError> {
        let objects = &self.ticketing().objects;
        let object = objects
            .open_link(token, self.now())
            .ok_or(ServiceError::NotFound)?;
        let bytes = objects.get(&object.key).await?.ok_or(ServiceError::NotFound)?;
        Ok((object, bytes))
    }
}

/// Whether a ticket has files: who was let in may look at theirs.
const fn has_files(status: TicketStatus) -> bool {
    match status {
        TicketStatus::Valid | TicketStatus::Used => true,
        TicketStatus::Cancelled | TicketStatus::Refunded => false,
    }
}
