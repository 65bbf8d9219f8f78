//! Takes messages from the outbox to the mailer.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use onsale_persistence::{MailKind, MailToSend};
use secrecy::ExposeSecret as _;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Mail, MailError, Mailer};
use crate::accounts::{OpaqueToken, Purpose, RESET_LIFETIME_MS};
use crate::{ServiceError, Services};

/// Messages that are claimed, and under way, at once.
const BATCH: usize = 16;
/// Longest wait for the mailer: less than the time after which a claimed message is due again.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);
/// Wait after an outbox in which nothing was due.
const IDLE: Duration = Duration::from_secs(1);

/// The mail worker. One may run in each process: each message is claimed by one of them.
#[derive(Clone)]
pub struct Mailing {
    services: Services,
    mailer: Arc<dyn Mailer>,
}

impl Mailing {
    /// A worker for these use cases' outbox.
    pub fn new(services: Services, mailer: Arc<dyn Mailer>) -> Self {
        Self { services, mailer }
    }

    /// Works until told to stop. Messages under way are finished first.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut wait = Duration::ZERO;
        while shutdown
            .run_until_cancelled(tokio::time::sleep(wait))
            .await
            .is_some()
        {
            wait = match self.round().await {
                Ok(0) => IDLE,
                Ok(_) => Duration::ZERO,
                Err(error) => {
                    tracing::warn!(%error, "the outbox cannot be worked on; trying again");
                    IDLE
                }
            };
        }
    }

    /// Sends what is due of one batch. Gives how many messages it claimed.
    pub async fn round(&self) -> Result<usize, ServiceError> {
        let services = &self.services;
        let claimed = services.database().claim_mail(services.now(), BATCH).await?;
        let count = claimed.len();
        let sent: Vec<_> = stream::iter(claimed)
            .map(async |mail| {
                let mail_id = mail.mail_id;
                match self.send(mail).await {
                    Ok(()) => Some(mail_id),
                    Err(error) => {
                        tracing::warn!(%mail_id, %error, "a message waits for its next try");
                        None
                    }
                }
            })
            .buffer_unordered(BATCH)
            .filter_map(std::future::ready)
            .collect()
            .await;
        if !sent.is_empty() {
            services.database().mail_sent(&sent).await?;
        }
        Ok(count)
    }

    async fn send(&self, mail: MailToSend) -> Result<(), ServiceError> {
        let (subject, text) = match mail.kind {
            MailKind::PasswordReset => ("Set another password", self.reset_text(&mail).await?),
            MailKind::PasswordChanged => ("Your password was changed", changed_text(&mail)),
        };
        let mail = Mail {
            to: mail.email.into(),
            subject,
            text: text.into(),
        };
        let sent = timeout(SEND_TIMEOUT, self.mailer.send(mail)).await;
        let sent = sent.unwrap_or_else(|_| Err(MailError("the mailer gave no answer".to_owned())));
        Ok(sent?)
    }

    /// The token is made now and stands in no table but by its digest.
    async fn reset_text(&self, mail: &MailToSend) -> Result<String, ServiceError> {
        let token = OpaqueToken::random(Purpose::PasswordReset)?;
        let expires_at = self.services.now().plus_ms(RESET_LIFETIME_MS);
        let database = self.services.database();
        database
            .insert_password_reset(token.digest(), mail.user_id, expires_at)
            .await?;
        Ok(format!(
            "Hello {},\n\nsomebody, hopefully you, asked for another password. This token sets one, once, within 30 \
             minutes:\n\n{}\n\nIf it was not you, do nothing.\n",
            mail.name,
            token.text().expose_secret()
        ))
    }
}

fn changed_text(mail: &MailToSend) -> String {
    format!(
        "Hello {},\n\nyour password was changed, and all other logins were ended. If it was not you, ask for another \
         password now.\n",
        mail.name
    )
}
