//! What a package order asks of its events. Everything here may be asked again: the leg's key, made of its hold's id,
//! finds the record of the first time.

use std::time::Duration;

use onsale_domain::command::{
    CancelledBy, ConfirmHold, PackageLeg, PlaceHold, RequestedLine, RequestedLines,
};
use onsale_domain::record::{KeyBinding, PaymentAuthorization, ReleaseReason};
use onsale_domain::{BuyerId, Command, EventId, Gateway, Money, Record, Refusal};
use onsale_engine::{Answer, EngineError, Receipt};
use onsale_persistence::{LegLine, PackageLegRow, PackageOrderRow};
use tokio::time::sleep;

use crate::digest::{KeyedRoute, key_binding};
use crate::{ServiceError, Services};

/// A step that meets overload is tried this often before it is left to the job.
const TRIES_MAX: u32 = 4;
/// Wait before the second try; doubled for each further one.
const TRY_AGAIN_MS: u64 = 25;

/// An event that did not do as asked.
#[derive(Clone, Debug)]
pub(super) struct LegError {
    /// Which event.
    pub(super) event_id: EventId,
    /// What it said.
    pub(super) error: EngineError,
}

impl From<LegError> for ServiceError {
    fn from(leg: LegError) -> Self {
        match leg.error {
            // A draft is hidden from buyers.
            EngineError::Refused(Refusal::SaleNotStarted { opens_at: None }) => Self::PackageNotOnSale,
            EngineError::Refused(refusal) => Self::PackageLeg {
                event_id: leg.event_id,
                refusal,
            },
            error => error.into(),
        }
    }
}

/// The key of a leg's hold, and of what becomes of it.
fn key_of(leg: &PackageLegRow) -> KeyBinding {
    key_binding(BuyerId(leg.hold_id.0), KeyedRoute::PackageLeg, "", b"")
}

/// The lines of a leg as its event is asked for them.
pub(super) fn requested(leg: &PackageLegRow) -> RequestedLines {
    let line = |line: &LegLine| RequestedLine {
        ticket_type_id: line.ticket_type_id,
        quantity: i64::from(line.quantity),
    };
    leg.lines.iter().map(line).collect()
}

impl Services {
    /// Holds every leg, in the order of their events, so that of two buyers who want the last tickets one gets all.
    /// Stops at the first that cannot be held.
    pub(super) async fn hold_legs(&self, order: &PackageOrderRow) -> Result<(), LegError> {
        for leg in &order.legs {
            let command = Command::PlaceHold(PlaceHold {
                hold_id: leg.hold_id,
                buyer_id: order.buyer_id,
                lines: requested(leg),
                payment: order.gateway.as_deref().and_then(Gateway::of_name),
                package: Some(PackageLeg {
                    package_order_id: order.package_order_id,
                    unit_prices_minor: leg.lines.iter().map(|line| line.unit_share_minor).collect(),
                }),
                key: Some(key_of(leg)),
            });
            let failed = |error| LegError {
                event_id: leg.event_id,
                error,
            };
            match self.engine().execute(leg.event_id, command).await {
                Ok(receipt) if is_given_back(&receipt) => return Err(failed(Refusal::HoldReleased.into())),
                // Placed, now or before; or the key is forgotten, and its confirmation will tell.
                Ok(_) | Err(EngineError::Refused(Refusal::HoldExists)) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }

    /// Makes every leg an order. Stops at the first that cannot become one.
    pub(super) async fn confirm_legs(&self, order: &PackageOrderRow) -> Result<(), LegError> {
        for leg in &order.legs {
            let failed = |error| LegError {
                event_id: leg.event_id,
                error,
            };
            let tickets = self
                .ids()
                .tickets(leg.tickets(), leg.event_id.route(), self.now())
                .map_err(|error| {
                    failed(EngineError::Unavailable {
                        reason: error.to_string(),
                    })
                })?;
            let command = Command::ConfirmHold(Box::new(ConfirmHold {
                hold_id: leg.hold_id,
                buyer_id: order.buyer_id,
                payment: share_of_payment(order, leg),
                tickets,
                package_order_id: Some(order.package_order_id),
                key: Some(key_of(leg)),
            }));
            match self.patiently(leg.event_id, command).await {
                Ok(receipt) if is_given_back(&receipt) => return Err(failed(Refusal::HoldReleased.into())),
                Ok(_) | Err(EngineError::Refused(Refusal::HoldConfirmed { .. })) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }

    /// Gives every leg back, whatever has become of it. Tries all; the first that could not be is the error.
    pub(super) async fn give_back_legs(&self, order: &PackageOrderRow) -> Result<(), LegError> {
        let mut result = Ok(());
        for leg in &order.legs {
            if let Err(error) = self.give_back_leg(order, leg).await {
                result = result.and(Err(LegError {
                    event_id: leg.event_id,
                    error,
                }));
            }
        }
        result
    }

    async fn give_back_leg(&self, order: &PackageOrderRow, leg: &PackageLegRow) -> Result<(), EngineError> {
        let release = Command::ReleaseHold {
            hold_id: leg.hold_id,
            buyer_id: order.buyer_id,
            reason: ReleaseReason::Package,
            key: Some(key_of(leg)),
        };
        let is_an_order = match self.patiently(leg.event_id, release).await {
            Ok(Receipt {
                answer: Answer::Replayed(record),
                ..
            }) => matches!(*record, Record::HoldConfirmed(_)),
            Ok(_)
            // It was never placed, or its event never was.
            | Err(
                EngineError::Refused(Refusal::HoldNotFound | Refusal::EventNotFound) | EngineError::NotFound,
            ) => false,
            Err(EngineError::Refused(Refusal::HoldConfirmed { .. })) => true,
            Err(error) => return Err(error),
        };
        if is_an_order {
            let cancel = Command::CancelOrder {
                order_id: leg.hold_id.into(),
                by: CancelledBy::Package(order.package_order_id),
            };
            self.patiently(leg.event_id, cancel).await?;
        }
        Ok(())
    }

    /// Executes a step, and again where it met overload.
    async fn patiently(&self, event_id: EventId, command: Command) -> Result<Receipt, EngineError> {
        for attempt in 1..TRIES_MAX {
            match self.engine().execute(event_id, command.clone()).await {
                Err(EngineError::Overloaded { .. }) => {
                    sleep(Duration::from_millis(TRY_AGAIN_MS << attempt)).await;
                }
                answer => return answer,
            }
        }
        self.engine().execute(event_id, command).await
    }
}

/// Whether the leg's key has led to its end without an order.
fn is_given_back(receipt: &Receipt) -> bool {
    matches!(&receipt.answer, Answer::Replayed(record) if matches!(**record, Record::HoldReleased(_)))
}

/// What the leg's event is told of the payment: its part of it.
fn share_of_payment(order: &PackageOrderRow, leg: &PackageLegRow) -> Option<PaymentAuthorization> {
    let amount_minor = leg.total_minor().filter(|amount| *amount > 0)?;
    Some(PaymentAuthorization {
        gateway: order.gateway.as_deref().and_then(Gateway::of_name)?,
        reference: order.reference.clone().unwrap_or_default(),
        amount: Money {
            amount_minor,
            currency: order.total.currency,
        },
    })
}
