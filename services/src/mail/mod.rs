//! Mail to people. Messages wait in the outbox (`mail_outbox`), put there by the transaction that they tell of; the
//! worker takes them from there to a mailer.

mod log;
mod worker;

use futures::future::BoxFuture;
use secrecy::SecretString;
use thiserror::Error;

pub use log::LogMailer;
pub use worker::Mailing;

/// A message, ready to be sent. Its text may hold a token.
#[derive(Debug)]
pub struct Mail {
    /// Address.
    pub to: SecretString,
    /// What it is about.
    pub subject: &'static str,
    /// The whole text.
    pub text: SecretString,
}

/// A message was not sent; it is tried again. The text is for operators and holds neither address nor token.
#[derive(Debug, Error)]
#[error("mail could not be sent: {0}")]
pub struct MailError(pub String);

/// Sends messages.
pub trait Mailer: Send + Sync + 'static {
    /// Hands a message on to where it is safe.
    fn send(&self, mail: Mail) -> BoxFuture<'_, Result<(), MailError>>;
}
