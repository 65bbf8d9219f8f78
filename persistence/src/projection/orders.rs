//! What records change of orders and their payments: one [`OrderChange`] for each order of a batch.

use onsale_domain::money::Currency;
use onsale_domain::price::totals;
use onsale_domain::record::{HoldConfirmed, HoldPlaced, HoldReleased, Lines, PaymentStarted, ReleaseReason};
use onsale_domain::{BuyerId, EventId, Gateway, OrderId, PackageOrderId, Sequence, Totals, UnixMillis};

use super::changes::RowChanges;
use crate::read::OrderStatus;

/// What a batch changes of an order.
#[derive(Debug)]
pub(super) struct OrderChange {
    pub(super) event_id: EventId,
    pub(super) order_id: OrderId,
    /// The row, where this batch made the order.
    pub(super) new: Option<NewOrder>,
    pub(super) status: Option<OrderStatus>,
    pub(super) confirmed_at: Option<UnixMillis>,
    pub(super) cancelled_at: Option<UnixMillis>,
    /// When it ended without tickets.
    pub(super) ended_at: Option<UnixMillis>,
    /// What is added to what was refunded.
    pub(super) refunded_minor: i64,
    pub(super) payment: PaymentChange,
    /// Whether files of its tickets are to be made.
    pub(super) makes_files: bool,
    /// The last change.
    pub(super) at: UnixMillis,
    pub(super) seq: Sequence,
}

/// An order that a batch made.
#[derive(Debug)]
pub(super) struct NewOrder {
    pub(super) buyer_id: BuyerId,
    pub(super) lines: Lines,
    pub(super) totals: Totals,
    pub(super) currency: Currency,
    pub(super) package_order_id: Option<PackageOrderId>,
    pub(super) placed_at: UnixMillis,
}

/// What a batch changes of an order's payment.
#[derive(Debug, Default)]
pub(super) struct PaymentChange {
    /// The row, where this batch began the payment.
    pub(super) new: Option<NewPayment>,
    pub(super) reference: Option<String>,
    pub(super) step: Option<PaymentStep>,
}

/// A payment that a batch began.
#[derive(Debug)]
pub(super) struct NewPayment {
    pub(super) gateway: Gateway,
    pub(super) amount_minor: i64,
    pub(super) started_at: UnixMillis,
}

/// Where records take a payment. The last one of a batch counts: none of them depends on the ones before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PaymentStep {
    /// To be captured.
    Authorize,
    /// To be let go, or given back where it was captured.
    LetGo,
    /// The provider refused.
    Decline,
}

impl PaymentStep {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::LetGo => "let_go",
            Self::Decline => "decline",
        }
    }
}

impl RowChanges {
    /// The change of an order: a new one, or the one that this batch has begun.
    pub(super) fn order(
        &mut self,
        event_id: EventId,
        order_id: OrderId,
        seq: Sequence,
        at: UnixMillis,
    ) -> &mut OrderChange {
        let place = *self
            .index
            .orders
            .entry((event_id, order_id))
            .or_insert(self.orders.len());
        if place == self.orders.len() {
            self.orders.push(OrderChange {
                event_id,
                order_id,
                new: None,
                status: None,
                confirmed_at: None,
                cancelled_at: None,
                ended_at: None,
                refunded_minor: 0,
                payment: PaymentChange::default(),
                makes_files: false,
                at,
                seq,
            });
        }
        let change = &mut self.orders[place];
        change.seq = seq;
        change.at = at;
        change
    }

    pub(super) fn place_order(
        &mut self,
        event_id: EventId,
        seq: Sequence,
        record: &HoldPlaced,
    ) -> Result<(), String> {
        self.begin_order(
            event_id,
            seq,
            PaymentStarted {
                at: record.at,
                hold_id: record.hold_id,
                buyer_id: record.buyer_id,
                lines: record.lines.clone(),
                total: record.total().ok_or("the total of a hold overflows")?,
                gateway: record.payment.ok_or("a hold without a payment")?,
                expires_at: record.expires_at,
                key: None,
            },
            record.package_order_id,
        )
    }

    pub(super) fn start_payment(
        &mut self,
        event_id: EventId,
        seq: Sequence,
        record: PaymentStarted,
    ) -> Result<(), String> {
        self.begin_order(event_id, seq, record, None)
    }

    fn begin_order(
        &mut self,
        event_id: EventId,
        seq: Sequence,
        started: PaymentStarted,
        package_order_id: Option<PackageOrderId>,
    ) -> Result<(), String> {
        let totals = totals(&started.lines).ok_or("the total of an order overflows")?;
        let order = self.order(event_id, started.hold_id.into(), seq, started.at);
        order.status = Some(OrderStatus::Pending);
        // The payment of a leg is its package's.
        if package_order_id.is_none() {
            order.payment.new = Some(NewPayment {
                gateway: started.gateway,
                amount_minor: totals.total_minor,
                started_at: started.at,
            });
        }
        order.new = Some(NewOrder {
            buyer_id: started.buyer_id,
            lines: started.lines,
            totals,
            currency: started.total.currency,
            package_order_id,
            placed_at: started.at,
        });
        Ok(())
    }

    /// An order that was not pending comes into being here, with its payment.
    pub(super) fn confirm(
        &mut self,
        event_id: EventId,
        seq: Sequence,
        confirmed: HoldConfirmed,
    ) -> Result<(), String> {
        let order_id = OrderId::from(confirmed.hold_id);
        self.issue_tickets(event_id, order_id, &confirmed);
        let totals = totals(&confirmed.lines).ok_or("the total of an order overflows")?;
        let order = self.order(event_id, order_id, seq, confirmed.at);
        order.status = Some(OrderStatus::Confirmed);
        order.confirmed_at = Some(confirmed.at);
        // One that was reclaimed has not ended.
        order.ended_at = None;
        order.makes_files = true;
        if confirmed.pending_since.is_none() {
            order.new = Some(NewOrder {
                buyer_id: confirmed.buyer_id,
                lines: confirmed.lines,
                totals,
                currency: confirmed.total.currency,
                package_order_id: confirmed.package_order_id,
                placed_at: confirmed.at,
            });
        }
        let own_payment = confirmed.payment.filter(|_| confirmed.package_order_id.is_none());
        if let Some(payment) = own_payment {
            if confirmed.pending_since.is_none() {
                order.payment.new = Some(NewPayment {
                    gateway: payment.gateway,
                    amount_minor: payment.amount.amount_minor,
                    started_at: confirmed.at,
                });
            }
            order.payment.reference = Some(payment.reference);
            order.payment.step = Some(PaymentStep::Authorize);
        }
        Ok(())
    }

    /// The payment is left to its worker: it may have succeeded, and then the units are claimed again if they are free.
    pub(super) fn expire_order(
        &mut self,
        event_id: EventId,
        order_id: OrderId,
        seq: Sequence,
        at: UnixMillis,
    ) {
        let order = self.order(event_id, order_id, seq, at);
        order.status = Some(OrderStatus::Expired);
        order.ended_at = Some(at);
    }

    pub(super) fn give_up_order(
        &mut self,
        event_id: EventId,
        order_id: OrderId,
        seq: Sequence,
        record: &HoldReleased,
    ) {
        let order = self.order(event_id, order_id, seq, record.at);
        order.status = Some(OrderStatus::Cancelled);
        order.ended_at = Some(record.at);
        order.payment.step = Some(match record.reason {
            ReleaseReason::PaymentDeclined => PaymentStep::Decline,
            ReleaseReason::Buyer | ReleaseReason::PaymentUnavailable | ReleaseReason::Package => {
                PaymentStep::LetGo
            }
        });
    }

    pub(super) fn cancel(&mut self, event_id: EventId, order_id: OrderId, seq: Sequence, at: UnixMillis) {
        self.cancel_tickets(event_id, order_id);
        let order = self.order(event_id, order_id, seq, at);
        order.status = Some(OrderStatus::Cancelled);
        order.cancelled_at = Some(at);
        order.makes_files = false;
        order.payment.step = Some(PaymentStep::LetGo);
    }
}
