//! The files that come with an order's confirmation.

use onsale_domain::{EventId, OrderId};

use super::MailAttachment;
use crate::{ServiceError, Services};

/// Bytes of all attachments of a message: many servers take no larger ones (base64 makes a third more of them).
const ATTACHMENTS_BYTES_MAX: usize = 10_000_000;

/// An order's files, as far as a message can carry them.
pub(super) enum OrderFiles {
    /// They come with the message.
    Attached(Vec<MailAttachment>),
    /// They are too large for it.
    TooLarge,
}

/// Holds files to what a message can carry: all or none.
pub(super) fn carried(attachments: Vec<MailAttachment>) -> OrderFiles {
    let bytes: usize = attachments.iter().map(|attachment| attachment.bytes.len()).sum();
    if bytes <= ATTACHMENTS_BYTES_MAX {
        OrderFiles::Attached(attachments)
    } else {
        OrderFiles::TooLarge
    }
}

/// The ticket files of an order.
#[allow(clippy::unused_async, reason = "reads the files once they are kept")]
pub(super) async fn order_attachments(
    _services: &Services,
    _event_id: EventId,
    _order_id: OrderId,
) -> Result<Vec<MailAttachment>, ServiceError> {
    Ok(vec![])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attachment(bytes: usize) -> MailAttachment {
        MailAttachment {
            file_name: "ticket.pdf".to_owned(),
            content_type: "application/pdf",
            bytes: vec![0; bytes],
        }
    }

    #[test]
    fn all_files_come_with_a_message_or_none() {
        let fitting = vec![attachment(9_999_999), attachment(1)];
        assert!(matches!(carried(fitting), OrderFiles::Attached(files) if files.len() == 2));
        assert!(matches!(
            carried(vec![attachment(9_999_999), attachment(2)]),
            OrderFiles::TooLarge
        ));
    }
}
