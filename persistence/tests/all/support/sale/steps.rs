//! Random commands of buyers, staff, payment workers and gates.

use onsale_domain::command::CancelledBy;
use onsale_domain::record::ReleaseReason;
use onsale_domain::{Command, Direction, Gateway, HoldId, OrderId, PackageOrderId, Refusal, TicketId};
use uuid::Uuid;

use super::{Held, Rng, Sale};

/// What the commands so far have made.
#[derive(Default)]
pub(crate) struct Made {
    pub(crate) holds: Vec<Held>,
    pub(crate) orders: Vec<OrderId>,
}

impl Made {
    fn hold(&self, rng: &mut Rng) -> Result<Held, Refusal> {
        pick(&self.holds, rng).ok_or(Refusal::HoldNotFound)
    }

    fn order(&self, rng: &mut Rng) -> Result<OrderId, Refusal> {
        pick(&self.orders, rng).ok_or(Refusal::OrderNotFound)
    }
}

/// The later ones more often: what was made last has most before it.
fn pick<T: Copy>(items: &[T], rng: &mut Rng) -> Option<T> {
    let recent = items.len().saturating_sub(6);
    let from = if rng.below(3) == 0 { 0 } else { recent };
    let among = items.get(from..).filter(|among| !among.is_empty())?;
    Some(among[rng.below(among.len())])
}

impl Sale {
    /// A random command; refusals are part of the game.
    pub(crate) fn step(&mut self, rng: &mut Rng, made: &mut Made) {
        let _ = match rng.below(20) {
            0..4 => self.random_place(rng).map(|hold| made.holds.push(hold)),
            4..6 => made.hold(rng).and_then(|hold| self.try_start_payment(hold)),
            6..9 => made
                .hold(rng)
                .and_then(|hold| self.try_confirm(hold))
                .map(|order_id| made.orders.push(order_id)),
            9 => made.hold(rng).and_then(|hold| self.random_release(hold, rng)),
            10 => made
                .hold(rng)
                .and_then(|hold| self.try_reclaim(hold))
                .map(|order_id| made.orders.push(order_id)),
            11 => made.order(rng).and_then(|order_id| self.random_cancel(order_id)),
            12 => made.hold(rng).and_then(|(hold_id, buyer_id)| {
                self.now = self.now.plus_ms(60_000);
                self.try_apply(&Command::ExtendHold { hold_id, buyer_id })
            }),
            13 => self.random_time(rng),
            14..16 => made
                .order(rng)
                .and_then(|order_id| self.random_refund(order_id, rng)),
            16..18 => self
                .random_ticket(made, rng)
                .and_then(|ticket_id| self.try_transfer(ticket_id).map(drop)),
            _ => self.random_ticket(made, rng).and_then(|ticket_id| {
                let direction = [Direction::In, Direction::Out][rng.below(2)];
                self.try_scan(ticket_id, direction)
            }),
        };
    }

    fn random_place(&mut self, rng: &mut Rng) -> Result<Held, Refusal> {
        let quantity = i64::try_from(1 + rng.below(3)).expect("small");
        let lines = match rng.below(5) {
            0 => vec![(0, quantity), (3, 1)],
            other => vec![(other - 1, quantity)],
        };
        match rng.below(4) {
            0 => self.try_place_leg(lines[0], PackageOrderId(Uuid::now_v7())),
            1 => self.try_place_with(&lines, Some(Gateway::Simulated), None),
            _ => self.try_place(&lines),
        }
    }

    fn random_release(&mut self, hold: Held, rng: &mut Rng) -> Result<(), Refusal> {
        let reason = match self.inventory.package_of(hold.0) {
            Some(_) => ReleaseReason::Package,
            None => [
                ReleaseReason::Buyer,
                ReleaseReason::PaymentDeclined,
                ReleaseReason::PaymentUnavailable,
            ][rng.below(3)],
        };
        self.release_for(hold, reason)
    }

    fn random_cancel(&mut self, order_id: OrderId) -> Result<(), Refusal> {
        let package = self.inventory.package_of(HoldId::from(order_id));
        let by = package.map_or(CancelledBy::Staff, CancelledBy::Package);
        self.try_apply(&Command::CancelOrder { order_id, by })
    }

    /// Long enough for holds to end, and for those under payment now and then.
    fn random_time(&mut self, rng: &mut Rng) -> Result<(), Refusal> {
        self.now = self.now.plus_ms([100_000, 300_000, 1_000_000][rng.below(3)]);
        self.try_set_quota(rng.below(2), u32::try_from(20 + rng.below(80)).expect("small"))
            .and_then(|()| self.try_apply(&Command::Advance))
    }

    fn random_refund(&mut self, order_id: OrderId, rng: &mut Rng) -> Result<(), Refusal> {
        let tickets: Vec<TicketId> = self
            .inventory
            .tickets_of(order_id)
            .filter(|(_, ticket)| matches!(ticket.status.as_str(), "valid" | "used"))
            .map(|(ticket_id, _)| ticket_id)
            .collect();
        let some = 1 + rng.below(tickets.len().max(1));
        self.try_refund(order_id, tickets.get(..some).unwrap_or_default())
            .map(drop)
    }

    fn random_ticket(&self, made: &Made, rng: &mut Rng) -> Result<TicketId, Refusal> {
        let tickets = self.tickets_of(made.order(rng)?);
        pick(&tickets, rng).ok_or(Refusal::TicketNotFound)
    }
}
