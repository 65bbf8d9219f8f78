//! Turns projected payments into effects: captures what was sold, voids or refunds what was cancelled.
//!
//! The `payments` table is the outbox: its rows follow from committed records, so an effect never starts before its
//! record is durable. Gateways are idempotent by the purchase, and a row is marked only after the gateway answered,
//! so a crash between the two repeats the call and changes nothing.

mod schedule;

use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use onsale_domain::{Gateway, OrderId};
use onsale_persistence::{DatabaseError, PaymentStatus, PaymentToSettle};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::schedule::{PAGE, Schedule};
use crate::Services;
use crate::payments::PaymentRef;

/// Calls to the gateway that are under way at once.
const CALLS_MAX: usize = 16;

/// The payment worker. One runs in each process; two that meet do no harm.
#[derive(Clone)]
pub struct Settlement {
    services: Services,
}

impl Settlement {
    /// A worker for these use cases' database and gateway.
    pub fn new(services: Services) -> Self {
        Self { services }
    }

    /// Works until told to stop. Calls under way are finished first, and no further ones begin: nothing is cancelled
    /// between the gateway's answer and its mark.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut schedule = Schedule::default();
        let mut wait = Duration::ZERO;
        while shutdown
            .run_until_cancelled(tokio::time::sleep(wait))
            .await
            .is_some()
        {
            wait = match self.round(&mut schedule, &shutdown).await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::warn!(%error, "cannot read payments to settle; trying again");
                    schedule.unreadable()
                }
            };
        }
    }

    /// Settles what is due of one page, and gives how long to wait before the next.
    async fn round(
        &self,
        schedule: &mut Schedule,
        shutdown: &CancellationToken,
    ) -> Result<Duration, DatabaseError> {
        let page = self
            .services
            .database()
            .payments_to_settle(schedule.cursor(), PAGE)
            .await?;
        let end = (page.len(), page.last().map(|payment| payment.order_id));
        let now = self.services.now();
        let due: Vec<_> = page
            .into_iter()
            .filter(|payment| schedule.is_due(payment.order_id, now))
            .collect();
        let tried: Vec<(OrderId, bool)> = stream::iter(due)
            .take_while(|_| std::future::ready(!shutdown.is_cancelled()))
            .map(async |payment| (payment.order_id, self.settle(payment).await))
            .buffer_unordered(CALLS_MAX)
            .collect()
            .await;
        let now = self.services.now();
        for (order_id, settled) in &tried {
            schedule.tried(*order_id, *settled, now);
        }
        let settled = tried.iter().filter(|(_, settled)| *settled).count();
        let failed = tried.len() - settled;
        if failed > 0 {
            tracing::warn!(failed, settled, "payments could not be settled; trying again");
        }
        Ok(schedule.turn(end, settled, now))
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
        let gateway = Gateway::of_name(&payment.gateway).and_then(|name| self.services.gateways().get(name));
        let Some(gateway) = gateway else {
            tracing::error!(order_id = %payment.order_id, gateway = payment.gateway, "unknown payment gateway");
            return None;
        };
        let reference = PaymentRef {
            purchase: payment.order_id.into(),
            reference: payment.reference.clone(),
            amount: payment.amount,
        };
        let (call, to) = match payment.status {
            PaymentStatus::Authorized => (gateway.capture(&reference), PaymentStatus::Captured),
            PaymentStatus::Voiding => (gateway.void(&reference), PaymentStatus::Voided),
            PaymentStatus::Refunding => (gateway.void(&reference), PaymentStatus::Refunded),
            PaymentStatus::Pending
            | PaymentStatus::Declined
            | PaymentStatus::Quarantined
            | PaymentStatus::Captured
            | PaymentStatus::Voided
            | PaymentStatus::Refunded => {
                return None;
            }
        };
        match timeout(self.services.gateway_timeout(), call).await {
            Ok(Ok(_)) => Some(to),
            Ok(Err(error)) => {
                tracing::error!(order_id = %payment.order_id, %error, "the gateway did not settle");
                None
            }
            Err(_) => None,
        }
    }
}
