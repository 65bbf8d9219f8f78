//! The buyers: they send requests, repeat them under the same key until they are answered, and now and then after.

use onsale_domain::command::{
    CancelledBy, ConfirmHold, PlaceHold, ReclaimHold, RefundTickets, RequestedLine, ScanTicket, StartPayment,
    TransferTicket,
};
use onsale_domain::id::{BodyDigest, KeyDigest, TicketCode};
use onsale_domain::record::{HoldConfirmed, HoldPlaced, KeyBinding, PaymentAuthorization, ReleaseReason};
use onsale_domain::{
    BuyerId, Command, Direction, Gateway, HoldId, OrderId, Presented, Record, RefundId, ScanDigest, TicketId,
};
use uuid::Uuid;

use crate::event::{ids, ticket_type_id};
use crate::owner::Answer;
use crate::rng::Rng;

const BUYERS: usize = 6;

/// What a request asks for. A repeat asks for the same, with new ids.
#[derive(Clone, Debug)]
enum Wish {
    Hold {
        buyer_id: BuyerId,
        lines: Vec<RequestedLine>,
        payment: Option<Gateway>,
    },
    Start(Box<HoldPlaced>),
    Pay(Box<HoldPlaced>),
    Decline(Box<HoldPlaced>),
    GiveBack(Box<HoldPlaced>),
    Extend(Box<HoldPlaced>),
    /// A payment that succeeded after its hold's end.
    Late(Box<HoldPlaced>),
    Cancel(OrderId, BuyerId),
    Refund(OrderId, Vec<TicketId>),
    Give(Known, BuyerId),
    Scan(Presented, &'static str, Direction),
}

/// A ticket as its owner knows it.
#[derive(Clone, Copy, Debug)]
struct Known {
    ticket_id: TicketId,
    order_id: OrderId,
    owner: BuyerId,
    code: TicketCode,
    version: u32,
}

#[derive(Clone, Debug)]
struct Request {
    wish: Wish,
    key: KeyBinding,
    /// Sendings that are still being worked on.
    in_flight: u32,
    answered: bool,
}

/// How a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    First,
    /// Again, while an earlier sending is being worked on.
    Concurrent,
    /// Again, with no answer and none on its way.
    Again,
    /// Again, although it was answered.
    Late,
}

#[derive(Debug, Default)]
pub(crate) struct Clients {
    requests: Vec<Request>,
    /// Holds and orders that their buyers know of.
    holds: Vec<HoldPlaced>,
    orders: Vec<(OrderId, BuyerId)>,
    tickets: Vec<Known>,
    ids: u64,
}

impl Clients {
    /// The next request to send: a new one or a repeat.
    pub(crate) fn next(&mut self, rng: &mut Rng) -> (usize, Sent) {
        if !self.requests.is_empty() && rng.once_in(2) {
            let index = rng.below(self.requests.len());
            let request = &self.requests[index];
            if !request.answered || rng.once_in(4) {
                let sent = match (request.answered, request.in_flight) {
                    (true, _) => Sent::Late,
                    (false, 0) => Sent::Again,
                    (false, _) => Sent::Concurrent,
                };
                return (index, sent);
            }
        }
        let wish = self.wish(rng);
        (self.add(wish), Sent::First)
    }

    /// A request that must be answerable whenever an owner serves.
    pub(crate) fn one_more(&mut self, rng: &mut Rng) -> usize {
        let wish = Self::wish_for_hold(rng);
        self.add(wish)
    }

    fn add(&mut self, wish: Wish) -> usize {
        let number = u128::try_from(self.requests.len()).unwrap_or(u128::MAX);
        let key = KeyBinding {
            key: KeyDigest(number.to_be_bytes()),
            body: BodyDigest([1; 8]),
        };
        self.requests.push(Request {
            wish,
            key,
            in_flight: 0,
            answered: false,
        });
        self.requests.len() - 1
    }

    fn wish(&self, rng: &mut Rng) -> Wish {
        let hold = (!self.holds.is_empty()).then(|| self.holds[rng.below(self.holds.len())].clone());
        let order = (!self.orders.is_empty()).then(|| self.orders[rng.below(self.orders.len())]);
        let chosen = rng.weighted(&[10, 6, 2, 2, 2, 2, 3, 2, 8]);
        match (chosen, hold.map(Box::new), order) {
            (1, Some(hold), _) => Wish::Pay(hold),
            (2, Some(hold), _) => Wish::Decline(hold),
            (3, Some(hold), _) => Wish::GiveBack(hold),
            (4, Some(hold), _) => Wish::Extend(hold),
            (5, _, Some((order_id, buyer_id))) => Wish::Cancel(order_id, buyer_id),
            (6, Some(hold), _) => Wish::Start(hold),
            (7, Some(hold), _) => Wish::Late(hold),
            (8, ..) => self
                .wish_for_ticket(rng)
                .unwrap_or_else(|| Self::wish_for_hold(rng)),
            _ => Self::wish_for_hold(rng),
        }
    }

    fn wish_for_ticket(&self, rng: &mut Rng) -> Option<Wish> {
        let ticket = *self.tickets.get(rng.below(self.tickets.len()))?;
        Some(match rng.weighted(&[2, 2, 6]) {
            0 => {
                let of_order = self
                    .tickets
                    .iter()
                    .filter(|other| other.order_id == ticket.order_id);
                let some = of_order.filter(|other| other.ticket_id == ticket.ticket_id || rng.once_in(2));
                Wish::Refund(ticket.order_id, some.map(|other| other.ticket_id).collect())
            }
            1 => Wish::Give(ticket, buyer(rng)),
            _ => {
                let (ticket_id, version) = (ticket.ticket_id, ticket.version);
                let pass = Presented::Pass { ticket_id, version };
                let shown = [pass, Presented::Code(ticket.code)][rng.below(2)];
                let gate = ["north", "south"][rng.below(2)];
                let direction = [Direction::In, Direction::In, Direction::Out][rng.below(3)];
                Wish::Scan(shown, gate, direction)
            }
        })
    }

    fn wish_for_hold(rng: &mut Rng) -> Wish {
        let buyer_id = buyer(rng);
        let mut lines = vec![RequestedLine {
            ticket_type_id: ticket_type_id(rng.below(3)),
            quantity: 1 + i64::from(rng.once_in(2)),
        }];
        if rng.once_in(4) {
            let ticket_type_id = ticket_type_id(rng.below(3));
            lines.push(RequestedLine {
                ticket_type_id,
                quantity: 1,
            });
        }
        Wish::Hold {
            buyer_id,
            lines,
            payment: rng.once_in(3).then_some(Gateway::Simulated),
        }
    }

    /// The command of a sending. Whoever receives it makes new ids: only the key says that it is a repeat.
    pub(crate) fn send(&mut self, index: usize) -> Command {
        self.requests[index].in_flight += 1;
        let Request { wish, key, .. } = self.requests[index].clone();
        match wish {
            Wish::Hold {
                buyer_id,
                lines,
                payment,
            } => Command::PlaceHold(PlaceHold {
                hold_id: HoldId(self.next_id()),
                buyer_id,
                lines: lines.into(),
                payment,
                package: None,
                key: Some(key),
            }),
            Wish::Start(hold) => Command::StartPayment(StartPayment {
                hold_id: hold.hold_id,
                buyer_id: hold.buyer_id,
                gateway: Gateway::Simulated,
                key: Some(key),
            }),
            Wish::Pay(hold) => Command::ConfirmHold(Box::new(self.payment(&hold, Some(key)))),
            Wish::Late(hold) => Command::ReclaimHold(Box::new(ReclaimHold {
                confirm: self.payment(&hold, None),
                lines: hold.lines,
                pending_since: hold.at,
            })),
            Wish::Decline(hold) => release(&hold, ReleaseReason::PaymentDeclined, Some(key)),
            Wish::GiveBack(hold) => release(&hold, ReleaseReason::Buyer, None),
            Wish::Extend(hold) => Command::ExtendHold {
                hold_id: hold.hold_id,
                buyer_id: hold.buyer_id,
            },
            Wish::Cancel(order_id, buyer_id) => Command::CancelOrder {
                order_id,
                by: CancelledBy::Buyer(buyer_id),
            },
            Wish::Refund(order_id, tickets) => Command::RefundTickets(Box::new(RefundTickets {
                refund_id: RefundId(self.next_id()),
                order_id,
                tickets,
                key: Some(key),
            })),
            Wish::Give(ticket, to) => Command::TransferTicket(TransferTicket {
                ticket_id: ticket.ticket_id,
                from: ticket.owner,
                to,
                code: self.next_code(),
                key: Some(key),
            }),
            Wish::Scan(presented, gate, direction) => Command::ScanTicket(Box::new(ScanTicket {
                presented,
                gate: gate.to_owned(),
                direction,
                scan: ScanDigest(key.key.0),
                scanned_at: None,
            })),
        }
    }

    fn payment(&mut self, hold: &HoldPlaced, key: Option<KeyBinding>) -> ConfirmHold {
        let quantity: u32 = hold.lines.iter().map(|line| line.quantity).sum();
        let paid = hold.total().filter(|total| total.amount_minor > 0);
        ConfirmHold {
            hold_id: hold.hold_id,
            buyer_id: hold.buyer_id,
            payment: paid.map(|amount| PaymentAuthorization {
                gateway: Gateway::Simulated,
                reference: "authorization".to_owned(),
                amount,
            }),
            tickets: (0..quantity)
                .map(|_| (TicketId(self.next_id()), self.next_code()))
                .collect(),
            package_order_id: None,
            key,
        }
    }

    fn next_code(&mut self) -> TicketCode {
        self.ids += 1;
        let mut code = [0; 10];
        code[..8].copy_from_slice(&self.ids.to_be_bytes());
        TicketCode(code)
    }

    fn next_id(&mut self) -> Uuid {
        self.ids += 1;
        ids(self.ids)
    }

    /// The key that an answer to this request must stand under.
    pub(crate) fn key_of(&self, index: usize) -> Option<KeyBinding> {
        let request = &self.requests[index];
        match request.wish {
            Wish::Hold { .. }
            | Wish::Start(_)
            | Wish::Pay(_)
            | Wish::Decline(_)
            | Wish::Refund(..)
            | Wish::Give(..) => Some(request.key),
            Wish::GiveBack(_) | Wish::Extend(_) | Wish::Late(_) | Wish::Cancel(..) | Wish::Scan(..) => None,
        }
    }

    /// A sending came to nothing: its owner died, or the answer was lost.
    pub(crate) fn lose(&mut self, index: usize) {
        let request = &mut self.requests[index];
        request.in_flight = request.in_flight.saturating_sub(1);
    }

    pub(crate) fn receive(&mut self, index: usize, answer: &Answer) {
        self.lose(index);
        self.requests[index].answered = true;
        let Answer::Recorded(record) = answer else { return };
        match &**record {
            Record::HoldPlaced(hold) => self.holds.push(hold.clone()),
            Record::HoldConfirmed(order) | Record::HoldReclaimed(order) => self.know(order),
            Record::TicketTransferred(given) => {
                let is_given = |ticket: &&mut Known| ticket.ticket_id == given.ticket_id;
                if let Some(ticket) = self.tickets.iter_mut().find(is_given) {
                    ticket.owner = given.to;
                    ticket.code = given.code;
                    ticket.version = given.version;
                }
            }
            _ => {}
        }
    }

    fn know(&mut self, order: &HoldConfirmed) {
        let order_id = OrderId::from(order.hold_id);
        self.orders.push((order_id, order.buyer_id));
        self.tickets.extend(order.tickets.iter().map(|ticket| Known {
            ticket_id: ticket.id,
            order_id,
            owner: order.buyer_id,
            code: ticket.code,
            version: 1,
        }));
    }

    /// Requests without an answer.
    pub(crate) fn open(&self) -> Vec<usize> {
        (0..self.requests.len())
            .filter(|index| !self.requests[*index].answered)
            .collect()
    }
}

fn buyer(rng: &mut Rng) -> BuyerId {
    BuyerId(Uuid::from_u128(1 + rng.below(BUYERS) as u128))
}

fn release(hold: &HoldPlaced, reason: ReleaseReason, key: Option<KeyBinding>) -> Command {
    Command::ReleaseHold {
        hold_id: hold.hold_id,
        buyer_id: hold.buyer_id,
        reason,
        key,
    }
}
