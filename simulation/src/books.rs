//! The auditor's own books: units, money and the door, kept from the records alone and not by the rules' code.

use std::collections::BTreeMap;

use onsale_domain::record::{HoldConfirmed, Line, TicketScanned, TicketsRefunded};
use onsale_domain::{Direction, OrderId, QuotaId, Record, TicketId, TicketTypeId};

use crate::fault::Broken;

/// What became of a ticket's price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Money {
    Kept,
    Back,
}

#[derive(Clone, Debug)]
struct Entry {
    order_id: OrderId,
    price_minor: i64,
    money: Money,
    version: u32,
    is_inside: bool,
}

#[derive(Clone, Debug, Default)]
struct Quota {
    capacity: i64,
    taken: i64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Books {
    quotas: BTreeMap<QuotaId, Quota>,
    quota_of: BTreeMap<TicketTypeId, QuotaId>,
    tickets: BTreeMap<TicketId, Entry>,
    /// What each order cost, and what went back of it.
    orders: BTreeMap<OrderId, (i64, i64)>,
}

impl Books {
    /// Enters the next record (I2, I12, I15).
    pub(crate) fn enter(&mut self, record: &Record) -> Result<(), Broken> {
        match record {
            Record::QuotaSet { quota, .. } => {
                self.quotas.entry(quota.id).or_default().capacity = i64::from(quota.capacity);
            }
            Record::TicketTypeSet { ticket_type, .. } => {
                self.quota_of.insert(ticket_type.id, ticket_type.quota_id);
            }
            Record::HoldPlaced(placed) => self.take(&placed.lines, 1)?,
            Record::HoldReleased(released) => self.take(&released.lines, -1)?,
            Record::HoldsExpired { holds, .. } => {
                holds.iter().try_for_each(|hold| self.take(&hold.lines, -1))?;
            }
            Record::HoldConfirmed(order) => self.sell(order)?,
            Record::HoldReclaimed(order) => {
                self.take(&order.lines, 1)?;
                self.sell(order)?;
            }
            Record::OrderCancelled { order_id, lines, .. } => self.cancel(*order_id, lines)?,
            Record::TicketsRefunded(refund) => self.refund(refund)?,
            Record::TicketTransferred(transfer) => {
                let ticket = self.living(transfer.ticket_id)?;
                ticket.version += 1;
                if ticket.version != transfer.version {
                    return Err(Broken::new("I15", "a transfer does not raise the version by one"));
                }
            }
            Record::TicketScanned(scanned) => self.scan(scanned)?,
            Record::EventCreated { .. }
            | Record::EventEdited { .. }
            | Record::StatusChanged { .. }
            | Record::HoldExtended { .. }
            | Record::PaymentStarted(_) => {}
        }
        Ok(())
    }

    fn take(&mut self, lines: &[Line], sign: i64) -> Result<(), Broken> {
        for line in lines {
            let quota = self.quota_of.get(&line.ticket_type_id);
            let quota = quota.and_then(|quota_id| self.quotas.get_mut(quota_id));
            let quota = quota.ok_or_else(|| Broken::new("I1", "units of an unknown quota"))?;
            quota.taken += sign * i64::from(line.quantity);
            if !(0..=quota.capacity).contains(&quota.taken) {
                let detail = format!("{} units of {} are taken", quota.taken, quota.capacity);
                return Err(Broken::new("I2", detail));
            }
        }
        Ok(())
    }

    fn sell(&mut self, order: &HoldConfirmed) -> Result<(), Broken> {
        let order_id = OrderId::from(order.hold_id);
        let paid = order
            .payment
            .as_ref()
            .map_or(0, |payment| payment.amount.amount_minor);
        let prices: Vec<i64> = order
            .lines
            .iter()
            .flat_map(|line| (0..line.quantity).map(|_| line.unit_total_minor().unwrap_or(i64::MIN)))
            .collect();
        let total: i64 = prices.iter().sum();
        if total != order.total.amount_minor || total != paid || prices.len() != order.tickets.len() {
            return Err(Broken::new(
                "I12",
                format!("order {order_id} is not the sum of its tickets"),
            ));
        }
        for (ticket, price_minor) in order.tickets.iter().zip(prices) {
            let entry = Entry {
                order_id,
                price_minor,
                money: Money::Kept,
                version: 1,
                is_inside: false,
            };
            if self.tickets.insert(ticket.id, entry).is_some() {
                return Err(Broken::new("I15", "a ticket was issued twice"));
            }
        }
        self.orders.insert(order_id, (total, 0));
        Ok(())
    }

    fn cancel(&mut self, order_id: OrderId, lines: &[Line]) -> Result<(), Broken> {
        self.take(lines, -1)?;
        let kept: Vec<TicketId> = self
            .tickets
            .iter()
            .filter(|(_, ticket)| ticket.order_id == order_id && ticket.money == Money::Kept)
            .map(|(ticket_id, _)| *ticket_id)
            .collect();
        let back = lines.iter().filter_map(Line::total_minor).sum();
        self.give_back(order_id, &kept, back)?;
        self.check_nothing_kept(order_id)
    }

    fn refund(&mut self, refund: &TicketsRefunded) -> Result<(), Broken> {
        self.take(&refund.lines, -1)?;
        self.give_back(refund.order_id, &refund.tickets, refund.amount.amount_minor)?;
        if refund.is_last {
            self.check_nothing_kept(refund.order_id)?;
        }
        Ok(())
    }

    fn give_back(&mut self, order_id: OrderId, tickets: &[TicketId], amount: i64) -> Result<(), Broken> {
        let mut prices = 0;
        for ticket_id in tickets {
            let ticket = self.living(*ticket_id)?;
            ticket.money = Money::Back;
            prices += ticket.price_minor;
        }
        if prices != amount {
            return Err(Broken::new(
                "I12",
                format!("{amount} went back for tickets of {prices}"),
            ));
        }
        let unknown = || Broken::new("I12", "money of an unknown order");
        self.orders.get_mut(&order_id).ok_or_else(unknown)?.1 += amount;
        Ok(())
    }

    fn check_nothing_kept(&self, order_id: OrderId) -> Result<(), Broken> {
        match self.orders.get(&order_id) {
            Some((total, back)) if total == back => Ok(()),
            Some(_) | None => Err(Broken::new(
                "I12",
                format!("money of order {order_id} is left over"),
            )),
        }
    }

    fn living(&mut self, ticket_id: TicketId) -> Result<&mut Entry, Broken> {
        self.tickets
            .get_mut(&ticket_id)
            .filter(|ticket| ticket.money == Money::Kept)
            .ok_or_else(|| Broken::new("I15", format!("ticket {ticket_id} is void")))
    }

    fn scan(&mut self, scanned: &TicketScanned) -> Result<(), Broken> {
        let ticket = self.living(scanned.ticket_id)?;
        let goes_in = scanned.direction == Direction::In;
        if ticket.is_inside == goes_in {
            let way = scanned.direction.as_str();
            return Err(Broken::new(
                "I15",
                format!("ticket {} went {way} twice", scanned.ticket_id),
            ));
        }
        ticket.is_inside = goes_in;
        Ok(())
    }

    /// Orders minus what went back is what the tickets that are left cost (I12).
    pub(crate) fn check_sums(&self) -> Result<(), Broken> {
        let kept = |ticket: &&Entry| ticket.money == Money::Kept;
        let prices: i64 = self
            .tickets
            .values()
            .filter(kept)
            .map(|ticket| ticket.price_minor)
            .sum();
        let orders: i64 = self.orders.values().map(|(total, back)| total - back).sum();
        if prices != orders {
            return Err(Broken::new(
                "I12",
                format!("{orders} were kept for tickets of {prices}"),
            ));
        }
        Ok(())
    }
}
