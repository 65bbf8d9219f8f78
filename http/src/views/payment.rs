//! Payments and refunds.

use jiff::Timestamp;
use onsale_domain::money::Currency;
use onsale_domain::record::{PaymentAuthorization, TicketsRefunded};
use onsale_domain::{Gateway, Money, TicketId, UnixMillis};
use onsale_services::{ListedPayment, PaymentAction, PaymentRow, PaymentStatus, RefundRow, RefundStatus};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::MoneyView;
use crate::problem::Problem;

/// Tickets that one refund may name.
const TICKETS_MAX: usize = 1_000;
/// Characters of its reason.
const REASON_CHARS_MAX: usize = 500;

/// How an order is paid.
#[derive(Serialize, ToSchema)]
#[schema(as = Payment)]
pub(crate) struct PaymentView {
    /// `pending`, `authorized`, `captured`, `voiding`, `voided`, `refunding`, `refunded`, `declined` or `quarantined`.
    status: &'static str,
    amount: MoneyView,
    /// Name of the payment gateway.
    gateway: String,
    /// The gateway's reference, once it has told.
    reference: Option<String>,
    /// What the buyer has to do before the gateway decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_action: Option<NextActionView>,
}

/// What the buyer has to do before the payment gateway decides. Only told where the payment was asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = NextAction)]
pub(crate) struct NextActionView {
    /// `redirect`, `pay_code` or another word of the gateway.
    kind: String,
    /// Where to go, where that is what to do.
    url: Option<String>,
    /// The gateway's own data for its client library, such as a client secret or an account number.
    detail: Option<String>,
}

impl From<PaymentAction> for NextActionView {
    fn from(action: PaymentAction) -> Self {
        Self {
            kind: action.kind,
            url: action.url,
            detail: action.detail,
        }
    }
}

impl PaymentView {
    /// As the record of its order tells it.
    pub(super) fn authorized(payment: PaymentAuthorization) -> Self {
        Self {
            status: PaymentStatus::Authorized.as_str(),
            amount: payment.amount.into(),
            gateway: payment.gateway.as_str().to_owned(),
            reference: Some(payment.reference),
            next_action: None,
        }
    }

    /// As it has begun.
    pub(super) fn pending(gateway: Gateway, amount: Money, action: Option<PaymentAction>) -> Self {
        Self {
            status: PaymentStatus::Pending.as_str(),
            amount: amount.into(),
            gateway: gateway.as_str().to_owned(),
            reference: None,
            next_action: action.map(NextActionView::from),
        }
    }

    /// With what the buyer has to do.
    pub(super) fn with_action(self, action: Option<PaymentAction>) -> Self {
        Self {
            next_action: action.map(NextActionView::from),
            ..self
        }
    }

    /// The payment of a package order.
    pub(super) fn of_package(
        status: PaymentStatus,
        amount: Money,
        (gateway, reference): (String, Option<String>),
    ) -> Self {
        Self {
            status: status.as_str(),
            amount: amount.into(),
            gateway,
            reference,
            next_action: None,
        }
    }

    pub(super) fn of_row(payment: PaymentRow, currency: Currency) -> Self {
        Self {
            status: payment.status.as_str(),
            amount: MoneyView {
                amount: payment.amount_minor,
                currency,
            },
            gateway: payment.gateway,
            reference: payment.reference,
            next_action: None,
        }
    }
}

/// Money that goes back for some of an order's tickets.
#[derive(Serialize, ToSchema)]
#[schema(as = Refund)]
pub(crate) struct RefundView {
    id: Uuid,
    order_id: Uuid,
    amount: MoneyView,
    /// `pending`, `succeeded` or `failed`.
    status: &'static str,
    /// The tickets that it is for. They let nobody in any more.
    tickets: Vec<Uuid>,
    requested_at: Timestamp,
}

/// Asks for the money of some tickets to go back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RefundInput)]
pub(crate) struct RefundBody {
    /// The tickets, all of one order.
    #[schema(min_items = 1, max_items = 1000)]
    ticket_ids: Vec<Uuid>,
    /// Why; for the audit log. At most 500 characters.
    #[serde(default)]
    reason: Option<String>,
}

impl RefundBody {
    /// Errors: no tickets, too many, or a reason that is too long.
    pub(crate) fn into_parts(self) -> Result<(Vec<TicketId>, Option<String>), Problem> {
        if !(1..=TICKETS_MAX).contains(&self.ticket_ids.len()) {
            return Err(Problem::invalid("/ticket_ids", "must be 1 to 1,000 tickets"));
        }
        let too_long = |reason: &String| reason.chars().count() > REASON_CHARS_MAX || reason.contains('\0');
        if self.reason.as_ref().is_some_and(too_long) {
            return Err(Problem::invalid("/reason", "must be at most 500 characters"));
        }
        let tickets = self.ticket_ids.into_iter().map(TicketId).collect();
        Ok((tickets, self.reason))
    }
}

/// As its record tells it: the provider has not been asked yet.
impl From<TicketsRefunded> for RefundView {
    fn from(refund: TicketsRefunded) -> Self {
        Self {
            id: refund.refund_id.0,
            order_id: refund.order_id.0,
            amount: refund.amount.into(),
            status: RefundStatus::Pending.as_str(),
            tickets: refund.tickets.iter().map(|ticket_id| ticket_id.0).collect(),
            requested_at: refund.at.to_timestamp(),
        }
    }
}

impl RefundView {
    /// A refund in its order's currency.
    pub(crate) fn of_row(refund: &RefundRow, currency: Currency) -> Self {
        Self {
            id: refund.refund_id.0,
            order_id: refund.order_id.0,
            amount: MoneyView {
                amount: refund.amount_minor,
                currency,
            },
            status: refund.status.as_str(),
            tickets: refund.tickets.iter().map(|ticket_id| ticket_id.0).collect(),
            requested_at: refund.requested_at.to_timestamp(),
        }
    }
}

/// A payment as staff list it.
#[derive(Serialize, ToSchema)]
#[schema(as = StaffPayment)]
pub(crate) struct StaffPaymentView {
    order_id: Uuid,
    event_id: Uuid,
    /// `pending`, `authorized`, `captured`, `voiding`, `voided`, `refunding`, `refunded`, `declined` or `quarantined`.
    status: &'static str,
    amount: MoneyView,
    /// How much of it went back after it was captured.
    refunded: MoneyView,
    gateway: String,
    reference: Option<String>,
    /// What was decided about it, where there was something to decide.
    decision: Option<String>,
    started_at: Option<Timestamp>,
}

impl From<ListedPayment> for StaffPaymentView {
    fn from(payment: ListedPayment) -> Self {
        Self {
            order_id: payment.order_id.0,
            event_id: payment.event_id.0,
            status: payment.status.as_str(),
            amount: payment.amount.into(),
            refunded: MoneyView {
                amount: payment.refunded_minor,
                currency: payment.amount.currency,
            },
            gateway: payment.gateway,
            reference: payment.reference,
            decision: payment.decision,
            started_at: payment.started_at.map(UnixMillis::to_timestamp),
        }
    }
}
