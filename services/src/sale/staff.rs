//! Orders, refunds and payments as staff work on them. What belongs to an organization out of their sight is not found.

use onsale_domain::command::{CancelledBy, RefundTickets};
use onsale_domain::record::{KeyBinding, TicketsRefunded};
use onsale_domain::{Command, EventId, OrderId, Record, TicketId};
use onsale_persistence::{
    AuditOutcome, JobKind, ListedPayment, NewJob, OrderFilter, OrderRow, OrderStatus, PaymentFilter,
    PaymentStatus,
};
use serde_json::{Value, json};

use super::answered::recorded;
use super::orders::CancelledOrder;
use crate::audit::target;
use crate::{Page, ServiceError, Services, StaffMember};

/// Asks for the money of some tickets to go back.
#[derive(Clone, Debug)]
pub struct RefundRequested {
    /// Of which order.
    pub order_id: OrderId,
    /// Which tickets of it.
    pub tickets: Vec<TicketId>,
    /// Why; for the audit log.
    pub reason: Option<String>,
    /// The request's idempotency key.
    pub key: KeyBinding,
}

/// A refund that was asked for, now or by an earlier request with the same key.
#[derive(Clone, Debug)]
pub struct RequestedRefund {
    /// The refund's record.
    pub refund: TicketsRefunded,
    /// Whether this repeats an earlier answer.
    pub replayed: bool,
}

impl Services {
    /// Orders in sight, the newest first.
    pub async fn list_staff_orders(
        &self,
        staff: &StaffMember,
        mut filter: OrderFilter,
        before: Option<OrderId>,
        limit: usize,
    ) -> Result<Page<OrderRow>, ServiceError> {
        filter.organizations = staff.narrowed(filter.organizations)?;
        self.engine().wait_all_projected().await?;
        let rows = self.database().orders(&filter, before, limit + 1).await?;
        Ok(Page::cut(rows, limit))
    }

    /// Payments in sight, those of the newest orders first.
    pub async fn list_payments(
        &self,
        staff: &StaffMember,
        mut filter: PaymentFilter,
        before: Option<OrderId>,
        limit: usize,
    ) -> Result<Page<ListedPayment>, ServiceError> {
        filter.organizations = staff.narrowed(filter.organizations)?;
        self.engine().wait_all_projected().await?;
        let rows = self.database().payments(&filter, before, limit + 1).await?;
        Ok(Page::cut(rows, limit))
    }

    /// An order with all that belongs to it. Errors: not found, also when it is out of sight.
    pub async fn staff_order(
        &self,
        staff: &StaffMember,
        order_id: OrderId,
    ) -> Result<OrderRow, ServiceError> {
        let event_id = self.event_of(order_id.route()).await?;
        self.staff_event(staff, event_id).await?;
        self.engine().wait_projected(event_id).await?;
        let order = self.database().order(event_id, order_id).await?;
        order.ok_or(ServiceError::NotFound)
    }

    /// Cancels an order, also one of which a ticket was used. Repeating it changes nothing.
    pub async fn cancel_order_for(
        &self,
        staff: &StaffMember,
        order_id: OrderId,
    ) -> Result<CancelledOrder, ServiceError> {
        let order = self.staff_order(staff, order_id).await?;
        let event_id = order.event_id;
        let cancelling = Box::pin(self.cancel(event_id, order_id, order.buyer_id, CancelledBy::Staff));
        self.on_order(
            staff,
            ("orders.cancel", Value::Null),
            (event_id, order_id),
            cancelling,
        )
        .await
    }

    /// Has the money of some tickets go back: they let nobody in any more, and their units are free again. A repeat of
    /// the key gets the first answer.
    pub async fn refund_tickets(
        &self,
        staff: &StaffMember,
        request: RefundRequested,
    ) -> Result<RequestedRefund, ServiceError> {
        let RefundRequested {
            order_id,
            tickets,
            reason,
            key,
        } = request;
        let event_id = self.event_of(order_id.route()).await?;
        self.staff_event(staff, event_id).await?;
        let asked =
            json!({"tickets": tickets.iter().map(|ticket| ticket.0).collect::<Vec<_>>(), "reason": reason});
        let command = Command::RefundTickets(Box::new(RefundTickets {
            refund_id: self.ids().refund_id(event_id.route(), self.now()),
            order_id,
            tickets,
            key: Some(key),
        }));
        let refunding = Box::pin(async {
            match recorded(self.engine().execute(event_id, command).await?)? {
                (Record::TicketsRefunded(refund), replayed) => Ok(RequestedRefund { refund, replayed }),
                _ => Err(ServiceError::Internal("a refund answered by another record")),
            }
        });
        self.on_order(staff, ("refunds.create", asked), (event_id, order_id), refunding)
            .await
    }

    /// Lets a quarantined payment go: nothing is charged, and what was goes back.
    ///
    /// Errors: [`ServiceError::NotQuarantined`].
    pub async fn void_payment(
        &self,
        staff: &StaffMember,
        order_id: OrderId,
    ) -> Result<OrderRow, ServiceError> {
        let event_id = self.event_of(order_id.route()).await?;
        self.staff_event(staff, event_id).await?;
        let voiding = async {
            let (from, to) = (PaymentStatus::Quarantined, PaymentStatus::Voiding);
            let order = self.database().order(event_id, order_id).await?;
            let order = order.ok_or(ServiceError::NotFound)?;
            // Its tickets are out: they are taken back with the order, and the money after them.
            if matches!(
                order.status,
                OrderStatus::Confirmed | OrderStatus::PartiallyRefunded
            ) {
                return Err(ServiceError::NotQuarantined);
            }
            let marked = self.database().mark_payment(event_id, order_id, from, to).await?;
            // A repeat asks for the job again, in case that an earlier call ended between the two.
            if !marked && order.payment.is_none_or(|payment| payment.status != to) {
                return Err(ServiceError::NotQuarantined);
            }
            let now = self.now();
            let job = NewJob {
                kind: JobKind::Payment,
                subject_id: order_id.0,
                event_id: Some(event_id),
                payload: None,
                due_at: now,
            };
            Ok(self.database().enqueue(&[job], now).await?)
        };
        self.on_order(
            staff,
            ("payments.void", Value::Null),
            (event_id, order_id),
            voiding,
        )
        .await?;
        self.staff_order(staff, order_id).await
    }

    /// Does something with an order, framed by its entries in the audit log.
    async fn on_order<T>(
        &self,
        staff: &StaffMember,
        (action, asked): (&'static str, Value),
        (event_id, order_id): (EventId, OrderId),
        work: impl Future<Output = Result<T, ServiceError>>,
    ) -> Result<T, ServiceError> {
        let event = self.engine().availability(event_id).await?;
        let mut entry = staff.entry(self.now(), action, AuditOutcome::Asked);
        entry.target = Some(target("order", order_id.0));
        entry.organization_id = Some(event.definition.details.organization_id);
        entry.after = Some(asked).filter(|asked| !asked.is_null());
        self.audited(entry, work, |_| None).await
    }
}
