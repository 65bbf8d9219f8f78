//! Events, as buyers and as staff see them.

use jiff::Timestamp;
use onsale_domain::money::Currency;
use onsale_domain::{
    EventDefinition, EventDetails, OrganizationId, Quota, QuotaId, SalesWindow, Tax, TicketType, UnixMillis,
};
use onsale_services::{EventRow, TicketTypeInput};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::MoneyView;

const HOLD_SECONDS_DEFAULT: i64 = 600;
const HOLD_LIFETIME_SECONDS_DEFAULT: i64 = 1_800;

/// When tickets may be sold.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SalesWindow)]
pub(crate) struct SalesWindowView {
    /// First instant of the sale.
    opens_at: Timestamp,
    /// First instant after the sale.
    closes_at: Timestamp,
}

/// What an organizer writes about an event.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventInput {
    /// Owner of the event; cannot change.
    organization_id: Uuid,
    /// Title, at most 200 bytes.
    name: String,
    /// Longer text, at most 8,000 bytes.
    #[serde(default)]
    description: String,
    /// Where it takes place, at most 200 bytes.
    #[serde(default)]
    venue: String,
    /// When it starts.
    starts_at: Timestamp,
    /// IANA time zone in which the event's times are meant.
    #[schema(example = "Europe/Berlin")]
    time_zone: String,
    sales_window: SalesWindowView,
    /// ISO 4217 code of every price of the event; cannot change once published.
    #[schema(value_type = String, example = "EUR")]
    currency: Currency,
    /// How long a new hold lives.
    #[serde(default = "hold_seconds_default")]
    hold_duration_seconds: i64,
    /// Longest life of a hold with all its extensions.
    #[serde(default = "hold_lifetime_seconds_default")]
    hold_lifetime_seconds_max: i64,
    /// Most live tickets of one buyer, across orders. Absent: no limit.
    #[serde(default)]
    buyer_limit: Option<u32>,
    /// Nobody is let in before. Absent: no such limit.
    #[serde(default)]
    check_in_opens_at: Option<Timestamp>,
    /// Whether who went out may come in again.
    #[serde(default)]
    re_entry: bool,
}

const fn hold_seconds_default() -> i64 {
    HOLD_SECONDS_DEFAULT
}

const fn hold_lifetime_seconds_default() -> i64 {
    HOLD_LIFETIME_SECONDS_DEFAULT
}

impl From<EventInput> for EventDetails {
    fn from(input: EventInput) -> Self {
        Self {
            organization_id: OrganizationId(input.organization_id),
            name: input.name,
            description: input.description,
            venue: input.venue,
            starts_at: input.starts_at.into(),
            time_zone: input.time_zone,
            sales_window: SalesWindow {
                opens_at: input.sales_window.opens_at.into(),
                closes_at: input.sales_window.closes_at.into(),
            },
            currency: input.currency,
            hold_duration_ms: input.hold_duration_seconds.saturating_mul(1_000),
            hold_lifetime_ms_max: input.hold_lifetime_seconds_max.saturating_mul(1_000),
            buyer_limit: input.buyer_limit,
            check_in_opens_at: input.check_in_opens_at.map(Into::into),
            re_entry: input.re_entry,
        }
    }
}

/// What an organizer writes about a quota.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuotaInput {
    /// Name shown to staff.
    pub(crate) name: String,
    /// Units that may be held or sold in all; may change during the sale.
    pub(crate) capacity: u32,
}

/// What an organizer writes about a ticket type.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TicketTypeInput)]
pub(crate) struct TicketTypeBody {
    /// Name shown to buyers.
    name: String,
    /// The quota that it draws from.
    quota_id: Uuid,
    /// Price of one ticket, in the event's currency. Zero is free.
    price: MoneyView,
    /// Fee on one ticket, on top of its price, in minor units of the event's currency.
    #[serde(default)]
    fee: i64,
    /// Tax on price and fee. Absent: none.
    #[serde(default)]
    tax: TaxView,
}

/// A tax on price and fee.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Tax)]
pub(crate) struct TaxView {
    /// Hundredths of a percent: 1,900 are 19 %.
    #[schema(minimum = 0, maximum = 10_000)]
    basis_points: u16,
    /// Whether price and fee contain it. Otherwise it comes on top.
    inclusive: bool,
}

impl Default for TaxView {
    fn default() -> Self {
        Tax::NONE.into()
    }
}

impl From<Tax> for TaxView {
    fn from(tax: Tax) -> Self {
        Self {
            basis_points: tax.basis_points,
            inclusive: tax.inclusive,
        }
    }
}

impl From<TicketTypeBody> for TicketTypeInput {
    fn from(body: TicketTypeBody) -> Self {
        Self {
            name: body.name,
            quota_id: QuotaId(body.quota_id),
            price: body.price.into(),
            fee_minor: body.fee,
            tax: Tax {
                basis_points: body.tax.basis_points,
                inclusive: body.tax.inclusive,
            },
        }
    }
}

/// An event in a listing or as buyers see it.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct EventView {
    id: Uuid,
    organization_id: Uuid,
    /// `draft`, `published`, `on_sale`, `paused`, `closed` or `cancelled`.
    status: &'static str,
    name: String,
    description: String,
    venue: String,
    starts_at: Timestamp,
    /// IANA time zone of the event's times.
    time_zone: String,
    sales_window: SalesWindowView,
    #[schema(value_type = String, example = "EUR")]
    currency: Currency,
    /// Most live tickets of one buyer, across orders.
    buyer_limit: Option<u64>,
    /// Nobody is let in before.
    check_in_opens_at: Option<Timestamp>,
    /// Whether who went out may come in again.
    re_entry: bool,
    /// What can be bought; not in listings.
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket_types: Option<Vec<TicketTypeView>>,
}

/// A ticket type: what a buyer chooses.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketType)]
pub(crate) struct TicketTypeView {
    id: Uuid,
    name: String,
    price: MoneyView,
    fee: MoneyView,
    tax: TaxView,
    /// What the buyer pays for one ticket: price, fee, and the tax that comes on top.
    total: MoneyView,
    /// The quota that it draws from; for staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    quota_id: Option<Uuid>,
}

/// A quota: a pool of capacity.
#[derive(Serialize, ToSchema)]
#[schema(as = Quota)]
pub(crate) struct QuotaView {
    id: Uuid,
    name: String,
    capacity: u32,
}

/// An event as staff see it. Its version is also the `ETag`.
#[derive(Serialize, ToSchema)]
#[schema(as = StaffEvent)]
pub(crate) struct StaffEventView {
    #[serde(flatten)]
    event: EventView,
    hold_duration_seconds: i64,
    hold_lifetime_seconds_max: i64,
    /// What `If-Match` names.
    version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    quotas: Option<Vec<QuotaView>>,
}

impl TicketTypeView {
    fn of(ticket_type: &TicketType, currency: Currency, quota_id: Option<Uuid>) -> Self {
        let money = |amount| MoneyView { amount, currency };
        Self {
            id: ticket_type.id.0,
            name: ticket_type.name.clone(),
            price: money(ticket_type.unit_price_minor),
            fee: money(ticket_type.unit_fee_minor),
            tax: ticket_type.tax.into(),
            // The bounds of price, fee and tax keep it from overflowing.
            total: money(ticket_type.unit_total_minor().unwrap_or(i64::MAX)),
            quota_id,
        }
    }
}

impl From<EventRow> for EventView {
    fn from(row: EventRow) -> Self {
        Self {
            id: row.event_id.0,
            organization_id: row.organization_id.0,
            status: row.status.as_str(),
            name: row.name,
            description: row.description,
            venue: row.venue,
            starts_at: row.starts_at.to_timestamp(),
            time_zone: row.time_zone,
            sales_window: SalesWindowView {
                opens_at: row.sales_open_at.to_timestamp(),
                closes_at: row.sales_close_at.to_timestamp(),
            },
            currency: row.currency,
            buyer_limit: row.buyer_limit,
            check_in_opens_at: row.check_in_opens_at.map(UnixMillis::to_timestamp),
            re_entry: row.re_entry,
            ticket_types: None,
        }
    }
}

impl From<&EventDefinition> for EventView {
    fn from(definition: &EventDefinition) -> Self {
        let details = &definition.details;
        let ticket_types = definition
            .ticket_types
            .iter()
            .map(|ticket_type| TicketTypeView::of(ticket_type, details.currency, None))
            .collect();
        Self {
            id: definition.event_id.0,
            organization_id: details.organization_id.0,
            status: definition.status.as_str(),
            name: details.name.clone(),
            description: details.description.clone(),
            venue: details.venue.clone(),
            starts_at: details.starts_at.to_timestamp(),
            time_zone: details.time_zone.clone(),
            sales_window: SalesWindowView {
                opens_at: details.sales_window.opens_at.to_timestamp(),
                closes_at: details.sales_window.closes_at.to_timestamp(),
            },
            currency: details.currency,
            buyer_limit: details.buyer_limit.map(u64::from),
            check_in_opens_at: details.check_in_opens_at.map(UnixMillis::to_timestamp),
            re_entry: details.re_entry,
            ticket_types: Some(ticket_types),
        }
    }
}

impl From<EventRow> for StaffEventView {
    fn from(row: EventRow) -> Self {
        Self {
            hold_duration_seconds: row.hold_duration_ms / 1_000,
            hold_lifetime_seconds_max: row.hold_lifetime_ms_max / 1_000,
            version: row.definition_version,
            quotas: None,
            event: row.into(),
        }
    }
}

impl From<&EventDefinition> for StaffEventView {
    fn from(definition: &EventDefinition) -> Self {
        let details = &definition.details;
        let ticket_types = definition
            .ticket_types
            .iter()
            .map(|ticket_type| {
                TicketTypeView::of(ticket_type, details.currency, Some(ticket_type.quota_id.0))
            })
            .collect();
        let quota = |quota: &Quota| QuotaView {
            id: quota.id.0,
            name: quota.name.clone(),
            capacity: quota.capacity,
        };
        Self {
            event: EventView {
                ticket_types: Some(ticket_types),
                ..EventView::from(definition)
            },
            hold_duration_seconds: details.hold_duration_ms / 1_000,
            hold_lifetime_seconds_max: details.hold_lifetime_ms_max / 1_000,
            version: definition.version,
            quotas: Some(definition.quotas.iter().map(quota).collect()),
        }
    }
}
