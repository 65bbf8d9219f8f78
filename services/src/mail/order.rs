//! The files that come with an order's confirmation.

use onsale_domain::{EventId, OrderId, TicketId};
use onsale_persistence::ObjectKind;

use super::MailAttachment;
use crate::{ServiceError, Services, TicketFile};

/// Bytes of all attachments of a message: many servers take no larger ones (base64 makes a third more of them).
const ATTACHMENTS_BYTES_MAX: usize = 10_000_000;

/// An order's files, all or none: `None` where they are too large for a message.
///
/// Errors: [`ServiceError::FileNotReady`] as long as one is not made.
pub(super) async fn order_attachments(
    services: &Services,
    event_id: EventId,
    order_id: OrderId,
) -> Result<Option<Vec<MailAttachment>>, ServiceError> {
    let files = services
        .order_files(event_id, order_id, ATTACHMENTS_BYTES_MAX)
        .await?;
    Ok(files.map(named))
}

/// Under names that tell an order's tickets apart.
fn named(files: Vec<TicketFile>) -> Vec<MailAttachment> {
    let mut tickets: Vec<TicketId> = files.iter().map(|file| file.ticket_id).collect();
    tickets.sort_unstable();
    tickets.dedup();
    files
        .into_iter()
        .map(|file| {
            let place = tickets.partition_point(|ticket| *ticket < file.ticket_id);
            let extension = match file.kind {
                ObjectKind::Pdf => "pdf",
                ObjectKind::Calendar => "ics",
            };
            MailAttachment {
                file_name: format!("ticket-{}.{extension}", place + 1),
                content_type: file.kind.content_type(),
                bytes: file.bytes.into(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn files_are_numbered_by_their_tickets() {
        let file = |ticket: u128, kind| TicketFile {
            ticket_id: TicketId(Uuid::from_u128(ticket)),
            kind,
            bytes: vec![1].into(),
        };
        let files = vec![
            file(9, ObjectKind::Pdf),
            file(4, ObjectKind::Calendar),
            file(9, ObjectKind::Calendar),
        ];
        let names: Vec<_> = named(files).into_iter().map(|file| file.file_name).collect();
        assert_eq!(names, ["ticket-2.pdf", "ticket-1.ics", "ticket-2.ics"]);
    }
}
