//! Giving a ticket to another account.

use onsale_domain::command::TransferTicket;
use onsale_domain::record::{KeyBinding, TicketTransferred};
use onsale_domain::{BuyerId, Command, EmailAddress, EventId, Record, Sequence, TicketId};
use onsale_engine::Answer;
use onsale_persistence::AccountStatus;

use crate::{ServiceError, Services};

/// Asks to give a ticket away.
#[derive(Clone, Debug)]
pub struct TransferRequest {
    /// Which ticket.
    pub ticket_id: TicketId,
    /// Who asks; must be its owner.
    pub from: BuyerId,
    /// Mail address of the account that gets it, as it was written.
    pub to_email: String,
    /// The request's idempotency key.
    pub key: Option<KeyBinding>,
}

/// A ticket that was given away, now or by an earlier request with the same key.
#[derive(Clone, Debug)]
pub struct TransferredTicket {
    /// Of which event.
    pub event_id: EventId,
    /// Sequence of the transfer's record.
    pub seq: Sequence,
    /// The transfer's record. Its code is the new owner's alone.
    pub transfer: TicketTransferred,
    /// Whether this repeats an earlier answer.
    pub replayed: bool,
}

impl Services {
    /// Gives a ticket to another account under a new code. The former one is dead as soon as this is answered.
    ///
    /// Errors: [`ServiceError::RecipientUnknown`] where no active account of a buyer has the address. Only who has the
    /// ticket learns that.
    pub async fn transfer_ticket(&self, request: TransferRequest) -> Result<TransferredTicket, ServiceError> {
        let event_id = self.event_of(request.ticket_id.route()).await?;
        let Some(to) = self.recipient(&request.to_email).await? else {
            self.engine()
                .check_owner(event_id, request.ticket_id, request.from)
                .await?;
            return Err(ServiceError::RecipientUnknown);
        };
        let command = Command::TransferTicket(TransferTicket {
            ticket_id: request.ticket_id,
            from: request.from,
            to,
            code: self.ids().ticket_code()?,
            key: request.key,
        });
        let receipt = self.engine().execute(event_id, command).await?;
        let (record, replayed) = match receipt.answer {
            Answer::Recorded(record) => (*record, false),
            Answer::Replayed(record) => (*record, true),
            Answer::Unchanged => return Err(ServiceError::Internal("a transfer without a record")),
        };
        let Record::TicketTransferred(transfer) = record else {
            return Err(ServiceError::Internal("a transfer answered by another record"));
        };
        Ok(TransferredTicket {
            event_id,
            seq: receipt.seq,
            transfer,
            replayed,
        })
    }

    /// The active account with this address, if it may have tickets.
    async fn recipient(&self, email: &str) -> Result<Option<BuyerId>, ServiceError> {
        let Ok(email) = EmailAddress::parse(email) else {
            return Ok(None);
        };
        let account = self.database().account_by_email(&email).await?;
        let buys = account.filter(|account| {
            account.user.status == AccountStatus::Active && !self.token_roles(&account.roles).is_empty()
        });
        Ok(buys.map(|account| account.user.user_id.into()))
    }
}
