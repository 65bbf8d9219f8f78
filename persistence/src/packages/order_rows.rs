//! Package orders as they are read.

use jiff_sqlx::Timestamp;
use onsale_domain::id::BodyDigest;
use onsale_domain::money::Currency;
use onsale_domain::{
    BuyerId, EventId, HoldId, Money, OrganizationId, PackageId, PackageOrderId, TicketTypeId, UnixMillis,
};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use uuid::Uuid;

use crate::DatabaseError;
use crate::convert::millis;
use crate::read::{PackageOrderState, PaymentStatus, currency};

/// One purchase of packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageOrderRow {
    /// Identity.
    pub package_order_id: PackageOrderId,
    /// Of which package.
    pub package_id: PackageId,
    /// Whose package.
    pub organization_id: OrganizationId,
    /// Who buys.
    pub buyer_id: BuyerId,
    /// The package's name when it was sold.
    pub name: String,
    /// How many packages.
    pub quantity: u32,
    /// What they cost together.
    pub total: Money,
    /// Where it stands.
    pub state: PackageOrderState,
    /// Name of the gateway; `None` where it costs nothing.
    pub gateway: Option<String>,
    /// Where its payment stands; `None` where it costs nothing.
    pub payment: Option<PaymentStatus>,
    /// The gateway's own reference, once it has told.
    pub reference: Option<String>,
    /// How much of it went back.
    pub refunded_minor: i64,
    /// Why it was not sold, or by whom it was cancelled.
    pub reason: Option<String>,
    /// The event that refused.
    pub refused_by: Option<EventId>,
    /// Tells another request under the same idempotency key.
    pub body: BodyDigest,
    /// When it was asked for.
    pub created_at: UnixMillis,
    /// When the provider must have decided.
    pub decide_by: UnixMillis,
    /// When all of it was sold.
    pub confirmed_at: Option<UnixMillis>,
    /// When it was cancelled.
    pub ended_at: Option<UnixMillis>,
    /// Its holds, and later orders, in the order of their events.
    pub legs: Vec<PackageLegRow>,
}

/// What a package order takes of one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageLegRow {
    /// Which event.
    pub event_id: EventId,
    /// The hold there, and later the order.
    pub hold_id: HoldId,
    /// What is held.
    pub lines: Vec<LegLine>,
}

/// So many tickets of one type, at the share that each has of the package's price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegLine {
    /// Which ticket type.
    pub ticket_type_id: TicketTypeId,
    /// How many tickets in all.
    pub quantity: u32,
    /// What each contributes to the price.
    pub unit_share_minor: i64,
}

impl PackageLegRow {
    /// What the leg contributes to the price; `None` on overflow.
    pub fn total_minor(&self) -> Option<i64> {
        self.lines.iter().try_fold(0_i64, |sum, line| {
            let share = line.unit_share_minor.checked_mul(i64::from(line.quantity))?;
            sum.checked_add(share)
        })
    }

    /// How many tickets it has.
    pub fn tickets(&self) -> u32 {
        self.lines.iter().map(|line| line.quantity).sum()
    }
}

/// As the columns come.
pub(super) struct RawPackageOrder {
    pub(super) package_order_id: Uuid,
    pub(super) package_id: Uuid,
    pub(super) organization_id: Uuid,
    pub(super) buyer_id: Uuid,
    pub(super) name: String,
    pub(super) quantity: i32,
    pub(super) currency: String,
    pub(super) total_minor: i64,
    pub(super) state: String,
    pub(super) gateway: Option<String>,
    pub(super) payment: Option<String>,
    pub(super) reference: Option<String>,
    pub(super) refunded_minor: i64,
    pub(super) reason: Option<String>,
    pub(super) refused_by: Option<Uuid>,
    pub(super) body_digest: Vec<u8>,
    pub(super) created_at: Timestamp,
    pub(super) decide_by: Timestamp,
    pub(super) confirmed_at: Option<Timestamp>,
    pub(super) ended_at: Option<Timestamp>,
    pub(super) legs: Json<Vec<PackageLegRow>>,
}

impl TryFrom<RawPackageOrder> for PackageOrderRow {
    type Error = DatabaseError;

    fn try_from(raw: RawPackageOrder) -> Result<Self, DatabaseError> {
        let currency: Currency = currency(&raw.currency)?;
        let body = raw
            .body_digest
            .try_into()
            .map_err(|_| DatabaseError::Damaged("digest of a package order".to_owned()))?;
        Ok(Self {
            package_order_id: PackageOrderId(raw.package_order_id),
            package_id: PackageId(raw.package_id),
            organization_id: OrganizationId(raw.organization_id),
            buyer_id: BuyerId(raw.buyer_id),
            name: raw.name,
            quantity: u32::try_from(raw.quantity).unwrap_or_default(),
            total: Money {
                amount_minor: raw.total_minor,
                currency,
            },
            state: PackageOrderState::parse(&raw.state)?,
            gateway: raw.gateway,
            payment: raw.payment.as_deref().map(PaymentStatus::parse).transpose()?,
            reference: raw.reference,
            refunded_minor: raw.refunded_minor,
            reason: raw.reason,
            refused_by: raw.refused_by.map(EventId),
            body: BodyDigest(body),
            created_at: millis(raw.created_at),
            decide_by: millis(raw.decide_by),
            confirmed_at: raw.confirmed_at.map(millis),
            ended_at: raw.ended_at.map(millis),
            legs: raw.legs.0,
        })
    }
}
