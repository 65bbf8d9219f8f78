//! What happens to orders and tickets after the sale.

use onsale_domain::command::{ConfirmHold, ReclaimHold, RefundTickets, ScanTicket, TransferTicket};
use onsale_domain::id::TicketCode;
use onsale_domain::money::Currency;
use onsale_domain::price::totals;
use onsale_domain::record::{Line, PaymentAuthorization};
use onsale_domain::{
    BuyerId, Command, Direction, Gateway, Money, OrderId, Presented, RefundId, Refusal, ScanDigest, TicketId,
};
use uuid::Uuid;

use super::{Held, Sale};

impl Sale {
    /// The payment and fresh tickets for these lines.
    pub(super) fn confirmation(&self, (hold_id, buyer_id): Held, lines: &[Line]) -> ConfirmHold {
        let amount_minor = totals(lines).expect("small").total_minor;
        let payment = (amount_minor > 0).then(|| PaymentAuthorization {
            gateway: Gateway::Simulated,
            reference: format!("auth-{hold_id}"),
            amount: Money {
                amount_minor,
                currency: Currency::EUR,
            },
        });
        let quantity: u32 = lines.iter().map(|line| line.quantity).sum();
        let tickets = (0..quantity)
            .map(|_| (TicketId(self.routed_uuid()), fresh_code()))
            .collect();
        ConfirmHold {
            hold_id,
            buyer_id,
            payment,
            tickets,
            package_order_id: self.inventory.package_of(hold_id),
            key: None,
        }
    }

    /// A payment that succeeded after its hold expired.
    pub(crate) fn try_reclaim(&mut self, hold: Held) -> Result<OrderId, Refusal> {
        let (lines, pending_since) = self.pending.get(&hold.0).cloned().ok_or(Refusal::HoldNotFound)?;
        let confirm = self.confirmation(hold, &lines);
        self.try_apply(&Command::ReclaimHold(Box::new(ReclaimHold {
            confirm,
            lines,
            pending_since,
        })))?;
        Ok(hold.0.into())
    }

    /// The tickets of an order, in the order they were issued.
    pub(crate) fn tickets_of(&self, order_id: OrderId) -> Vec<TicketId> {
        self.inventory
            .tickets_of(order_id)
            .map(|(ticket_id, _)| ticket_id)
            .collect()
    }

    pub(crate) fn try_refund(
        &mut self,
        order_id: OrderId,
        tickets: &[TicketId],
    ) -> Result<RefundId, Refusal> {
        let refund_id = RefundId(self.routed_uuid());
        self.try_apply(&Command::RefundTickets(Box::new(RefundTickets {
            refund_id,
            order_id,
            tickets: tickets.to_vec(),
            key: None,
        })))?;
        Ok(refund_id)
    }

    pub(crate) fn refund(&mut self, order_id: OrderId, tickets: &[TicketId]) -> RefundId {
        self.try_refund(order_id, tickets).expect("a valid refund")
    }

    /// To somebody new.
    pub(crate) fn try_transfer(&mut self, ticket_id: TicketId) -> Result<BuyerId, Refusal> {
        let ticket = self.inventory.ticket(ticket_id).ok_or(Refusal::TicketNotFound)?;
        let (from, to) = (ticket.owner, BuyerId(Uuid::now_v7()));
        self.try_apply(&Command::TransferTicket(TransferTicket {
            ticket_id,
            from,
            to,
            code: fresh_code(),
            key: None,
        }))?;
        Ok(to)
    }

    pub(crate) fn transfer(&mut self, ticket_id: TicketId) -> BuyerId {
        self.try_transfer(ticket_id).expect("a valid transfer")
    }

    pub(crate) fn try_scan(&mut self, ticket_id: TicketId, direction: Direction) -> Result<(), Refusal> {
        let ticket = self.inventory.ticket(ticket_id).ok_or(Refusal::TicketNotFound)?;
        let presented = Presented::Code(ticket.code);
        self.try_apply(&Command::ScanTicket(Box::new(ScanTicket {
            presented,
            gate: "North".to_owned(),
            direction,
            scan: ScanDigest(*Uuid::now_v7().as_bytes()),
            scanned_at: None,
        })))
    }

    pub(crate) fn scan(&mut self, ticket_id: TicketId, direction: Direction) {
        self.try_scan(ticket_id, direction).expect("a valid scan");
    }
}

fn fresh_code() -> TicketCode {
    let mut code = [0; 10];
    code.copy_from_slice(&Uuid::now_v7().as_bytes()[6..]);
    TicketCode(code)
}
