//! Orders, their payments and refunds.

use onsale_domain::price::totals;
use onsale_domain::record::{
    ExpiredHold, HoldConfirmed, HoldPlaced, HoldReleased, Line, PaymentStarted, ReleaseReason,
    TicketsRefunded,
};
use onsale_domain::{BuyerId, Gateway, HoldId, PackageOrderId, UnixMillis};
use onsale_persistence::audit::{OrderLineRow, OrderRow, PaymentRow, RefundRow};
use uuid::Uuid;

use super::Expected;
use crate::audit::compare::Difference;

/// From where to where records take an order. `paid` is the payment worker's and in no record.
const ARROWS: &[(&str, &str)] = &[
    ("pending", "confirmed"),
    ("pending", "cancelled"),
    ("pending", "expired"),
    ("expired", "confirmed"),
    ("confirmed", "cancelled"),
    ("confirmed", "partially_refunded"),
    ("confirmed", "refunded"),
    ("partially_refunded", "partially_refunded"),
    ("partially_refunded", "refunded"),
    ("partially_refunded", "cancelled"),
];

/// What a record says of an order that begins.
struct Begun<'a> {
    hold_id: HoldId,
    buyer_id: BuyerId,
    lines: &'a [Line],
    currency: &'a str,
    package_order_id: Option<PackageOrderId>,
    at: UnixMillis,
}

impl Expected {
    pub(super) fn fold_placed(&mut self, placed: &HoldPlaced) -> Result<(), Difference> {
        let Some(gateway) = placed.payment else {
            return Ok(());
        };
        self.begin(&Begun {
            hold_id: placed.hold_id,
            buyer_id: placed.buyer_id,
            lines: &placed.lines,
            currency: placed.currency.code(),
            package_order_id: placed.package_order_id,
            at: placed.at,
        })?;
        self.begin_payment(placed.hold_id.0, gateway);
        Ok(())
    }

    pub(super) fn fold_started(&mut self, started: &PaymentStarted) -> Result<(), Difference> {
        self.begin(&Begun {
            hold_id: started.hold_id,
            buyer_id: started.buyer_id,
            lines: &started.lines,
            currency: started.total.currency.code(),
            package_order_id: None,
            at: started.at,
        })?;
        self.begin_payment(started.hold_id.0, started.gateway);
        Ok(())
    }

    fn begin(&mut self, begun: &Begun<'_>) -> Result<(), Difference> {
        let order_id = begun.hold_id.0;
        if self.rows.orders.contains_key(&order_id) {
            return Err(Difference::state(format!("order {order_id} begins twice")));
        }
        let totals = totals(begun.lines)
            .ok_or_else(|| Difference::money(format!("the total of order {order_id} overflows")))?;
        let order = OrderRow {
            buyer_id: begun.buyer_id.0,
            status: "pending".to_owned(),
            currency: begun.currency.to_owned(),
            total_minor: totals.total_minor,
            fees_minor: totals.fees_minor,
            tax_minor: totals.tax_minor,
            refunded_minor: 0,
            package_order_id: begun.package_order_id.map(|id| id.0),
            placed_at_ms: begun.at.0,
            confirmed_at_ms: None,
            cancelled_at_ms: None,
            ended_at_ms: None,
        };
        self.rows.orders.insert(order_id, order);
        let lines = begun.lines.iter().map(line_row).collect();
        self.rows.order_lines.insert(order_id, lines);
        Ok(())
    }

    /// The payment of a leg is its package's.
    fn begin_payment(&mut self, order_id: Uuid, gateway: Gateway) {
        let order = self.rows.orders.get(&order_id);
        if let Some(order) = order.filter(|order| order.package_order_id.is_none()) {
            let row = PaymentRow {
                gateway: gateway.as_str().to_owned(),
                reference: None,
                amount_minor: order.total_minor,
                currency: order.currency.clone(),
                status: "pending".to_owned(),
                refunded_minor: 0,
            };
            self.rows.payments.insert(order_id, row);
        }
    }

    pub(super) fn fold_released(&mut self, released: &HoldReleased) -> Result<(), Difference> {
        if released.payment.is_none() {
            return Ok(());
        }
        let order_id = released.hold_id.0;
        self.turn(order_id, "cancelled")?.ended_at_ms = Some(released.at.0);
        let status = match released.reason {
            ReleaseReason::PaymentDeclined => "declined",
            ReleaseReason::Buyer | ReleaseReason::PaymentUnavailable | ReleaseReason::Package => "voiding",
        };
        self.turn_payment(order_id, status);
        Ok(())
    }

    pub(super) fn fold_expired(&mut self, expired: &ExpiredHold, at: UnixMillis) -> Result<(), Difference> {
        if expired.payment.is_some() {
            self.turn(expired.hold_id.0, "expired")?.ended_at_ms = Some(at.0);
        }
        Ok(())
    }

    pub(super) fn fold_confirmed(&mut self, confirmed: &HoldConfirmed) -> Result<(), Difference> {
        let order_id = confirmed.hold_id.0;
        let is_new = confirmed.pending_since.is_none();
        if is_new {
            self.begin(&Begun {
                hold_id: confirmed.hold_id,
                buyer_id: confirmed.buyer_id,
                lines: &confirmed.lines,
                currency: confirmed.total.currency.code(),
                package_order_id: confirmed.package_order_id,
                at: confirmed.at,
            })?;
        }
        let order = self.turn(order_id, "confirmed")?;
        order.confirmed_at_ms = Some(confirmed.at.0);
        order.ended_at_ms = None;
        let payment = confirmed.payment.as_ref();
        let authorized = payment.map_or(0, |payment| payment.amount.amount_minor);
        let stated = confirmed.total.amount_minor;
        if (stated, authorized) != (order.total_minor, order.total_minor) {
            return Err(Difference::money(format!(
                "order {order_id}: its lines make {}, its total is {stated}, authorized are {authorized}",
                order.total_minor
            )));
        }
        if let Some(payment) = payment {
            if is_new {
                self.begin_payment(order_id, payment.gateway);
            }
            self.turn_payment(order_id, "authorized");
            if let Some(row) = self.rows.payments.get_mut(&order_id) {
                row.reference = Some(payment.reference.clone());
            }
        }
        self.issue(confirmed)
    }

    pub(super) fn fold_cancelled(&mut self, order_id: Uuid, at: UnixMillis) -> Result<(), Difference> {
        self.turn(order_id, "cancelled")?.cancelled_at_ms = Some(at.0);
        self.turn_payment(order_id, "voiding");
        self.void_tickets(order_id)
    }

    pub(super) fn fold_refunded(&mut self, refunded: &TicketsRefunded) -> Result<(), Difference> {
        let order_id = refunded.order_id.0;
        let amount_minor = refunded.amount.amount_minor;
        let status = if refunded.is_last {
            "refunded"
        } else {
            "partially_refunded"
        };
        let order = self.turn(order_id, status)?;
        order.refunded_minor = order.refunded_minor.saturating_add(amount_minor);
        let (back, total) = (order.refunded_minor, order.total_minor);
        if back > total || (refunded.is_last && back != total) {
            return Err(Difference::money(format!(
                "order {order_id} is {status} with {back} of {total}"
            )));
        }
        let nothing = amount_minor == 0;
        let row = RefundRow {
            order_id,
            buyer_id: refunded.buyer_id.0,
            amount_minor,
            currency: refunded.amount.currency.code().to_owned(),
            status: if nothing { "succeeded" } else { "pending" }.to_owned(),
            requested_at_ms: refunded.at.0,
            is_settled: nothing,
        };
        self.rows.refunds.insert(refunded.refund_id.0, row);
        self.take_back(refunded)
    }

    fn turn(&mut self, order_id: Uuid, to: &str) -> Result<&mut OrderRow, Difference> {
        let order = self.rows.orders.get_mut(&order_id);
        let order = order.ok_or_else(|| Difference::state(format!("order {order_id} never began")))?;
        if !ARROWS.contains(&(order.status.as_str(), to)) {
            let from = &order.status;
            return Err(Difference::state(format!(
                "order {order_id} goes from {from} to {to}"
            )));
        }
        to.clone_into(&mut order.status);
        Ok(order)
    }

    fn turn_payment(&mut self, order_id: Uuid, to: &str) {
        if let Some(payment) = self.rows.payments.get_mut(&order_id) {
            to.clone_into(&mut payment.status);
        }
    }
}

fn line_row(line: &Line) -> OrderLineRow {
    OrderLineRow {
        ticket_type_id: line.ticket_type_id.0,
        quantity: line.quantity.into(),
        unit_price_minor: line.unit_price_minor,
        unit_fee_minor: line.unit_fee_minor,
        tax_basis_points: line.tax.basis_points.into(),
        tax_inclusive: line.tax.inclusive,
    }
}
