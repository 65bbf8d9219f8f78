//! Holds, and what is asked of the sale.

use jiff::Timestamp;
use onsale_domain::command::{RequestedLine, RequestedLines};
use onsale_domain::money::Currency;
use onsale_domain::price::totals;
use onsale_domain::record::Line;
use onsale_domain::{Money, TicketTypeId};
use onsale_services::{ExtendedHold, PlacedHold, ReleasedHold, ReleasedStatus};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::MoneyView;
use super::event::TaxView;
use crate::problem::Problem;

/// Bytes of a payment method's token.
const PAYMENT_METHOD_BYTES_MAX: usize = 255;

/// So many tickets of one type.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LineInput)]
pub(crate) struct LineBody {
    ticket_type_id: Uuid,
    /// 1 to 100.
    #[schema(minimum = 1, maximum = 100)]
    quantity: i64,
}

/// Asks for a hold.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HoldInput)]
pub(crate) struct HoldBody {
    /// 1 to 16 lines of different ticket types, at most 1,000 tickets in all.
    lines: Vec<LineBody>,
}

/// Asks to hold, pay and confirm in one call.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PurchaseInput)]
pub(crate) struct PurchaseBody {
    /// 1 to 16 lines of different ticket types, at most 1,000 tickets in all.
    lines: Vec<LineBody>,
    /// The payment gateway's token; not needed where everything is free.
    #[serde(default)]
    payment_method: Option<String>,
}

/// Asks to pay a hold.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CheckoutInput)]
pub(crate) struct CheckoutBody {
    /// The payment gateway's token; not needed where everything is free.
    #[serde(default)]
    payment_method: Option<String>,
}

impl HoldBody {
    pub(crate) fn into_lines(self) -> RequestedLines {
        requested(self.lines)
    }
}

impl PurchaseBody {
    pub(crate) fn into_parts(self) -> Result<(RequestedLines, Option<String>), Problem> {
        let payment_method = checked_payment_method(self.payment_method)?;
        Ok((requested(self.lines), payment_method))
    }
}

impl CheckoutBody {
    pub(crate) fn into_payment_method(self) -> Result<Option<String>, Problem> {
        checked_payment_method(self.payment_method)
    }
}

fn requested(lines: Vec<LineBody>) -> RequestedLines {
    lines
        .into_iter()
        .map(|line| RequestedLine {
            ticket_type_id: TicketTypeId(line.ticket_type_id),
            quantity: line.quantity,
        })
        .collect()
}

pub(super) fn checked_payment_method(payment_method: Option<String>) -> Result<Option<String>, Problem> {
    let is_token = |token: &String| {
        (1..=PAYMENT_METHOD_BYTES_MAX).contains(&token.len())
            && token.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if payment_method.as_ref().is_none_or(is_token) {
        Ok(payment_method)
    } else {
        Err(Problem::invalid(
            "/payment_method",
            "must be 1 to 255 visible ASCII characters",
        ))
    }
}

/// One line of a hold or order.
#[derive(Serialize, ToSchema)]
#[schema(as = Line)]
pub(crate) struct LineView {
    ticket_type_id: Uuid,
    quantity: u32,
    /// Price of one ticket, locked when the hold was placed.
    unit_price: MoneyView,
    /// Fee on one ticket.
    unit_fee: MoneyView,
    /// Tax on price and fee.
    tax: TaxView,
    /// What the buyer pays for the line.
    total: MoneyView,
}

/// The lines as clients see them.
pub(super) fn line_views(lines: &[Line], currency: Currency) -> Vec<LineView> {
    let money = |amount| MoneyView { amount, currency };
    lines
        .iter()
        .map(|line| LineView {
            ticket_type_id: line.ticket_type_id.0,
            quantity: line.quantity,
            unit_price: money(line.unit_price_minor),
            unit_fee: money(line.unit_fee_minor),
            tax: line.tax.into(),
            // The domain has checked the sum of all lines before it made the record.
            total: money(line.total_minor().unwrap_or(i64::MAX)),
        })
        .collect()
}

/// How a hold stands.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HoldStatus {
    /// Set aside until it expires.
    Held,
    /// Given back.
    Released,
    /// Ended by itself.
    Expired,
}

/// A live hold.
#[derive(Serialize, ToSchema)]
#[schema(as = Hold)]
pub(crate) struct HoldView {
    id: Uuid,
    event_id: Uuid,
    status: HoldStatus,
    lines: Vec<LineView>,
    total: MoneyView,
    expires_at: Timestamp,
    /// Position in the event's journal.
    seq: u64,
}

impl From<PlacedHold> for HoldView {
    fn from(placed: PlacedHold) -> Self {
        let hold = placed.hold;
        Self {
            id: hold.hold_id.0,
            event_id: placed.event_id.0,
            status: HoldStatus::Held,
            lines: line_views(&hold.lines, hold.currency),
            total: total(&hold.lines, hold.currency),
            expires_at: hold.expires_at.to_timestamp(),
            seq: placed.seq,
        }
    }
}

impl From<onsale_services::HoldView> for HoldView {
    fn from(hold: onsale_services::HoldView) -> Self {
        Self {
            id: hold.hold_id.0,
            event_id: hold.event_id.0,
            status: HoldStatus::Held,
            lines: line_views(&hold.lines, hold.currency),
            total: total(&hold.lines, hold.currency),
            expires_at: hold.expires_at.to_timestamp(),
            seq: hold.seq,
        }
    }
}

impl From<ExtendedHold> for HoldView {
    fn from(extended: ExtendedHold) -> Self {
        Self {
            seq: extended.seq,
            ..Self::from(extended.hold)
        }
    }
}

fn total(lines: &[Line], currency: Currency) -> MoneyView {
    MoneyView::from(Money {
        // The domain has checked the sum before it made the record.
        amount_minor: totals(lines).map_or(i64::MAX, |totals| totals.total_minor),
        currency,
    })
}

/// A hold that is no more.
#[derive(Serialize, ToSchema)]
#[schema(as = ReleasedHold)]
pub(crate) struct ReleasedView {
    id: Uuid,
    event_id: Uuid,
    status: HoldStatus,
    /// Position in the event's journal.
    seq: u64,
}

impl From<ReleasedHold> for ReleasedView {
    fn from(released: ReleasedHold) -> Self {
        Self {
            id: released.hold_id.0,
            event_id: released.event_id.0,
            status: match released.status {
                ReleasedStatus::Released => HoldStatus::Released,
                ReleasedStatus::Expired => HoldStatus::Expired,
            },
            seq: released.seq,
        }
    }
}
