//! Packages, and orders of them.

use jiff::Timestamp;
use onsale_domain::record::Line;
use onsale_domain::{EventId, Inclusion, Money, OrganizationId, TicketTypeId, UnixMillis};
use onsale_services::{
    OrderRow, PackageInput, PackageInputLine, PackageOffer, PackageOrder, PackageOrderRow, PackageOrderState,
    PackageRow, PackageStatus, PurchasedPackage,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::MoneyView;
use super::hold::{LineView, checked_payment_method, line_views};
use super::order::TicketView;
use super::payment::PaymentView;
use crate::problem::Problem;

/// Where a package stands.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PackageStatus)]
pub(crate) enum PackageStatusView {
    /// Being prepared; buyers cannot see it.
    Draft,
    /// Sold, as far as its events sell.
    OnSale,
    /// Not sold any more.
    Closed,
}

/// So many tickets of one type in each package.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InclusionInput)]
pub(crate) struct InclusionBody {
    /// An event of the same organization and currency.
    event_id: Uuid,
    ticket_type_id: Uuid,
    /// 1 to 100.
    #[schema(minimum = 1, maximum = 100)]
    quantity: u32,
    /// What each of these tickets contributes to the price, in minor units: what goes back when it is refunded. Either
    /// all inclusions say, or none; then the price is divided as the tickets cost.
    #[serde(default)]
    unit_share: Option<i64>,
}

/// What staff write about a package.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PackageInput)]
pub(crate) struct PackageBody {
    /// Name shown to buyers, at most 200 bytes.
    name: String,
    /// What one costs, with all fees and taxes.
    price: MoneyView,
    status: PackageStatusView,
    /// 1 to 16, of different ticket types. Their shares add up to the price.
    inclusions: Vec<InclusionBody>,
}

/// A new package.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPackageInput)]
pub(crate) struct NewPackageBody {
    organization_id: Uuid,
    name: String,
    /// What one costs, with all fees and taxes.
    price: MoneyView,
    status: PackageStatusView,
    /// 1 to 16, of different ticket types. Their shares add up to the price.
    inclusions: Vec<InclusionBody>,
}

impl NewPackageBody {
    pub(crate) fn into_parts(self) -> (OrganizationId, PackageInput) {
        let organization_id = OrganizationId(self.organization_id);
        let body = PackageBody {
            name: self.name,
            price: self.price,
            status: self.status,
            inclusions: self.inclusions,
        };
        (organization_id, body.into())
    }
}

impl From<PackageBody> for PackageInput {
    fn from(body: PackageBody) -> Self {
        let line = |line: InclusionBody| PackageInputLine {
            event_id: EventId(line.event_id),
            ticket_type_id: TicketTypeId(line.ticket_type_id),
            quantity: line.quantity,
            unit_share_minor: line.unit_share,
        };
        Self {
            name: body.name,
            price: body.price.into(),
            status: match body.status {
                PackageStatusView::Draft => PackageStatus::Draft,
                PackageStatusView::OnSale => PackageStatus::OnSale,
                PackageStatusView::Closed => PackageStatus::Closed,
            },
            inclusions: body.inclusions.into_iter().map(line).collect(),
        }
    }
}

/// So many tickets of one type in each package.
#[derive(Serialize, ToSchema)]
#[schema(as = Inclusion)]
pub(crate) struct InclusionView {
    event_id: Uuid,
    ticket_type_id: Uuid,
    quantity: u32,
    /// What each of these tickets contributes to the price, in minor units.
    unit_share: i64,
}

impl From<&Inclusion> for InclusionView {
    fn from(inclusion: &Inclusion) -> Self {
        Self {
            event_id: inclusion.event_id.0,
            ticket_type_id: inclusion.ticket_type_id.0,
            quantity: inclusion.quantity,
            unit_share: inclusion.unit_share_minor,
        }
    }
}

/// A package: several tickets, also of several events, sold as one.
#[derive(Serialize, ToSchema)]
#[schema(as = Package)]
pub(crate) struct PackageView {
    id: Uuid,
    organization_id: Uuid,
    name: String,
    /// What one costs, with all fees and taxes.
    price: MoneyView,
    status: PackageStatusView,
    /// How many can be bought now; not told to staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<u32>,
    inclusions: Vec<InclusionView>,
    created_at: Timestamp,
}

impl From<PackageRow> for PackageView {
    fn from(package: PackageRow) -> Self {
        Self {
            id: package.package_id.0,
            organization_id: package.organization_id.0,
            name: package.name,
            price: Money {
                amount_minor: package.price_minor,
                currency: package.currency,
            }
            .into(),
            status: match package.status {
                PackageStatus::Draft => PackageStatusView::Draft,
                PackageStatus::OnSale => PackageStatusView::OnSale,
                PackageStatus::Closed => PackageStatusView::Closed,
            },
            available: None,
            inclusions: package.inclusions.iter().map(InclusionView::from).collect(),
            created_at: package.created_at.to_timestamp(),
        }
    }
}

impl From<PackageOffer> for PackageView {
    fn from(offer: PackageOffer) -> Self {
        Self {
            available: Some(offer.available),
            ..Self::from(offer.package)
        }
    }
}

/// Asks to buy packages in one call.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PackagePurchaseInput)]
pub(crate) struct PackagePurchaseBody {
    /// 1 to 100, and no more than 100 tickets of one type.
    #[schema(minimum = 1, maximum = 100)]
    quantity: i64,
    /// The payment gateway's token; not needed where the package costs nothing.
    #[serde(default)]
    payment_method: Option<String>,
}

impl PackagePurchaseBody {
    pub(crate) fn into_parts(self) -> Result<(i64, Option<String>), Problem> {
        Ok((self.quantity, checked_payment_method(self.payment_method)?))
    }
}

/// The order that a package order has in one event.
#[derive(Serialize, ToSchema)]
#[schema(as = PackageLegOrder)]
pub(crate) struct LegView {
    event_id: Uuid,
    order_id: Uuid,
    lines: Vec<LineView>,
    /// Once it is confirmed.
    tickets: Vec<TicketView>,
}

impl From<OrderRow> for LegView {
    fn from(order: OrderRow) -> Self {
        let lines: Vec<Line> = order.lines.into_iter().map(Line::from).collect();
        Self {
            event_id: order.event_id.0,
            order_id: order.order_id.0,
            lines: line_views(&lines, order.currency),
            tickets: order
                .tickets
                .into_iter()
                .map(|ticket| TicketView::of_buyer(ticket, order.buyer_id))
                .collect(),
        }
    }
}

impl PackageOrderView {
    /// As staff see it: without what lets in.
    pub(crate) fn for_staff(mut self) -> Self {
        let tickets = self.orders.iter_mut().flat_map(|leg| &mut leg.tickets);
        tickets.for_each(TicketView::hide_code);
        self
    }
}

/// One purchase of packages.
#[derive(Serialize, ToSchema)]
#[schema(as = PackageOrder)]
pub(crate) struct PackageOrderView {
    id: Uuid,
    package_id: Uuid,
    /// The package's name when it was sold.
    name: String,
    /// `pending`, `confirmed`, `partially_refunded`, `refunded` or `cancelled`.
    status: &'static str,
    quantity: u32,
    total: MoneyView,
    /// How much of it went back.
    refunded: MoneyView,
    /// `null` where it costs nothing.
    payment: Option<PaymentView>,
    /// One order in each of its events.
    orders: Vec<LegView>,
    created_at: Timestamp,
    confirmed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled_at: Option<Timestamp>,
    /// Why it was not sold (an error code), or who cancelled it (`buyer` or `staff`).
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<PackageOrder> for PackageOrderView {
    fn from(told: PackageOrder) -> Self {
        let order = told.order;
        let currency = order.total.currency;
        let payment = order.payment.zip(order.gateway.clone());
        Self {
            id: order.package_order_id.0,
            package_id: order.package_id.0,
            status: status_of(&order),
            quantity: order.quantity,
            total: order.total.into(),
            refunded: MoneyView {
                amount: order.refunded_minor,
                currency,
            },
            payment: payment.map(|(status, gateway)| {
                PaymentView::of_package(status, order.total, (gateway, order.reference))
            }),
            orders: told.orders.into_iter().map(LegView::from).collect(),
            created_at: order.created_at.to_timestamp(),
            confirmed_at: order.confirmed_at.map(UnixMillis::to_timestamp),
            cancelled_at: order.ended_at.map(UnixMillis::to_timestamp),
            reason: order.reason,
            name: order.name,
        }
    }
}

impl From<PurchasedPackage> for PackageOrderView {
    fn from(purchased: PurchasedPackage) -> Self {
        let mut view = Self::from(purchased.order);
        view.payment = view.payment.map(|payment| payment.with_action(purchased.action));
        view
    }
}

fn status_of(order: &PackageOrderRow) -> &'static str {
    match order.state {
        PackageOrderState::Holding | PackageOrderState::Paying | PackageOrderState::Confirming => "pending",
        PackageOrderState::Confirmed if order.refunded_minor == 0 => "confirmed",
        PackageOrderState::Confirmed if order.refunded_minor == order.total.amount_minor => "refunded",
        PackageOrderState::Confirmed => "partially_refunded",
        PackageOrderState::Cancelling | PackageOrderState::Cancelled => "cancelled",
    }
}
