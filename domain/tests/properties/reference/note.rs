//! Noting records in the lists.

use onsale_domain::record::{KeyBinding, ReleaseReason};
use onsale_domain::{EventStatus, HoldId, Record, Sequence, UnixMillis};

use super::{Answer, Event, Holding, Reference, State};

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
            Record::HoldPlaced(placed) => {
                self.holdings.push(Holding {
                    id: placed.hold_id,
                    buyer: placed.buyer_id,
                    lines: placed.lines.to_vec(),
                    placed: placed.at.0,
                    ends: placed.expires_at.0,
                    state: State::Live,
                });
                self.note_answer(placed.key, placed.hold_id, placed.at, true);
            }
            Record::HoldExtended {
                hold_id, expires_at, ..
            } => self.find(*hold_id).ends = expires_at.0,
            Record::HoldReleased(released) => {
                self.find(released.hold_id).state = State::Released;
                if released.reason == ReleaseReason::PaymentUnavailable {
                    let forgotten = released.key.map(|binding| binding.key);
                    self.answers
                        .retain(|answer| Some(answer.binding.key) != forgotten);
                } else {
                    self.note_answer(released.key, released.hold_id, released.at, false);
                }
            }
            Record::HoldsExpired { holds, .. } => {
                for hold in holds {
                    self.find(hold.hold_id).state = State::Expired;
                }
            }
            Record::HoldConfirmed(order) => {
                self.find(order.hold_id).state = State::Sold;
                self.note_answer(order.key, order.hold_id, order.at, false);
            }
            Record::OrderCancelled { order_id, .. } => self.find((*order_id).into()).state = State::Cancelled,
        }
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
