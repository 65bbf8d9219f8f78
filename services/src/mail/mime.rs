//! Messages as they travel.

use std::str::FromStr;
use std::time::{Duration, UNIX_EPOCH};

use lettre::address::Envelope;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart};
use lettre::{Address, Message};
use secrecy::ExposeSecret as _;
use thiserror::Error;

use super::{Mail, MailError};

/// From whom messages come, as `Onsale <tickets@onsale.example>`.
#[derive(Clone, Debug)]
pub struct MailSender(Mailbox);

/// A text that names no sender.
#[derive(Clone, Copy, Debug, Error)]
#[error("not a sender such as `Onsale <tickets@onsale.example>`")]
pub struct NotAMailSender;

impl FromStr for MailSender {
    type Err = NotAMailSender;

    fn from_str(text: &str) -> Result<Self, NotAMailSender> {
        text.parse().map(Self).map_err(|_| NotAMailSender)
    }
}

/// Tells other programs that nobody waits for their answers (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// A whole message, and between whom it travels.
pub(super) struct Letter {
    pub(super) envelope: Envelope,
    pub(super) bytes: Vec<u8>,
}

impl Letter {
    /// Errors: what can be sent to nobody in these words.
    pub(super) fn of(mail: Mail, from: &MailSender) -> Result<Self, MailError> {
        let refused = |what: &str| MailError::Refused(what.to_owned());
        let to: Address = mail
            .to
            .expose_secret()
            .parse()
            .map_err(|_| refused("the address is none"))?;
        let sent_at = Duration::from_millis(u64::try_from(mail.at.0).unwrap_or_default());
        // The same at each try: whoever received it already may leave out the second.
        let message_id = format!("<{}@{}>", mail.mail_id, from.0.email.domain());
        let texts = MultiPart::alternative_plain_html(
            mail.text.expose_secret().to_owned(),
            mail.html.expose_secret().to_owned(),
        );
        let body = if mail.attachments.is_empty() {
            texts
        } else {
            let mut mixed = MultiPart::mixed().multipart(texts);
            for file in mail.attachments {
                let content_type =
                    ContentType::parse(file.content_type).map_err(|_| refused("an unknown media type"))?;
                mixed = mixed.singlepart(Attachment::new(file.file_name).body(file.bytes, content_type));
            }
            mixed
        };
        let message = Message::builder()
            .from(from.0.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject)
            .date(UNIX_EPOCH + sent_at)
            .message_id(Some(message_id))
            .header(AutoSubmitted)
            .multipart(body)
            .map_err(|_| refused("it cannot be put together"))?;
        Ok(Self {
            envelope: message.envelope().clone(),
            bytes: message.formatted(),
        })
    }
}
