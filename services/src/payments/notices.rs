//! What providers tell of their own accord.
//!
//! A webhook is a hint and nothing more: it has the purchase looked at now instead of when it would be polled. So it
//! does not matter how often it comes, how late, or in which order: the queue holds one job for each purchase, and the
//! job asks the provider how things are.

use std::future::Future;

use onsale_domain::{Gateway, Purchase};
use onsale_persistence::{JobKind, NewJob};

use super::{Notice, WebhookError, WebhookRequest};
use crate::{ServiceError, Services, metrics};

/// A provider's word that is kept in a log line, at most so long.
const OUTCOME_CHARS_MAX: usize = 64;

impl Services {
    /// Takes a provider's webhook: has the purchase that it is about looked at now. What is late, repeated or about
    /// nothing of ours changes nothing and is good.
    ///
    /// Errors: [`ServiceError::NotFound`] for a provider that is not configured, [`ServiceError::WebhookForged`],
    /// [`ServiceError::WebhookUnreadable`]; any other where the hint could not be kept: the provider then has to send
    /// it again.
    pub fn payment_notice<'a>(
        &self,
        provider: &str,
        header: &'a dyn Fn(&str) -> Option<&'a str>,
        body: &'a [u8],
    ) -> impl Future<Output = Result<(), ServiceError>> + Send + use<> {
        let heard = self.hear(provider, header, body);
        let services = self.clone();
        async move {
            let (gateway, purchase) = heard?;
            let Some(purchase) = purchase else {
                metrics::webhook(gateway, "ignored");
                return Ok(());
            };
            let looked_at = services.look_now(purchase).await;
            let outcome = match &looked_at {
                Ok(()) => "accepted",
                Err(ServiceError::NotFound) => "ignored",
                Err(_) => "failed",
            };
            metrics::webhook(gateway, outcome);
            match looked_at {
                Err(ServiceError::NotFound) => Ok(()),
                other => other,
            }
        }
    }

    /// Checks the signature before anything else is done with the message.
    fn hear<'a>(
        &self,
        provider: &str,
        header: &'a dyn Fn(&str) -> Option<&'a str>,
        body: &'a [u8],
    ) -> Result<(Gateway, Option<Purchase>), ServiceError> {
        let gateway = Gateway::of_name(provider).ok_or(ServiceError::NotFound)?;
        let now = self.now();
        let configured = self.gateways().get(gateway).ok_or(ServiceError::NotFound)?;
        match configured.webhook(WebhookRequest { header, body, now }) {
            Ok(Notice { purchase, outcome }) => {
                let outcome: String = outcome.chars().take(OUTCOME_CHARS_MAX).collect();
                tracing::debug!(provider, outcome, ?purchase, "a payment provider tells something");
                Ok((gateway, purchase))
            }
            Err(WebhookError::Forged) => {
                metrics::webhook(gateway, "forged");
                Err(ServiceError::WebhookForged)
            }
            Err(WebhookError::Unreadable) => {
                metrics::webhook(gateway, "unreadable");
                tracing::warn!(provider, "a signed message of a payment provider cannot be read");
                Err(ServiceError::WebhookUnreadable)
            }
        }
    }

    /// Errors: [`ServiceError::NotFound`] where no event of ours has such an order.
    async fn look_now(&self, purchase: Purchase) -> Result<(), ServiceError> {
        let (kind, event_id) = match purchase {
            Purchase::Order(order_id) => (JobKind::Payment, Some(self.event_of(order_id.route()).await?)),
            Purchase::Package(_) => (JobKind::Package, None),
        };
        let now = self.now();
        let job = NewJob {
            kind,
            subject_id: purchase.id(),
            event_id,
            payload: None,
            due_at: now,
        };
        Ok(self.database().enqueue(&[job], now).await?)
    }
}
