//! Records in, row changes out. Pure: the same records always give the same changes.

use onsale_domain::codec::decode_records;
use onsale_domain::record::{ExpiredHold, HoldPlaced, HoldReleased, Line};
use onsale_domain::{EventId, EventStatus, HoldId, Record, Sequence, TicketTypeId, UnixMillis};
use onsale_engine::port::{JournalEntry, ProjectionError};

use super::changes::{Advance, ChangedHold, EventChange, HoldStatus, NewHold, RowChanges, UnitChange};

/// Folds entries into one change for each row.
///
/// Errors: [`ProjectionError::Damaged`] when the bytes are not records, or not as many as the entry says, or when
/// entries of an event do not follow each other.
pub(super) fn fold(entries: &[JournalEntry]) -> Result<RowChanges, ProjectionError> {
    let mut changes = RowChanges::default();
    for entry in entries {
        let damaged = |detail: String| {
            let JournalEntry {
                event_id, first_seq, ..
            } = entry;
            ProjectionError::Damaged(format!("event {event_id} at {first_seq}: {detail}"))
        };
        changes.advance(entry).map_err(damaged)?;
        let records = decode_records(&entry.payload).map_err(|error| damaged(error.to_string()))?;
        let seqs = entry.first_seq..=entry.last_seq;
        if usize::try_from(entry.last_seq - entry.first_seq + 1) != Ok(records.len()) {
            return Err(damaged(format!("{} records", records.len())));
        }
        for (seq, record) in seqs.zip(records) {
            changes
                .fold_record(entry.event_id, seq, record)
                .map_err(damaged)?;
        }
    }
    Ok(changes)
}

impl RowChanges {
    fn advance(&mut self, entry: &JournalEntry) -> Result<(), String> {
        if entry.first_seq == 0 || entry.last_seq < entry.first_seq {
            return Err("sequences out of order".to_owned());
        }
        let from = entry.first_seq - 1;
        let advance = self
            .watermarks
            .entry(entry.event_id)
            .or_insert(Advance { from, to: from });
        if advance.to != from {
            return Err(format!("follows {}", advance.to));
        }
        advance.to = entry.last_seq;
        Ok(())
    }

    fn fold_record(&mut self, event_id: EventId, seq: Sequence, record: Record) -> Result<(), String> {
        match record {
            Record::EventCreated { details, .. } => {
                let change = self.event(event_id, seq);
                change.details = Some(details);
                change.status = Some(EventStatus::Draft);
            }
            Record::EventEdited { details, .. } => {
                self.event(event_id, seq).details = Some(details);
            }
            Record::StatusChanged { to, .. } => self.event(event_id, seq).status = Some(to),
            Record::QuotaSet { quota, .. } => {
                self.event(event_id, seq);
                let key = (event_id, quota.id);
                let place = *self.index.quotas.entry(key).or_insert(self.quotas.len());
                put(&mut self.quotas, place, (event_id, quota));
            }
            Record::TicketTypeSet { ticket_type, .. } => {
                self.event(event_id, seq);
                let key = (event_id, ticket_type.id);
                let place = *self
                    .index
                    .ticket_types
                    .entry(key)
                    .or_insert(self.ticket_types.len());
                put(&mut self.ticket_types, place, (event_id, ticket_type));
            }
            Record::HoldPlaced(record) => self.place(event_id, seq, record)?,
            Record::HoldExtended {
                hold_id, expires_at, ..
            } => self.change_hold(event_id, hold_id, seq, None, Some(expires_at)),
            Record::HoldReleased(record) => self.release(event_id, seq, &record),
            Record::HoldsExpired { at, holds } => self.expire(event_id, seq, at, &holds),
            Record::PaymentStarted(record) => {
                self.change_hold(event_id, record.hold_id, seq, None, Some(record.expires_at));
                self.start_payment(event_id, seq, record)?;
            }
            Record::HoldConfirmed(record) => {
                let status = Some(HoldStatus::Confirmed);
                self.change_hold(event_id, record.hold_id, seq, status, None);
                self.add_units(event_id, &record.lines, -1, 1);
                self.confirm(event_id, seq, record)?;
            }
            Record::HoldReclaimed(record) => {
                let status = Some(HoldStatus::Confirmed);
                self.change_hold(event_id, record.hold_id, seq, status, None);
                self.add_units(event_id, &record.lines, 0, 1);
                self.confirm(event_id, seq, record)?;
            }
            Record::OrderCancelled {
                at, order_id, lines, ..
            } => {
                self.add_units(event_id, &lines, 0, -1);
                self.cancel(event_id, order_id, seq, at);
            }
            Record::TicketsRefunded(record) => {
                self.add_units(event_id, &record.lines, 0, -1);
                self.refund(event_id, seq, record);
            }
            Record::TicketTransferred(record) => self.transfer(event_id, seq, record),
            Record::TicketScanned(record) => self.scan(event_id, seq, record),
        }
        Ok(())
    }

    fn event(&mut self, event_id: EventId, seq: Sequence) -> &mut EventChange {
        let change = self.events.entry(event_id).or_default();
        change.version = seq;
        change
    }

    fn expire(&mut self, event_id: EventId, seq: Sequence, at: UnixMillis, holds: &[ExpiredHold]) {
        for hold in holds {
            let status = Some(HoldStatus::Expired);
            self.change_hold(event_id, hold.hold_id, seq, status, None);
            self.add_units(event_id, &hold.lines, -1, 0);
            if hold.payment.is_some() {
                self.expire_order(event_id, hold.hold_id.into(), seq, at);
            }
        }
    }

    fn release(&mut self, event_id: EventId, seq: Sequence, record: &HoldReleased) {
        let status = Some(HoldStatus::Released);
        self.change_hold(event_id, record.hold_id, seq, status, None);
        self.add_units(event_id, &record.lines, -1, 0);
        if record.payment.is_some() {
            self.give_up_order(event_id, record.hold_id.into(), seq, record);
        }
    }

    fn place(&mut self, event_id: EventId, seq: Sequence, record: HoldPlaced) -> Result<(), String> {
        let total = record.total().ok_or("the total of a hold overflows")?;
        if record.payment.is_some() {
            self.place_order(event_id, seq, &record)?;
        }
        self.add_units(event_id, &record.lines, 1, 0);
        let place = self.new_holds.len();
        if self
            .index
            .new_holds
            .insert((event_id, record.hold_id), place)
            .is_some()
        {
            return Err(format!("hold {} is placed twice", record.hold_id));
        }
        self.new_holds.push(NewHold {
            event_id,
            hold_id: record.hold_id,
            buyer_id: record.buyer_id,
            status: HoldStatus::Held,
            lines: record.lines,
            total,
            placed_at: record.at,
            expires_at: record.expires_at,
            seq,
        });
        Ok(())
    }

    pub(super) fn change_hold(
        &mut self,
        event_id: EventId,
        hold_id: HoldId,
        seq: Sequence,
        status: Option<HoldStatus>,
        expires_at: Option<UnixMillis>,
    ) {
        let key = (event_id, hold_id);
        if let Some(place) = self.index.new_holds.get(&key) {
            let hold = &mut self.new_holds[*place];
            hold.status = status.unwrap_or(hold.status);
            hold.expires_at = expires_at.unwrap_or(hold.expires_at);
            hold.seq = seq;
        } else if let Some(place) = self.index.changed_holds.get(&key) {
            let hold = &mut self.changed_holds[*place];
            hold.status = status.or(hold.status);
            hold.expires_at = expires_at.or(hold.expires_at);
            hold.seq = seq;
        } else {
            self.index.changed_holds.insert(key, self.changed_holds.len());
            self.changed_holds.push(ChangedHold {
                event_id,
                hold_id,
                status,
                expires_at,
                seq,
            });
        }
    }

    /// Adds the lines' quantities, `held` and `sold` times, to the counters.
    pub(super) fn add_units(&mut self, event_id: EventId, lines: &[Line], held: i64, sold: i64) {
        for line in lines {
            let key: (EventId, TicketTypeId) = (event_id, line.ticket_type_id);
            let units: &mut UnitChange = self.units.entry(key).or_default();
            units.held += held * i64::from(line.quantity);
            units.sold += sold * i64::from(line.quantity);
        }
    }
}

/// Replaces what stands at `place`, or appends.
fn put<T>(items: &mut Vec<T>, place: usize, item: T) {
    match items.get_mut(place) {
        Some(present) => *present = item,
        None => items.push(item),
    }
}

#[cfg(test)]
mod tests;
