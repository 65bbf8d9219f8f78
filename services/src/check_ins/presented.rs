//! What was shown at the door.

use onsale_domain::id::TicketCode;
use onsale_domain::{EventId, Presented, Refusal};

use crate::{ServiceError, Services, TicketPass};

impl Services {
    /// Reads what was shown: the code printed on a ticket, or the signed text of its QR symbol.
    ///
    /// Errors: [`Refusal::UnknownCode`] for what is neither, or forged; [`ServiceError::WrongEvent`] for a ticket of
    /// ours to another event, which only a signed text tells.
    pub(super) fn presented(&self, event_id: EventId, shown: &str) -> Result<Presented, ServiceError> {
        if let Ok(code) = shown.parse::<TicketCode>() {
            return Ok(Presented::Code(code));
        }
        let verified = TicketPass::parse_and_verify(shown.trim(), self.ticket_keys())
            .map_err(|_| Refusal::UnknownCode)?;
        let pass = verified.pass;
        if pass.event_id != event_id {
            return Err(ServiceError::WrongEvent);
        }
        Ok(Presented::Pass {
            ticket_id: pass.ticket_id,
            version: pass.version,
        })
    }
}
