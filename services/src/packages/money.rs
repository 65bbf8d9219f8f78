//! The payment of a package order: one for all of its legs.

use onsale_domain::{Gateway, Money};
use onsale_persistence::{MailMessage, PackageOrderRow, PackageRefund, PaymentStatus, RefundStatus};
use secrecy::SecretString;
use tokio::time::timeout;

use crate::metrics::{self, Effect};
use crate::payments::{
    GatewayError, PaymentAction, PaymentGateway, PaymentRef, PaymentRequest, ProviderState, RefundRequest,
    RefundState,
};
use crate::{ServiceError, Services};

/// A provider that knows of no payment is believed after this: before, the request that begins it may be on its way.
const YOUNG_MS: i64 = 60_000;
/// Refunds of one package order that are settled in one go; the rest follow at once.
const REFUNDS_AT_ONCE: usize = 100;

/// What the provider has decided.
pub(super) enum Decision {
    /// The whole total, and nothing else.
    Paid {
        /// Its reference.
        reference: String,
        /// Whether it has taken the money already.
        is_captured: bool,
    },
    /// A final no.
    Declined,
    /// Nothing that a sale can rest on: whatever it has is let go.
    GivenUp(&'static str),
    /// Nothing yet.
    Undecided(Option<PaymentAction>),
}

/// Whether all of the money's way that was asked for is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// There is nothing more to do.
    Yes,
    /// The provider is at it.
    NotYet,
}

impl Services {
    /// Asks the provider for the money, where there is a means of payment, and how it stands otherwise.
    pub(super) async fn package_decision(
        &self,
        order: &PackageOrderRow,
        payment_method: Option<SecretString>,
    ) -> Result<Decision, ServiceError> {
        let gateway = self.package_gateway(order)?;
        let is_begun_here = payment_method.is_some();
        let answer = if let Some(payment_method) = payment_method {
            let request = PaymentRequest {
                purchase: order.package_order_id.into(),
                amount: order.total,
                payment_method,
            };
            self.asked_in_time(gateway.gateway(), gateway.start(request))
                .await
        } else {
            let payment = payment_of(order);
            self.asked_in_time(gateway.gateway(), gateway.status(&payment))
                .await
        };
        Ok(self.decided(order, is_begun_here, answer))
    }

    fn decided(
        &self,
        order: &PackageOrderRow,
        is_begun_here: bool,
        answer: Result<ProviderState, GatewayError>,
    ) -> Decision {
        let is_young = self.now().ms_since(order.created_at) < YOUNG_MS;
        let decision = match answer {
            Ok(ProviderState::Authorized { reference, amount }) if amount == order.total => Decision::Paid {
                reference,
                is_captured: false,
            },
            Ok(ProviderState::Captured {
                reference,
                amount,
                refunded_minor: 0,
            }) if amount == order.total => Decision::Paid {
                reference,
                is_captured: true,
            },
            Ok(ProviderState::Authorized { .. } | ProviderState::Captured { .. }) => {
                tracing::error!(
                    package_order_id = %order.package_order_id,
                    "the provider's amount is not the package order's: it is given back"
                );
                Decision::GivenUp("payment_mismatch")
            }
            Ok(ProviderState::Declined { reason }) => {
                tracing::debug!(package_order_id = %order.package_order_id, reason, "payment declined");
                Decision::Declined
            }
            Err(GatewayError::Rejected(reason)) if is_begun_here => {
                tracing::warn!(package_order_id = %order.package_order_id, reason, "payment rejected");
                Decision::GivenUp("payment_declined")
            }
            Ok(ProviderState::Voided) => Decision::GivenUp("payment_unavailable"),
            Ok(ProviderState::Absent) if !is_young => Decision::GivenUp("payment_unavailable"),
            Err(GatewayError::Unavailable(_)) if is_begun_here => Decision::GivenUp("payment_unavailable"),
            Ok(ProviderState::Pending { action, .. }) => Decision::Undecided(action),
            Ok(ProviderState::Absent) | Err(_) => Decision::Undecided(None),
        };
        match decision {
            Decision::Undecided(_) if self.now() >= order.decide_by => {
                Decision::GivenUp("payment_unavailable")
            }
            decision => decision,
        }
    }

    /// Makes sure that a package order that is given up costs nothing.
    pub(super) async fn let_package_money_go(
        &self,
        order: &PackageOrderRow,
    ) -> Result<Settled, ServiceError> {
        let to = match order.payment {
            Some(PaymentStatus::Voiding) => PaymentStatus::Voided,
            Some(PaymentStatus::Refunding) => PaymentStatus::Refunded,
            _ => return Ok(Settled::Yes),
        };
        let gateway = self.package_gateway(order)?;
        let payment = payment_of(order);
        let state = timeout(self.gateway_timeout(), gateway.void(&payment)).await;
        let is_gone = match state.unwrap_or(Err(GatewayError::Unknown)) {
            Ok(ProviderState::Voided | ProviderState::Declined { .. } | ProviderState::Absent) => true,
            Ok(ProviderState::Captured {
                amount,
                refunded_minor,
                ..
            }) => refunded_minor >= amount.amount_minor,
            Ok(ProviderState::Pending { .. } | ProviderState::Authorized { .. }) => false,
            Err(error) => {
                tracing::warn!(package_order_id = %order.package_order_id, %error, "money could not be let go");
                false
            }
        };
        if !is_gone {
            return Ok(Settled::NotYet);
        }
        let (from, effect) = if to == PaymentStatus::Voided {
            (PaymentStatus::Voiding, Effect::Voided)
        } else {
            (PaymentStatus::Refunding, Effect::Refunded)
        };
        let is_marked = self
            .database()
            .mark_package_payment(order.package_order_id, from, to)
            .await?;
        if is_marked {
            let left = Money {
                amount_minor: order.total.amount_minor.saturating_sub(order.refunded_minor),
                currency: order.total.currency,
            };
            metrics::money_moved(effect, left);
        }
        Ok(Settled::Yes)
    }

    /// Takes what was set aside for a package order that is sold.
    pub(super) async fn capture_package(&self, order: &PackageOrderRow) -> Result<Settled, ServiceError> {
        if order.payment != Some(PaymentStatus::Authorized) {
            return Ok(Settled::Yes);
        }
        let gateway = self.package_gateway(order)?;
        let payment = payment_of(order);
        let state = timeout(self.gateway_timeout(), gateway.capture(&payment)).await;
        match state.unwrap_or(Err(GatewayError::Unknown)) {
            Ok(ProviderState::Captured { .. }) => {}
            other => {
                tracing::warn!(package_order_id = %order.package_order_id, ?other, "a package's payment was not captured");
                return Ok(Settled::NotYet);
            }
        }
        let (id, database) = (order.package_order_id, self.database());
        let captured = database
            .mark_package_payment(id, PaymentStatus::Authorized, PaymentStatus::Captured)
            .await?;
        if captured {
            metrics::money_moved(Effect::Captured, order.total);
        } else {
            // A cancellation overtook it: what was taken has to be given back.
            database
                .mark_package_payment(id, PaymentStatus::Voiding, PaymentStatus::Refunding)
                .await?;
        }
        Ok(Settled::Yes)
    }

    /// Gives back what single tickets of the legs cost.
    pub(super) async fn refund_package_tickets(
        &self,
        order: &PackageOrderRow,
    ) -> Result<Settled, ServiceError> {
        let (id, database) = (order.package_order_id, self.database());
        let refunds = database.pending_package_refunds(id, REFUNDS_AT_ONCE).await?;
        let mut settled = if refunds.len() < REFUNDS_AT_ONCE {
            Settled::Yes
        } else {
            Settled::NotYet
        };
        for refund in refunds {
            let is_back_already = refund.amount_minor == 0 || order.payment != Some(PaymentStatus::Captured);
            let state = if is_back_already {
                Ok(RefundState::Succeeded)
            } else {
                let request = RefundRequest {
                    refund_id: refund.refund_id,
                    amount: refunded(order, refund),
                };
                let gateway = self.package_gateway(order)?;
                let payment = payment_of(order);
                let answer = timeout(self.gateway_timeout(), gateway.refund(&payment, request)).await;
                answer.unwrap_or(Err(GatewayError::Unknown))
            };
            let (status, failure) = match state {
                Ok(RefundState::Succeeded) => (RefundStatus::Succeeded, None),
                Ok(RefundState::Failed { reason }) => (RefundStatus::Failed, Some(reason)),
                Ok(RefundState::Pending) | Err(_) => {
                    settled = Settled::NotYet;
                    continue;
                }
            };
            let is_new = database
                .settle_package_refund(id, refund, (status, failure.as_deref()), self.now())
                .await?;
            if is_new && status == RefundStatus::Succeeded && refund.amount_minor > 0 {
                if !is_back_already {
                    metrics::money_moved(Effect::Refunded, refunded(order, refund));
                }
                self.tell_of_refund(order, refund).await?;
            }
        }
        Ok(settled)
    }

    async fn tell_of_refund(
        &self,
        order: &PackageOrderRow,
        refund: PackageRefund,
    ) -> Result<(), ServiceError> {
        let leg = order.legs.iter().find(|leg| leg.event_id == refund.event_id);
        let Some(leg) = leg else { return Ok(()) };
        self.enqueue_mail(MailMessage::Refund {
            event_id: leg.event_id,
            order_id: leg.hold_id.into(),
            refund_id: refund.refund_id.0,
            amount: refunded(order, refund),
        })
        .await
    }

    fn package_gateway(&self, order: &PackageOrderRow) -> Result<&dyn PaymentGateway, ServiceError> {
        let name = order.gateway.as_deref().and_then(Gateway::of_name);
        name.and_then(|name| self.gateways().get(name))
            .ok_or(ServiceError::Internal(
                "a package order's gateway is not configured",
            ))
    }
}

fn refunded(order: &PackageOrderRow, refund: PackageRefund) -> Money {
    Money {
        amount_minor: refund.amount_minor,
        currency: order.total.currency,
    }
}

fn payment_of(order: &PackageOrderRow) -> PaymentRef {
    PaymentRef {
        purchase: order.package_order_id.into(),
        reference: order.reference.clone(),
        amount: order.total,
    }
}
