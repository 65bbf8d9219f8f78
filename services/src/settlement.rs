//! Turns projected payments into effects: captures what was sold, voids or refunds what was cancelled.
//!
//! The `payments` table is the outbox: its rows follow from committed records, so an effect never starts before its
//! record is durable. Gateways are idempotent by the purchase, and a row is marked only after the gateway answered,
//! so a crash between the two repeats the call and changes nothing.

use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use onsale_domain::HoldId;
use onsale_persistence::{DatabaseError, PaymentStatus, PaymentToSettle};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::Services;
use crate::payments::{Authorization, PaymentError};

/// Payments of one round.
const BATCH_MAX: usize = 500;
/// Calls to the gateway that are under way at once.
const CALLS_MAX: usize = 16;
/// Wait after a round that found nothing to do.
const IDLE: Duration = Duration::from_millis(200);
/// Longest wait after rounds that failed.
const BACKOFF_MAX: Duration = Duration::from_secs(30);

/// The payment worker. One runs in each process; two that meet do no harm.
#[derive(Clone)]
pub struct Settlement {
    services: Services,
}

/// What one round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Payments that were settled.
    pub settled: usize,
    /// Payments that were not, and stay in the outbox.
    pub failed: usize,
}

impl Settlement {
    /// A worker for these use cases' database and gateway.
    pub fn new(services: Services) -> Self {
        Self { services }
    }

    /// Works until told to stop. The round under way is finished first: nothing is cancelled between the gateway's
    /// answer and its mark.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut wait = Duration::ZERO;
        while shutdown
            .run_until_cancelled(tokio::time::sleep(wait))
            .await
            .is_some()
        {
            wait = match self.round().await {
                Ok(Round {
                    failed: 0,
                    settled: 0,
                }) => IDLE,
                Ok(Round { failed: 0, .. }) => Duration::ZERO,
                Ok(Round { failed, settled }) => {
                    tracing::warn!(failed, settled, "payments could not be settled; trying again");
                    longer(wait)
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot read payments to settle; trying again");
                    longer(wait)
                }
            };
        }
    }

    /// Settles one batch of what is due now.
    pub async fn round(&self) -> Result<Round, DatabaseError> {
        let due = self.services.database().payments_to_settle(BATCH_MAX).await?;
        let outcomes: Vec<bool> = stream::iter(due)
            .map(|payment| self.settle(payment))
            .buffer_unordered(CALLS_MAX)
            .collect()
            .await;
        let settled = outcomes.iter().filter(|settled| **settled).count();
        Ok(Round {
            settled,
            failed: outcomes.len() - settled,
        })
    }

    async fn settle(&self, payment: PaymentToSettle) -> bool {
        let Some(to) = self.effect(&payment).await else {
            return false;
        };
        let marked = self
            .services
            .database()
            .mark_payment(payment.event_id, payment.order_id, payment.status, to)
            .await;
        match marked {
            Ok(true) => true,
            Ok(false) => self.overtaken(&payment).await,
            Err(_) => false,
        }
    }

    /// The row moved on while the gateway worked: the order was cancelled. Money that was captured meanwhile cannot
    /// be voided any more and must be refunded.
    async fn overtaken(&self, payment: &PaymentToSettle) -> bool {
        if payment.status != PaymentStatus::Authorized {
            return true;
        }
        self.services
            .database()
            .mark_payment(
                payment.event_id,
                payment.order_id,
                PaymentStatus::Voiding,
                PaymentStatus::Refunding,
            )
            .await
            .is_ok()
    }

    /// Asks the gateway for what the payment's state calls for; `None` when it did not do it.
    async fn effect(&self, payment: &PaymentToSettle) -> Option<PaymentStatus> {
        let gateway = self.services.gateway();
        if payment.gateway != gateway.name() {
            tracing::error!(order_id = %payment.order_id, gateway = payment.gateway, "unknown payment gateway");
            return None;
        }
        let authorization = Authorization {
            purchase_id: HoldId::from(payment.order_id),
            reference: payment.reference.clone(),
            amount: payment.amount,
        };
        let (call, to) = match payment.status {
            PaymentStatus::Authorized => (gateway.capture(&authorization), PaymentStatus::Captured),
            PaymentStatus::Voiding => (gateway.void(authorization.purchase_id), PaymentStatus::Voided),
            PaymentStatus::Refunding => (gateway.refund(&authorization), PaymentStatus::Refunded),
            PaymentStatus::Captured | PaymentStatus::Voided | PaymentStatus::Refunded => {
                return None;
            }
        };
        match timeout(self.services.gateway_timeout(), call).await {
            Ok(Ok(())) => Some(to),
            Ok(Err(PaymentError::Declined { reason })) => {
                tracing::error!(order_id = %payment.order_id, reason, "the gateway refused to settle");
                None
            }
            Ok(Err(PaymentError::Unavailable)) | Err(_) => None,
        }
    }
}

fn longer(wait: Duration) -> Duration {
    (wait * 2).clamp(IDLE, BACKOFF_MAX)
}
