//! The payment worker: brings one order's payment forward, as far as its provider has come.
//!
//! It is woken by the projection (a payment began, an order was confirmed, cancelled or refunded, a hold expired), by a
//! provider's webhook, and by its own wish to look again. It then does what the payment's state asks for:
//!
//! - `pending` (`pending.rs`): asks the provider, and has the journal confirm, reclaim or release the hold.
//! - `authorized`: captures.
//! - `voiding`, `refunding`, and refunds of a captured payment (`give_back.rs`): gives back.
//! - `voided`, `declined`: looks once more, because a request that was on its way may have reached the provider since.
//! - `quarantined`: waits for staff. All others are final.
//!
//! Each effect comes before its mark, and both can be repeated: a crash between them repeats the effect under the same
//! name, which changes nothing. A provider that does not answer decides nothing.

mod give_back;
mod pending;

use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use onsale_domain::{EventId, Gateway, OrderId, UnixMillis};
use onsale_persistence::{Job, JobKind, PaymentStatus, PaymentToSettle};
use tokio::time::timeout;

use super::{GatewayError, PaymentGateway, PaymentRef, ProviderState};
use crate::metrics::Effect;
use crate::{JobError, JobHandler, JobLimits, JobOutcome, Services, metrics};

/// Steps that one run takes at most: a payment has fewer states.
const STEPS_MAX: usize = 8;
/// Longest run. A process that is killed leaves its payments claimed for so long and a little more.
const RUN_MAX: Duration = Duration::from_secs(20);
/// Shortest and longest wait before the provider is asked again.
const LOOK_AGAIN_MS: (i64, i64) = (5_000, 60_000);

/// Brings payments forward. Its jobs are named by their orders.
pub struct PaymentWorker {
    services: Services,
}

/// What one step led to.
enum Step {
    /// The payment stands elsewhere now.
    Moved,
    /// There is nothing more to do, or the journal's next record will say what.
    Done,
    /// The provider needs time.
    Later(UnixMillis),
}

/// A payment, and who took it.
struct Work<'a> {
    payment: PaymentToSettle,
    provider: &'a dyn PaymentGateway,
}

impl Work<'_> {
    fn reference(&self) -> PaymentRef {
        PaymentRef {
            purchase: self.payment.order_id.into(),
            reference: self.payment.reference.clone(),
            amount: self.payment.amount,
        }
    }
}

impl PaymentWorker {
    /// A worker for these use cases' payments.
    pub fn new(services: Services) -> Self {
        Self { services }
    }

    async fn bring_forward(&self, job: Job) -> Result<JobOutcome, JobError> {
        let order_id = OrderId(job.subject_id);
        let event_id = match job.event_id {
            Some(event_id) => event_id,
            None => self.services.event_of(order_id.route()).await?,
        };
        for _ in 0..STEPS_MAX {
            let payment = self
                .services
                .database()
                .payment_to_settle(event_id, order_id)
                .await?;
            // Free, a leg of a package, or not projected yet: its projection asks again.
            let Some(payment) = payment else {
                self.settle_free_refunds(event_id, order_id).await?;
                return Ok(JobOutcome::Done);
            };
            match self.step(payment).await? {
                Step::Moved => {}
                Step::Done => return Ok(JobOutcome::Done),
                Step::Later(at) => return Ok(JobOutcome::Later(at)),
            }
        }
        Err(JobError("the payment keeps moving".to_owned()))
    }

    async fn step(&self, payment: PaymentToSettle) -> Result<Step, JobError> {
        let name = Gateway::of_name(&payment.gateway);
        let provider = name
            .and_then(|name| self.services.gateways().get(name))
            .ok_or_else(|| JobError(format!("the gateway {} is not configured", payment.gateway)))?;
        let status = payment.status;
        let work = Work { payment, provider };
        match status {
            PaymentStatus::Pending => self.decide(&work).await,
            PaymentStatus::Authorized => self.capture(&work).await,
            PaymentStatus::Captured => self.refund(&work).await,
            PaymentStatus::Voiding => self.void(&work).await,
            PaymentStatus::Refunding => self.refund_rest(&work).await,
            PaymentStatus::Voided | PaymentStatus::Declined => self.look_once_more(&work).await,
            PaymentStatus::Quarantined | PaymentStatus::Refunded => Ok(Step::Done),
        }
    }

    async fn capture(&self, work: &Work<'_>) -> Result<Step, JobError> {
        let payment = &work.payment;
        let state = self.asked(work.provider.capture(&work.reference())).await?;
        match state {
            ProviderState::Captured { amount, .. } if amount != payment.amount => {
                self.quarantine(payment, "captured").await
            }
            ProviderState::Captured { .. } => {
                let captured = self
                    .services
                    .database()
                    .mark_payment_captured(payment.event_id, payment.order_id)
                    .await?;
                if captured.is_some() {
                    metrics::money_moved(Effect::Captured, payment.amount);
                }
                // Nearly every payment ends here: nothing is read once more.
                Ok(if captured == Some(false) {
                    Step::Done
                } else {
                    Step::Moved
                })
            }
            ProviderState::Authorized { .. } | ProviderState::Pending { .. } => Ok(self.look_again(payment)),
            // The tickets are out: staff have to know.
            ProviderState::Absent | ProviderState::Voided | ProviderState::Declined { .. } => Err(JobError(
                "the provider has let go of an authorized payment".to_owned(),
            )),
        }
    }

    /// Puts a payment aside whose amount or currency is not the order's: staff decide, nothing is confirmed.
    async fn quarantine(&self, payment: &PaymentToSettle, what: &'static str) -> Result<Step, JobError> {
        let quarantined = self
            .services
            .database()
            .decide_payment(
                payment.event_id,
                payment.order_id,
                (payment.status, PaymentStatus::Quarantined),
                "amount_mismatch",
            )
            .await?;
        if quarantined {
            metrics::payment_decided("amount_mismatch");
            tracing::error!(
                order_id = %payment.order_id,
                gateway = payment.gateway,
                what,
                "a payment is quarantined: its amount or currency is not the order's"
            );
        }
        Ok(Step::Moved)
    }

    /// `false` where the payment has moved on meanwhile; it is read again then.
    async fn mark(&self, payment: &PaymentToSettle, to: PaymentStatus) -> Result<bool, JobError> {
        let marked = self
            .services
            .database()
            .mark_payment(payment.event_id, payment.order_id, payment.status, to)
            .await?;
        Ok(marked)
    }

    /// The same, with what was decided.
    async fn decided(
        &self,
        payment: &PaymentToSettle,
        to: PaymentStatus,
        decision: &'static str,
    ) -> Result<Step, JobError> {
        let moved = self
            .services
            .database()
            .decide_payment(payment.event_id, payment.order_id, (payment.status, to), decision)
            .await?;
        if moved {
            metrics::payment_decided(decision);
            tracing::info!(order_id = %payment.order_id, decision, "a payment without its hold is decided");
        }
        Ok(Step::Moved)
    }

    /// Asks a provider, and takes silence for silence.
    async fn asked<T>(&self, call: BoxFuture<'_, Result<T, GatewayError>>) -> Result<T, JobError> {
        let answer = timeout(self.services.gateway_timeout(), call).await;
        answer
            .unwrap_or(Err(GatewayError::Unknown))
            .map_err(|error| JobError(error.to_string()))
    }

    /// The older a payment, the longer the wait.
    fn look_again(&self, payment: &PaymentToSettle) -> Step {
        let now = self.services.now();
        let (shortest, longest) = LOOK_AGAIN_MS;
        let wait = (age_ms(payment, now) / 4).clamp(shortest, longest);
        Step::Later(now.plus_ms(wait))
    }
}

fn age_ms(payment: &PaymentToSettle, now: UnixMillis) -> i64 {
    payment
        .started_at
        .map_or(i64::MAX, |started_at| now.ms_since(started_at))
}

impl PaymentWorker {
    fn event_and_order(work: &Work<'_>) -> (EventId, OrderId) {
        (work.payment.event_id, work.payment.order_id)
    }
}

impl JobHandler for PaymentWorker {
    fn kind(&self) -> JobKind {
        JobKind::Payment
    }

    fn limits(&self) -> JobLimits {
        JobLimits {
            run: RUN_MAX,
            ..JobLimits::default()
        }
    }

    fn run(&self, job: Job) -> BoxFuture<'_, Result<JobOutcome, JobError>> {
        self.bring_forward(job).boxed()
    }
}
