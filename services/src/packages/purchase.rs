//! Buying packages in one call.
//!
//! The order's id is made of the idempotency key, so a repeat finds it. An attempt that came to nothing for a reason
//! that may pass (sold out for now, overload) is not the key's answer: a repeat begins another, under the next id.

use std::collections::BTreeMap;

use onsale_domain::limits::{LINE_QUANTITY_MAX, ORDER_QUANTITY_MAX, PAYMENT_WINDOW_MS};
use onsale_domain::record::KeyBinding;
use onsale_domain::{BuyerId, EventId, PackageId, PackageOrderId, Refusal};
use onsale_engine::EngineError;
use onsale_engine::at_hand::carried;
use onsale_persistence::{
    DatabaseError, LegLine, NewPackageOrder, PackageError, PackageLegRow, PackageOrderRow, PackageOrderState,
    PackageRow, PackageStatus,
};

use super::PackageOrder;
use super::legs::{LegError, requested};
use super::saga::{Driven, Driver};
use crate::keyed::KeyedIds;
use crate::payments::PaymentAction;
use crate::sale::Work;
use crate::{ServiceError, Services};

/// Attempts under one key; after these the last refusal stands.
const ATTEMPTS_MAX: u32 = 16;
/// When the job looks after a purchase: by then its request has given up, or its process has died.
const LOOK_MS: i64 = 15_000;
/// The provider must have decided so long before the first hold may end.
const DECIDE_MARGIN_MS: i64 = 90_000;
/// Refusals that are the key's answer for good.
const FINAL_REASONS: [&str; 5] = [
    "payment_declined",
    "payment_mismatch",
    "hold_expired",
    "buyer",
    "staff",
];

/// Asks to buy packages.
#[derive(Clone, Debug)]
pub struct PackagePurchaseRequest {
    /// Which package.
    pub package_id: PackageId,
    /// For whom.
    pub buyer_id: BuyerId,
    /// How many.
    pub quantity: i64,
    /// The gateway's token for the means of payment; not needed where the package costs nothing.
    pub payment_method: Option<String>,
    /// The request's idempotency key.
    pub key: KeyBinding,
}

/// A purchase of packages: confirmed, or waiting for the provider.
#[derive(Clone, Debug)]
pub struct PurchasedPackage {
    /// The package order.
    pub order: PackageOrder,
    /// What the buyer has to do, where the provider waits for that.
    pub action: Option<PaymentAction>,
    /// Whether this repeats an earlier answer to the same idempotency key.
    pub replayed: bool,
}

/// What a key has led to.
enum Found {
    /// This, which is its answer or leads to it.
    Order(Box<PackageOrderRow>),
    /// Nothing yet; a purchase begins under this id.
    Nothing(PackageOrderId),
}

impl Services {
    /// Buys packages. A repeat of the key gets the first answer, or goes on where an interrupted attempt stopped.
    pub async fn purchase_package(
        &self,
        request: PackagePurchaseRequest,
    ) -> Result<PurchasedPackage, ServiceError> {
        let claim = self.in_flight().claim(Work::Key(request.key.key))?;
        let services = self.clone();
        // A client that hangs up does not stop it.
        let purchase = tokio::spawn(carried(async move {
            let answer = services.purchase_package_claimed(request).await;
            drop(claim);
            answer
        }));
        purchase
            .await
            .map_err(|_| ServiceError::Internal("a purchase's task died"))?
    }

    async fn purchase_package_claimed(
        &self,
        request: PackagePurchaseRequest,
    ) -> Result<PurchasedPackage, ServiceError> {
        let (id, replayed) = match self.package_order_of(&request.key).await? {
            Found::Order(order) if order.body != request.key.body => return Err(Refusal::KeyReused.into()),
            Found::Order(order) => {
                let is_decided = matches!(
                    order.state,
                    PackageOrderState::Confirmed
                        | PackageOrderState::Cancelling
                        | PackageOrderState::Cancelled
                );
                (order.package_order_id, is_decided)
            }
            Found::Nothing(id) => {
                self.begin_package_order(id, &request).await?;
                (id, false)
            }
        };
        let _claim = self.claim_package_order(id)?;
        let driver = Driver::Request(request.payment_method.map(Into::into));
        let drive = self.drive_package_order(id, driver).await?;
        self.answer_of(drive, replayed).await
    }

    async fn package_order_of(&self, key: &KeyBinding) -> Result<Found, ServiceError> {
        let mut last = None;
        for attempt in 0..ATTEMPTS_MAX {
            let ids = KeyedIds::of(key.key, attempt, self.now());
            for id in [ids.earlier, ids.today].map(PackageOrderId) {
                match self.database().package_order(id).await? {
                    Some(order) if may_try_again(&order) => last = Some(order),
                    Some(order) => return Ok(Found::Order(Box::new(order))),
                    None if id.0 == ids.today => return Ok(Found::Nothing(id)),
                    None => {}
                }
            }
        }
        let last = last.ok_or(ServiceError::Internal("a key without an attempt"))?;
        Ok(Found::Order(Box::new(last)))
    }

    /// Writes the order down before anything is held. Refuses at once what the events' memory says cannot succeed.
    async fn begin_package_order(
        &self,
        id: PackageOrderId,
        request: &PackagePurchaseRequest,
    ) -> Result<(), ServiceError> {
        let package = self.database().package(request.package_id).await?;
        let package = package.filter(|package| package.status != PackageStatus::Draft);
        let package = package.ok_or(ServiceError::NotFound)?;
        if package.status != PackageStatus::OnSale {
            return Err(ServiceError::PackageNotOnSale);
        }
        let quantity = checked_quantity(&package, request.quantity)?;
        let total_minor = package
            .price_minor
            .checked_mul(i64::from(quantity))
            .ok_or(Refusal::InvalidField { field: "quantity" })?;
        if total_minor > 0 && request.payment_method.is_none() {
            return Err(ServiceError::PaymentMethodMissing);
        }
        let now = self.now();
        let legs = self.legs_of(&package, quantity);
        for leg in &legs {
            let refused = |error| LegError {
                event_id: leg.event_id,
                error,
            };
            let event = self.engine().availability(leg.event_id).await;
            let event = event.map_err(refused)?;
            event
                .gate(&requested(leg), now)
                .map_err(|refusal| refused(EngineError::Refused(refusal)))?;
        }
        let new = NewPackageOrder {
            package_order_id: id,
            package_id: package.package_id,
            package_version: package.version,
            buyer_id: request.buyer_id,
            quantity,
            total_minor,
            gateway: (total_minor > 0).then(|| self.gateways().current().gateway()),
            body: request.key.body,
            created_at: now,
            decide_by: now.plus_ms(PAYMENT_WINDOW_MS - DECIDE_MARGIN_MS),
            look_at: now.plus_ms(LOOK_MS),
            legs,
        };
        match self.database().insert_package_order(&new).await {
            // Another process begins it under the same key.
            Err(PackageError::Database(DatabaseError::Conflict { .. })) => Err(ServiceError::InFlight),
            inserted => Ok(inserted?),
        }
    }

    /// The holds to be, in the order of their events, with their ids: whoever drives the order asks for the same.
    fn legs_of(&self, package: &PackageRow, quantity: u32) -> Vec<PackageLegRow> {
        let mut events: BTreeMap<EventId, Vec<LegLine>> = BTreeMap::new();
        for inclusion in &package.inclusions {
            events.entry(inclusion.event_id).or_default().push(LegLine {
                ticket_type_id: inclusion.ticket_type_id,
                quantity: inclusion.quantity * quantity,
                unit_share_minor: inclusion.unit_share_minor,
            });
        }
        let leg = |(event_id, lines): (EventId, Vec<LegLine>)| PackageLegRow {
            event_id,
            hold_id: self.ids().hold_id(event_id.route(), self.now()),
            lines,
        };
        events.into_iter().map(leg).collect()
    }

    async fn answer_of(&self, driven: Driven, replayed: bool) -> Result<PurchasedPackage, ServiceError> {
        let order = driven.order;
        let is_given_up = matches!(
            order.state,
            PackageOrderState::Cancelling | PackageOrderState::Cancelled
        );
        // What was sold, or cancelled by its buyer or staff, is told as it is.
        let is_told = matches!(order.reason.as_deref(), Some("buyer" | "staff"));
        if is_given_up && !is_told {
            return Err(match driven.refused {
                Some(leg) => leg.into(),
                None => refusal_of(&order, replayed),
            });
        }
        Ok(PurchasedPackage {
            order: self.told(order).await?,
            action: driven.action,
            replayed,
        })
    }
}

/// Whether the attempt came to nothing for a reason that may pass.
fn may_try_again(order: &PackageOrderRow) -> bool {
    let is_given_up = matches!(
        order.state,
        PackageOrderState::Cancelling | PackageOrderState::Cancelled
    );
    let is_final = |reason: &str| FINAL_REASONS.contains(&reason);
    is_given_up && !order.reason.as_deref().is_some_and(is_final)
}

/// No line and no order may have more tickets than in any other purchase.
fn checked_quantity(package: &PackageRow, quantity: i64) -> Result<u32, Refusal> {
    let refused = Refusal::InvalidField { field: "quantity" };
    let quantity = u32::try_from(quantity).map_err(|_| refused.clone())?;
    let mut events: BTreeMap<EventId, u32> = BTreeMap::new();
    let mut fits = (1..=LINE_QUANTITY_MAX).contains(&quantity);
    for inclusion in &package.inclusions {
        let tickets = inclusion.quantity.saturating_mul(quantity);
        let of_event = events.entry(inclusion.event_id).or_default();
        *of_event = of_event.saturating_add(tickets);
        fits &= tickets <= LINE_QUANTITY_MAX && *of_event <= ORDER_QUANTITY_MAX;
    }
    if fits { Ok(quantity) } else { Err(refused) }
}

/// The answer of an attempt that is over, from its row.
fn refusal_of(order: &PackageOrderRow, replayed: bool) -> ServiceError {
    let refusal = match order.reason.as_deref() {
        Some("payment_declined") => return ServiceError::PaymentDeclined { replayed },
        Some("payment_unavailable") => return ServiceError::PaymentUnavailable,
        Some("payment_mismatch") => Refusal::PaymentMismatch,
        Some("hold_expired") => Refusal::HoldExpired,
        Some("sold_out") => Refusal::SoldOut,
        Some("all_held") => Refusal::AllHeld { next_expiry_at: None },
        Some("insufficient_availability") => Refusal::InsufficientAvailability { available: 0 },
        Some("sale_ended") => Refusal::SaleEnded,
        Some("sale_paused") => Refusal::SalePaused,
        Some("event_cancelled") => Refusal::EventCancelled,
        Some(_) | None => return ServiceError::Overloaded,
    };
    match order.refused_by {
        Some(event_id) => ServiceError::PackageLeg { event_id, refusal },
        None => refusal.into(),
    }
}
