//! Folding records into the state: the only code that changes it.
//!
//! Every arm checks what it takes and gives with checked arithmetic, so conservation (I1, I2) holds after each
//! record or the fold answers a [`Violation`].

mod orders;
mod tickets;
mod units;

use std::sync::Arc;

use self::units::Count;
use super::Violation;
use super::state::{EndedHold, Hold, HoldEnd, Inventory, KeyEntry, KeyStage, PendingPayment, Units};
use crate::definition::{EventDefinition, EventDetails, Quota, TicketType};
use crate::id::BodyDigest;
use crate::limits::KEY_RETENTION_MS;
use crate::record::{HoldPlaced, HoldReleased, KeyBinding, PaymentStarted, ReleaseReason};
use crate::{EventId, EventStatus, Gateway, HoldId, OrderId, Record, Sequence, UnixMillis};

impl Inventory {
    pub(super) fn fold(&mut self, record: &Record) -> Result<(), Violation> {
        let seq = self.seq + 1;
        match record {
            Record::EventCreated {
                event_id, details, ..
            } => self.fold_created(*event_id, details, seq)?,
            Record::EventEdited { details, .. } => {
                self.define(seq, |definition| definition.details = details.clone())?;
            }
            Record::QuotaSet { quota, .. } => self.fold_quota(quota, seq)?,
            Record::TicketTypeSet { ticket_type, .. } => self.fold_ticket_type(ticket_type, seq)?,
            Record::StatusChanged { to, .. } => self.fold_status(*to, seq)?,
            Record::HoldPlaced(record) => self.fold_placed(record, seq)?,
            Record::HoldExtended {
                hold_id, expires_at, ..
            } => self.fold_extended(*hold_id, *expires_at)?,
            Record::HoldReleased(record) => self.fold_released(record, seq)?,
            Record::HoldsExpired { holds, .. } => {
                for expired in holds {
                    self.end_hold(expired.hold_id, HoldEnd::Expired)?;
                }
            }
            Record::HoldConfirmed(record) => self.fold_confirmed(record, seq)?,
            Record::OrderCancelled { order_id, .. } => self.fold_cancelled(*order_id)?,
            Record::PaymentStarted(record) => self.fold_payment_started(record, seq)?,
            Record::HoldReclaimed(record) => self.fold_reclaimed(record, seq)?,
            Record::TicketsRefunded(record) => self.fold_refunded(record, seq)?,
            Record::TicketTransferred(record) => self.fold_transferred(record, seq)?,
            Record::TicketScanned(record) => self.fold_scanned(record, seq)?,
        }
        self.seq = seq;
        self.sweep(record.at());
        Ok(())
    }

    fn fold_created(
        &mut self,
        event_id: EventId,
        details: &EventDetails,
        seq: Sequence,
    ) -> Result<(), Violation> {
        if self.definition.is_some() || self.seq != 0 {
            return Err(Violation::state("an event is created once, by its first record"));
        }
        self.definition = Some(Arc::new(EventDefinition {
            event_id,
            version: seq,
            status: EventStatus::Draft,
            details: details.clone(),
            ticket_types: Vec::new(),
            quotas: Vec::new(),
        }));
        Ok(())
    }

    fn define(&mut self, seq: Sequence, edit: impl FnOnce(&mut EventDefinition)) -> Result<(), Violation> {
        let definition = self
            .definition
            .as_mut()
            .ok_or(Violation::state("the event was not created"))?;
        let definition = Arc::make_mut(definition);
        edit(definition);
        definition.version = seq;
        Ok(())
    }

    fn fold_quota(&mut self, quota: &Quota, seq: Sequence) -> Result<(), Violation> {
        let mut position = self.quota_units.len();
        self.define(seq, |definition| match definition.quota_position(quota.id) {
            Some(present) => {
                position = present;
                definition.quotas[present] = quota.clone();
            }
            None => definition.quotas.push(quota.clone()),
        })?;
        if position == self.quota_units.len() {
            self.quota_units.push(Units::default());
        }
        self.check_conservation(position)
    }

    fn fold_ticket_type(&mut self, ticket_type: &TicketType, seq: Sequence) -> Result<(), Violation> {
        let mut added = false;
        self.define(seq, |definition| {
            if let Some((present, _)) = definition.ticket_type(ticket_type.id) {
                definition.ticket_types[present] = ticket_type.clone();
            } else {
                added = true;
                definition.ticket_types.push(ticket_type.clone());
            }
        })?;
        if added {
            self.ticket_type_units.push(Units::default());
        }
        Ok(())
    }

    fn fold_status(&mut self, to: EventStatus, seq: Sequence) -> Result<(), Violation> {
        let from = self.definition.as_ref().map(|definition| definition.status);
        if !from.is_some_and(|from| from.may_become(to)) {
            return Err(Violation::state("the table of states has no such arrow"));
        }
        self.define(seq, |definition| definition.status = to)
    }

    fn fold_placed(&mut self, record: &HoldPlaced, seq: Sequence) -> Result<(), Violation> {
        let lines = self
            .held_lines(&record.lines)
            .ok_or(Violation::state("a line of an unknown ticket type"))?;
        self.add_units(&lines, Count::Held)?;
        let quantity = lines.iter().map(|line| line.quantity).sum();
        self.credit_buyer(record.buyer_id, quantity)?;
        self.deadlines.insert((record.expires_at, record.hold_id));
        let hold = Hold {
            buyer_id: record.buyer_id,
            lines,
            placed_at: record.at,
            expires_at: record.expires_at,
        };
        if self.holds.insert(record.hold_id, hold).is_some() {
            return Err(Violation::state("two holds have one id"));
        }
        if let Some(gateway) = record.payment {
            self.begin_payment(record.hold_id, gateway, record.at, record.key);
        }
        if let Some(package_order_id) = record.package_order_id {
            self.package_legs.insert(record.hold_id, package_order_id);
        }
        self.remember_key(record.key, |body| KeyEntry {
            body,
            hold_id: record.hold_id,
            seq,
            stage: KeyStage::Placed,
            at: record.at,
        });
        Ok(())
    }

    fn begin_payment(
        &mut self,
        hold_id: HoldId,
        gateway: Gateway,
        started_at: UnixMillis,
        key: Option<KeyBinding>,
    ) {
        let pending = PendingPayment {
            gateway,
            started_at,
            key,
        };
        self.payments.insert(hold_id, pending);
    }

    fn fold_payment_started(&mut self, record: &PaymentStarted, seq: Sequence) -> Result<(), Violation> {
        if self.payments.contains_key(&record.hold_id) {
            return Err(Violation::state("a payment of the hold is under way"));
        }
        self.fold_extended(record.hold_id, record.expires_at)?;
        self.begin_payment(record.hold_id, record.gateway, record.at, record.key);
        self.remember_key(record.key, |body| KeyEntry {
            body,
            hold_id: record.hold_id,
            seq,
            stage: KeyStage::Placed,
            at: record.at,
        });
        Ok(())
    }

    fn fold_extended(&mut self, hold_id: HoldId, expires_at: UnixMillis) -> Result<(), Violation> {
        let hold = self
            .holds
            .get_mut(&hold_id)
            .ok_or(Violation::state("only a live hold can be extended"))?;
        self.deadlines.remove(&(hold.expires_at, hold_id));
        hold.expires_at = expires_at;
        self.deadlines.insert((expires_at, hold_id));
        Ok(())
    }

    fn fold_released(&mut self, record: &HoldReleased, seq: Sequence) -> Result<(), Violation> {
        self.end_hold(record.hold_id, HoldEnd::Released)?;
        match (record.reason, record.key) {
            // The attempt was cut off by the provider, not decided: the same key may try again.
            (ReleaseReason::PaymentUnavailable, Some(binding)) => {
                self.keys.swap_remove(&binding.key);
            }
            (_, key) => self.remember_key(key, |body| KeyEntry {
                body,
                hold_id: record.hold_id,
                seq,
                stage: KeyStage::Settled,
                at: record.at,
            }),
        }
        Ok(())
    }

    fn end_hold(&mut self, hold_id: HoldId, end: HoldEnd) -> Result<(), Violation> {
        let hold = self.take_hold(hold_id)?;
        self.remove_units(&hold.lines, Count::Held)?;
        self.debit_buyer(hold.buyer_id, hold.quantity())?;
        let buyer_id = hold.buyer_id;
        self.ended_holds.insert(hold_id, EndedHold { buyer_id, end });
        Ok(())
    }

    fn take_hold(&mut self, hold_id: HoldId) -> Result<Hold, Violation> {
        let hold = self
            .holds
            .swap_remove(&hold_id)
            .ok_or(Violation::state("the hold is not live"))?;
        self.deadlines.remove(&(hold.expires_at, hold_id));
        self.payments.swap_remove(&hold_id);
        Ok(hold)
    }

    fn remember_key(&mut self, binding: Option<KeyBinding>, entry: impl FnOnce(BodyDigest) -> KeyEntry) {
        if let Some(KeyBinding { key, body }) = binding {
            self.keys.insert(key, entry(body));
        }
    }

    /// Forgets outdated keys and ended holds whenever their number has doubled, so that the cost stays constant for
    /// each record. Keys that are swept were treated as forgotten already; an ended hold is unknown from its sweep on.
    fn sweep(&mut self, now: UnixMillis) {
        const SWEEP_MIN: usize = 4_096;
        let remembered = self.keys.len() + self.ended_holds.len();
        if remembered <= self.sweep_at.max(SWEEP_MIN) {
            return;
        }
        self.keys
            .retain(|_, entry| now.ms_since(entry.at) < KEY_RETENTION_MS);
        self.ended_holds
            .retain(|hold_id, _| now.ms_since(hold_id.made_at()) < 2 * KEY_RETENTION_MS);
        let (holds, ended_holds, orders) = (&self.holds, &self.ended_holds, &self.orders);
        self.package_legs.retain(|hold_id, _| {
            holds.contains_key(hold_id)
                || ended_holds.contains_key(hold_id)
                || orders.contains_key(&OrderId::from(*hold_id))
        });
        self.sweep_at = 2 * (self.keys.len() + self.ended_holds.len());
    }
}
