//! The saga: where a package order stands, and what its next step is.

use onsale_domain::id::KeyDigest;
use onsale_domain::{PackageOrderId, Refusal};
use onsale_engine::EngineError;
use onsale_persistence::{PackageOrderRow, PackageOrderState, PackageStep, PaymentStatus};
use secrecy::SecretString;

use super::legs::LegError;
use super::money::{Decision, Settled};
use crate::payments::PaymentAction;
use crate::sale::{Claim, Work};
use crate::{ServiceError, Services};

/// Steps of one drive: more than any way through the saga has.
const STEPS_MAX: u32 = 16;

/// Who drives.
pub(super) enum Driver {
    /// The buyer's request, with the means of payment.
    Request(Option<SecretString>),
    /// The job: it has none.
    Job,
}

/// How far a drive came.
pub(super) struct Driven {
    /// Where the order stands.
    pub(super) order: PackageOrderRow,
    /// What an event said that ended it in this drive.
    pub(super) refused: Option<LegError>,
    /// What the buyer has to do, where the provider waits for that.
    pub(super) action: Option<PaymentAction>,
}

/// What to do next.
enum Next {
    Step(PackageStep),
    /// Its payment has moved.
    LookAgain,
    /// It waits for the provider, or has come to its end.
    Rest,
}

impl Services {
    /// The right to drive a package order alone in this process. Only a convenience: two that drive one do no harm.
    pub(super) fn claim_package_order(&self, id: PackageOrderId) -> Result<Claim, ServiceError> {
        // An id is as wide as a digest, and no digest of a key is ever an id.
        self.in_flight().claim(Work::Key(KeyDigest(id.0.into_bytes())))
    }

    /// Drives a package order on until it waits or ends. The caller holds its claim.
    pub(super) async fn drive_package_order(
        &self,
        id: PackageOrderId,
        mut driver: Driver,
    ) -> Result<Driven, ServiceError> {
        let (mut refused, mut action) = (None, None);
        for _ in 0..STEPS_MAX {
            let order = self.database().package_order(id).await?;
            let order = order.ok_or(ServiceError::NotFound)?;
            let next = match order.state {
                PackageOrderState::Holding => self.next_of_holding(&order, &driver, &mut refused).await,
                PackageOrderState::Paying => self.next_of_paying(&order, &mut driver, &mut action).await?,
                PackageOrderState::Confirming => self.next_of_confirming(&order, &mut refused).await?,
                PackageOrderState::Cancelling => self.next_of_cancelling(&order).await?,
                PackageOrderState::Confirmed | PackageOrderState::Cancelled => Next::Rest,
            };
            let step = match next {
                Next::Step(step) => step,
                Next::LookAgain => continue,
                Next::Rest => {
                    return Ok(Driven {
                        order,
                        refused,
                        action,
                    });
                }
            };
            let from = (order.state, order.payment);
            let stepped = self
                .database()
                .step_package_order(id, from, &step, self.now())
                .await?;
            if !stepped && matches!(step, PackageStep::Paid { .. }) {
                // Money was set aside for what may have been given up meanwhile, after its money was let go.
                self.database().void_package_again(id, self.now()).await?;
            }
        }
        Err(ServiceError::Internal("a package order goes round"))
    }

    async fn next_of_holding(
        &self,
        order: &PackageOrderRow,
        driver: &Driver,
        refused: &mut Option<LegError>,
    ) -> Next {
        // Nobody but its request can pay it.
        let is_left_alone = matches!(driver, Driver::Job) && order.payment.is_some();
        if is_left_alone || self.now() >= order.decide_by {
            return Next::Step(cancel("unavailable"));
        }
        match self.hold_legs(order).await {
            Ok(()) => Next::Step(PackageStep::Held),
            Err(leg) => {
                let step = cancel_because_of(&leg);
                *refused = Some(leg);
                Next::Step(step)
            }
        }
    }

    async fn next_of_paying(
        &self,
        order: &PackageOrderRow,
        driver: &mut Driver,
        action: &mut Option<PaymentAction>,
    ) -> Result<Next, ServiceError> {
        if order.payment.is_none() {
            return Ok(Next::Step(PackageStep::Paid {
                reference: None,
                is_captured: false,
            }));
        }
        let payment_method = match driver {
            Driver::Request(payment_method) => payment_method.take(),
            Driver::Job => None,
        };
        Ok(match self.package_decision(order, payment_method).await? {
            Decision::Paid {
                reference,
                is_captured,
            } => Next::Step(PackageStep::Paid {
                reference: Some(reference),
                is_captured,
            }),
            Decision::Declined => Next::Step(PackageStep::Cancel {
                reason: "payment_declined".to_owned(),
                refused_by: None,
                is_declined: true,
            }),
            Decision::GivenUp(reason) => Next::Step(cancel(reason)),
            Decision::Undecided(wanted) => {
                *action = wanted;
                Next::Rest
            }
        })
    }

    /// Errors: a leg of which nobody knows whether it became an order; it is asked again later.
    async fn next_of_confirming(
        &self,
        order: &PackageOrderRow,
        refused: &mut Option<LegError>,
    ) -> Result<Next, ServiceError> {
        match self.confirm_legs(order).await {
            Ok(()) => Ok(Next::Step(PackageStep::Confirmed)),
            Err(leg) if is_final(&leg.error) => {
                tracing::warn!(
                    package_order_id = %order.package_order_id, event_id = %leg.event_id, error = %leg.error,
                    "a paid package cannot be sold any more: its money goes back"
                );
                let step = cancel_because_of(&leg);
                *refused = Some(leg);
                Ok(Next::Step(step))
            }
            Err(leg) => Err(leg.error.into()),
        }
    }

    /// Units first, then money. Both are asked for again in the pass that finds the money gone: that costs little, and
    /// nothing rests on what an earlier pass may have done.
    async fn next_of_cancelling(&self, order: &PackageOrderRow) -> Result<Next, ServiceError> {
        self.give_back_legs(order).await.map_err(|leg| leg.error)?;
        if !matches!(
            order.payment,
            Some(PaymentStatus::Voiding | PaymentStatus::Refunding)
        ) {
            return Ok(Next::Step(PackageStep::Cancelled));
        }
        Ok(match self.let_package_money_go(order).await? {
            Settled::Yes => Next::LookAgain,
            Settled::NotYet => Next::Rest,
        })
    }
}

fn cancel(reason: &str) -> PackageStep {
    PackageStep::Cancel {
        reason: reason.to_owned(),
        refused_by: None,
        is_declined: false,
    }
}

fn cancel_because_of(leg: &LegError) -> PackageStep {
    let reason = match &leg.error {
        EngineError::Refused(refusal) => refusal.code(),
        EngineError::Overloaded { .. } => "overloaded",
        EngineError::NotFound => "not_found",
        EngineError::OwnedElsewhere { .. }
        | EngineError::Unavailable { .. }
        | EngineError::OutcomeUnknown
        | EngineError::Quarantined { .. }
        | EngineError::ShuttingDown => "unavailable",
    };
    PackageStep::Cancel {
        reason: reason.to_owned(),
        refused_by: Some(leg.event_id),
        is_declined: false,
    }
}

/// Whether an event will never say otherwise.
const fn is_final(error: &EngineError) -> bool {
    match error {
        EngineError::Refused(refusal) => !matches!(refusal, Refusal::TicketExists | Refusal::Violation(_)),
        EngineError::NotFound => true,
        EngineError::OwnedElsewhere { .. }
        | EngineError::Overloaded { .. }
        | EngineError::Unavailable { .. }
        | EngineError::OutcomeUnknown
        | EngineError::Quarantined { .. }
        | EngineError::ShuttingDown => false,
    }
}
