//! A naive model of one event's sale: plain lists, everything counted again for each question, no code shared with
//! the inventory beyond the types of commands, records and refusals.

#[path = "reference/buyers.rs"]
mod buyers;
#[path = "reference/note.rs"]
mod note;
#[path = "reference/staff.rs"]
mod staff;

use onsale_domain::record::{HoldReleased, KeyBinding, Line};
use onsale_domain::{
    BuyerId, Command, Decision, EventDetails, EventStatus, HoldId, Money, Quota, QuotaId, Record, Refusal,
    Sequence, TicketType, TicketTypeId, UnixMillis,
};

const DAY: i64 = 24 * 3_600_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Live,
    Released,
    Expired,
    Sold,
    Cancelled,
}

/// Everything that was ever held, in the order of placing.
#[derive(Clone, Debug)]
pub(crate) struct Holding {
    pub(crate) id: HoldId,
    pub(crate) buyer: BuyerId,
    pub(crate) lines: Vec<Line>,
    pub(crate) placed: i64,
    pub(crate) ends: i64,
    pub(crate) state: State,
}

#[derive(Clone, Debug)]
struct Answer {
    binding: KeyBinding,
    hold: HoldId,
    seq: Sequence,
    at: i64,
    is_placing: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) version: Sequence,
    pub(crate) status: EventStatus,
    pub(crate) details: EventDetails,
    pub(crate) types: Vec<TicketType>,
    pub(crate) quotas: Vec<Quota>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Reference {
    pub(crate) event: Option<Event>,
    pub(crate) journal: Vec<Record>,
    pub(crate) holdings: Vec<Holding>,
    answers: Vec<Answer>,
}

type Wanted = Result<Option<Record>, Refusal>;

impl Reference {
    pub(crate) fn apply(&mut self, command: &Command, now: i64) -> Result<Decision, Refusal> {
        if self.event.is_none() && !matches!(command, Command::CreateEvent { .. }) {
            return Err(Refusal::EventNotFound);
        }
        if let Some(seq) = self.answered(command, now)? {
            return Ok(Decision::Replayed(seq));
        }
        let due = self.due(now).map(|to| Record::StatusChanged {
            at: UnixMillis(now),
            to,
        });
        let wanted = match command {
            Command::Advance => self.expiry(now),
            other => {
                let Some(record) = self.decide(other, now)? else {
                    return Ok(Decision::Unchanged);
                };
                Some(record)
            }
        };
        let mut records: Vec<Record> = due.into_iter().chain(wanted).collect();
        records.dedup();
        if records.is_empty() {
            return Ok(Decision::Unchanged);
        }
        for record in &records {
            self.note(record);
        }
        Ok(Decision::Recorded(records.into()))
    }

    /// Sums the quantities in one state that a quota has given out.
    pub(crate) fn units(&self, quota: QuotaId, state: State) -> u32 {
        let lines = self
            .holdings
            .iter()
            .filter(|holding| holding.state == state)
            .flat_map(|holding| &holding.lines);
        lines
            .filter(|line| self.type_of(line.ticket_type_id).unwrap().quota_id == quota)
            .map(|line| line.quantity)
            .sum()
    }

    pub(crate) fn type_units(&self, id: TicketTypeId, state: State) -> u32 {
        let lines = self
            .holdings
            .iter()
            .filter(|holding| holding.state == state)
            .flat_map(|holding| &holding.lines);
        lines
            .filter(|line| line.ticket_type_id == id)
            .map(|line| line.quantity)
            .sum()
    }

    pub(crate) fn holding(&self, id: HoldId) -> Option<&Holding> {
        self.holdings.iter().find(|holding| holding.id == id)
    }

    pub(crate) fn next_end(&self) -> Option<UnixMillis> {
        let live = self
            .holdings
            .iter()
            .filter(|holding| holding.state == State::Live);
        live.map(|holding| UnixMillis(holding.ends)).min()
    }

    pub(crate) fn live_tickets(&self, buyer: BuyerId) -> u32 {
        let counted =
            |holding: &&Holding| holding.buyer == buyer && matches!(holding.state, State::Live | State::Sold);
        let lines = self
            .holdings
            .iter()
            .filter(counted)
            .flat_map(|holding| &holding.lines);
        lines.map(|line| line.quantity).sum()
    }

    fn event(&self) -> &Event {
        self.event.as_ref().unwrap()
    }

    fn type_of(&self, id: TicketTypeId) -> Option<&TicketType> {
        self.event().types.iter().find(|ticket_type| ticket_type.id == id)
    }

    fn due(&self, now: i64) -> Option<EventStatus> {
        let event = self.event.as_ref()?;
        let opens = event.details.sales_window.opens_at.0;
        let closes = event.details.sales_window.closes_at.0;
        let to = match event.status {
            EventStatus::Published | EventStatus::OnSale | EventStatus::Paused if now >= closes => {
                EventStatus::Closed
            }
            EventStatus::Published if now >= opens => EventStatus::OnSale,
            status => status,
        };
        (to != event.status).then_some(to)
    }

    fn answered(&self, command: &Command, now: i64) -> Result<Option<Sequence>, Refusal> {
        let (binding, settles) = match command {
            Command::PlaceHold(place) => (place.key, None),
            Command::ConfirmHold(confirm) => (confirm.key, Some(confirm.hold_id)),
            Command::ReleaseHold { hold_id, key, .. } => (*key, Some(*hold_id)),
            _ => (None, None),
        };
        let Some(binding) = binding else { return Ok(None) };
        let found = self
            .answers
            .iter()
            .rfind(|answer| answer.binding.key == binding.key && now - answer.at < DAY);
        let Some(answer) = found else { return Ok(None) };
        if answer.binding.body != binding.body || settles.is_some_and(|hold| hold != answer.hold) {
            return Err(Refusal::KeyReused);
        }
        Ok((settles.is_none() || !answer.is_placing).then_some(answer.seq))
    }

    fn decide(&self, command: &Command, now: i64) -> Wanted {
        let at = UnixMillis(now);
        match command {
            Command::Advance => Ok(None),
            Command::CreateEvent { event_id, details } => self.create(*event_id, details, at),
            Command::EditEvent {
                details,
                expected_version,
            } => self.edit(details, *expected_version, at),
            Command::SetQuota {
                quota,
                expected_version,
            } => self.set_quota(quota, *expected_version, at),
            Command::SetTicketType {
                ticket_type,
                expected_version,
            } => self.set_type(ticket_type, *expected_version, at),
            Command::ChangeStatus { to, expected_version } => self.change_status(*to, *expected_version, at),
            Command::PlaceHold(place) => self.place(place, now),
            Command::ExtendHold { hold_id, buyer_id } => self.extend(*hold_id, *buyer_id, now),
            Command::ReleaseHold {
                hold_id,
                buyer_id,
                reason,
                key,
            } => {
                let lines = match self.live(*hold_id, *buyer_id) {
                    Ok(holding) => holding.lines.clone().into(),
                    Err(Refusal::HoldReleased | Refusal::HoldExpired) => return Ok(None),
                    Err(other) => return Err(other),
                };
                let (hold_id, buyer_id, reason, key) = (*hold_id, *buyer_id, *reason, *key);
                Ok(Some(Record::HoldReleased(HoldReleased {
                    at,
                    hold_id,
                    buyer_id,
                    lines,
                    reason,
                    key,
                })))
            }
            Command::ConfirmHold(confirm) => self.confirm(confirm, at),
            Command::CancelOrder { order_id, buyer_id } => self.cancel(*order_id, *buyer_id, at),
        }
    }

    pub(crate) fn total(&self, holding: &Holding) -> Money {
        let amount_minor = holding
            .lines
            .iter()
            .map(|line| line.unit_price_minor * i64::from(line.quantity))
            .sum();
        Money {
            amount_minor,
            currency: self.event().details.currency,
        }
    }
}
