//! Payments and refunds.

use jiff::Timestamp;
use onsale_domain::money::Currency;
use onsale_domain::record::PaymentAuthorization;
use onsale_domain::{Gateway, Money, UnixMillis};
use onsale_services::{ListedPayment, PaymentAction, PaymentRow, PaymentStatus, RefundRow};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::MoneyView;

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

impl RefundView {
    /// A refund in its order's currency.
    pub(crate) fn of_row(refund: RefundRow, currency: Currency) -> Self {
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
