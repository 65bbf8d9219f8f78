//! Mail to people.
//!
//! What is to be told stands as a job in the queue ([`MailMessage`]), put there by the transaction that it tells of or
//! by [`Services::enqueue_mail`]. [`MailHandler`] looks up the rest when it is sent, so that no table holds a token or
//! a text, and hands the whole message ([`Mail`]) to a [`Mailer`]. It may be sent twice: a promise to send it exactly
//! once would be a lie. Both then have the same `Message-ID`.
//!
//! To add a message: a variant of [`MailMessage`], its templates under `templates/mail`, its arm in `compose`.

mod amounts;
mod compose;
mod folder;
mod handler;
mod log;
mod mime;
mod order;
mod smtp;
mod templates;

use futures::future::BoxFuture;
use onsale_domain::{EventId, MailId, OrderId, UnixMillis};
use onsale_persistence::MailMessage;
use secrecy::SecretString;
use thiserror::Error;

pub use folder::FolderMailer;
pub use handler::MailHandler;
pub use log::LogMailer;
pub use mime::{MailSender, NotAMailSender};
pub use smtp::{SmtpMailer, SmtpServer, SmtpUrlError};

use crate::{JobError, ServiceError, Services};

/// A message, ready to be sent. Its text may hold a token.
#[derive(Debug)]
pub struct Mail {
    /// Identity: the same at each try.
    pub mail_id: MailId,
    /// When it was first tried; the date that it bears.
    pub at: UnixMillis,
    /// Address.
    pub to: SecretString,
    /// What it is about, in one line.
    pub subject: String,
    /// The whole text.
    pub text: SecretString,
    /// The same as HTML.
    pub html: SecretString,
    /// What comes with it.
    pub attachments: Vec<MailAttachment>,
}

/// A file that comes with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailAttachment {
    /// Name under which it is kept.
    pub file_name: String,
    /// Media type, such as `application/pdf`.
    pub content_type: &'static str,
    /// Content.
    pub bytes: Vec<u8>,
}

/// A message was not sent. The texts are for operators and hold neither address nor token.
#[derive(Debug, Error)]
pub enum MailError {
    /// It is tried again.
    #[error("mail could not be sent: {0}")]
    Failed(String),
    /// No further try would help.
    #[error("mail was refused: {0}")]
    Refused(String),
}

/// Sends messages.
pub trait Mailer: Send + Sync + 'static {
    /// Hands a message on to where it is safe.
    fn send(&self, mail: Mail) -> BoxFuture<'_, Result<(), MailError>>;
}

impl Services {
    /// Has a message sent, within a week or never. The same news is sent once for as long as it waits.
    pub async fn enqueue_mail(&self, message: MailMessage) -> Result<(), ServiceError> {
        let now = self.now();
        Ok(self.database().enqueue(&[message.job(now)?], now).await?)
    }

    /// Tells the buyer of a confirmed order, with its tickets: their files must be there.
    pub async fn enqueue_order_mail(&self, event_id: EventId, order_id: OrderId) -> Result<(), ServiceError> {
        self.enqueue_mail(MailMessage::OrderConfirmation { event_id, order_id })
            .await
    }
}

impl From<MailError> for JobError {
    fn from(error: MailError) -> Self {
        Self(error.to_string())
    }
}
