//! Noting records in the lists.

use onsale_domain::inventory::PendingPayment;
use onsale_domain::record::{
    HoldConfirmed, HoldPlaced, HoldReleased, KeyBinding, PaymentStarted, ReleaseReason, TicketScanned,
};
use onsale_domain::{EventStatus, HoldId, Record, Sequence, TicketId, TicketStatus, UnixMillis};

use super::{Answer, Event, Holding, Issued, Reference, Scan, State};

impl Reference {
    /// Notes a record in the lists.
    pub(super) fn note(&mut self, record: &Record) {
        self.journal.push(record.clone());
        let seq = self.journal.len() as Sequence;
        match record {
            Record::EventCreated { details, .. } => {
                self.event = Some(Event {
                    version: seq,
                    status: EventStatus::Draft,
                    details: details.clone(),
                    types: Vec::new(),
                    quotas: Vec::new(),
                });
            }
            Record::EventEdited { details, .. } => self.edited(seq).details = details.clone(),
            Record::QuotaSet { quota, .. } => {
                let quotas = &mut self.edited(seq).quotas;
                match quotas.iter_mut().find(|present| present.id == quota.id) {
                    Some(present) => *present = quota.clone(),
                    None => quotas.push(quota.clone()),
                }
            }
            Record::TicketTypeSet { ticket_type, .. } => {
                let types = &mut self.edited(seq).types;
                match types.iter_mut().find(|present| present.id == ticket_type.id) {
                    Some(present) => *present = ticket_type.clone(),
                    None => types.push(ticket_type.clone()),
                }
            }
            Record::StatusChanged { to, .. } => self.edited(seq).status = *to,
            Record::HoldPlaced(placed) => self.note_placed(placed),
            Record::HoldExtended {
                hold_id, expires_at, ..
            } => self.find(*hold_id).ends = expires_at.0,
            Record::HoldReleased(released) => self.note_released(released),
            Record::HoldsExpired { holds, .. } => {
                for hold in holds {
                    self.end(hold.hold_id, State::Expired);
                }
            }
            Record::HoldConfirmed(order) | Record::HoldReclaimed(order) => self.note_order(order),
            Record::OrderCancelled { order_id, .. } => self.note_cancelled((*order_id).into()),
            Record::PaymentStarted(started) => self.note_started(started),
            Record::TicketsRefunded(refund) => {
                for id in &refund.tickets {
                    self.ticket(*id).status = TicketStatus::Refunded;
                }
                self.note_answer(refund.key, refund.order_id.into(), refund.at, false);
            }
            Record::TicketTransferred(transfer) => {
                let ticket = self.ticket(transfer.ticket_id);
                ticket.owner = transfer.to;
                ticket.codes.push(transfer.code);
                self.note_answer(transfer.key, transfer.order_id.into(), transfer.at, false);
            }
            Record::TicketScanned(scanned) => self.note_scanned(scanned, seq),
        }
    }

    fn note_cancelled(&mut self, id: HoldId) {
        self.end(id, State::Cancelled);
        for ticket in &mut self.tickets {
            let living = matches!(ticket.status, TicketStatus::Valid | TicketStatus::Used);
            if ticket.order == id && living {
                ticket.status = TicketStatus::Cancelled;
            }
        }
    }

    fn note_started(&mut self, started: &PaymentStarted) {
        let holding = self.find(started.hold_id);
        holding.ends = started.expires_at.0;
        holding.payment = Some(PendingPayment {
            gateway: started.gateway,
            started_at: started.at,
            key: started.key,
        });
        self.note_answer(started.key, started.hold_id, started.at, true);
    }

    fn note_scanned(&mut self, scanned: &TicketScanned, seq: Sequence) {
        let ticket = self.ticket(scanned.ticket_id);
        ticket.status = TicketStatus::Used;
        ticket.scans.push(Scan {
            digest: scanned.scan,
            direction: scanned.direction,
            gate: scanned.gate.clone(),
            at: scanned.scanned_at.0,
            seq,
        });
    }

    fn note_placed(&mut self, placed: &HoldPlaced) {
        self.holdings.push(Holding {
            id: placed.hold_id,
            buyer: placed.buyer_id,
            lines: placed.lines.to_vec(),
            placed: placed.at.0,
            ends: placed.expires_at.0,
            state: State::Live,
            payment: placed.payment.map(|gateway| PendingPayment {
                gateway,
                started_at: placed.at,
                key: placed.key,
            }),
            package: placed.package_order_id,
        });
        self.note_answer(placed.key, placed.hold_id, placed.at, true);
    }

    fn note_released(&mut self, released: &HoldReleased) {
        self.end(released.hold_id, State::Released);
        if released.reason == ReleaseReason::PaymentUnavailable {
            let forgotten = released.key.map(|binding| binding.key);
            self.answers
                .retain(|answer| Some(answer.binding.key) != forgotten);
        } else {
            self.note_answer(released.key, released.hold_id, released.at, false);
        }
    }

    fn note_order(&mut self, order: &HoldConfirmed) {
        self.end(order.hold_id, State::Sold);
        // A reclaim brings its lines along.
        self.find(order.hold_id).lines = order.lines.to_vec();
        self.tickets.extend(order.tickets.iter().map(|issued| Issued {
            id: issued.id,
            order: order.hold_id,
            ticket_type: issued.ticket_type_id,
            owner: order.buyer_id,
            codes: vec![issued.code],
            status: TicketStatus::Valid,
            scans: Vec::new(),
        }));
        self.note_answer(order.key, order.hold_id, order.at, false);
    }

    fn end(&mut self, id: HoldId, state: State) {
        let holding = self.find(id);
        holding.state = state;
        holding.payment = None;
    }

    fn ticket(&mut self, id: TicketId) -> &mut Issued {
        self.tickets.iter_mut().find(|ticket| ticket.id == id).unwrap()
    }

    pub(super) fn note_answer(
        &mut self,
        binding: Option<KeyBinding>,
        hold: HoldId,
        at: UnixMillis,
        is_placing: bool,
    ) {
        if let Some(binding) = binding {
            let seq = self.journal.len() as Sequence;
            self.answers.push(Answer {
                binding,
                hold,
                seq,
                at: at.0,
                is_placing,
            });
        }
    }

    pub(super) fn edited(&mut self, seq: Sequence) -> &mut Event {
        let event = self.event.as_mut().unwrap();
        event.version = seq;
        event
    }

    pub(super) fn find(&mut self, id: HoldId) -> &mut Holding {
        self.holdings.iter_mut().find(|holding| holding.id == id).unwrap()
    }
}
