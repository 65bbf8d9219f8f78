//! A naive model of one event's sale: plain lists, everything counted again for each question, no code shared with
//! the inventory beyond the types of commands, records and refusals.

#[path = "reference/buyers.rs"]
mod buyers;
#[path = "reference/note.rs"]
mod note;
#[path = "reference/orders.rs"]
mod orders;
#[path = "reference/payments.rs"]
mod payments;
#[path = "reference/staff.rs"]
mod staff;
#[path = "reference/tickets.rs"]
mod tickets;

use onsale_domain::inventory::PendingPayment;
use onsale_domain::record::{KeyBinding, Line};
use onsale_domain::{
    BuyerId, Command, Decision, EventDetails, EventStatus, HoldId, Money, PackageOrderId, Quota, QuotaId,
    Record, Refusal, Sequence, TicketStatus, TicketType, TicketTypeId, UnixMillis,
};
pub(crate) use tickets::{Issued, Scan};

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
    /// As they were placed.
    pub(crate) lines: Vec<Line>,
    pub(crate) placed: i64,
    pub(crate) ends: i64,
    pub(crate) state: State,
    /// While it is live.
    pub(crate) payment: Option<PendingPayment>,
    pub(crate) package: Option<PackageOrderId>,
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
    /// Every ticket, in the order of issuing.
    pub(crate) tickets: Vec<Issued>,
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
        self.left_in(state)
            .filter(|line| self.type_of(line.ticket_type_id).unwrap().quota_id == quota)
            .map(|line| line.quantity)
            .sum()
    }

    pub(crate) fn type_units(&self, id: TicketTypeId, state: State) -> u32 {
        self.left_in(state)
            .filter(|line| line.ticket_type_id == id)
            .map(|line| line.quantity)
            .sum()
    }

    fn left_in(&self, state: State) -> impl Iterator<Item = Line> {
        self.holdings
            .iter()
            .filter(move |holding| holding.state == state)
            .flat_map(|holding| self.left_of(holding))
    }

    /// Its lines without the tickets that were refunded.
    pub(crate) fn left_of(&self, holding: &Holding) -> Vec<Line> {
        let mut lines = holding.lines.clone();
        for ticket in &self.tickets {
            if ticket.order == holding.id && ticket.status == TicketStatus::Refunded {
                let of_type = |line: &&mut Line| line.ticket_type_id == ticket.ticket_type;
                lines.iter_mut().find(of_type).unwrap().quantity -= 1;
            }
        }
        lines.retain(|line| line.quantity > 0);
        lines
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
            .flat_map(|holding| self.left_of(holding));
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
        let mut starts = false;
        let (binding, of_hold) = match command {
            Command::ScanTicket(scan) => return Ok(self.scanned_before(scan)),
            Command::PlaceHold(place) => (place.key, None),
            Command::RefundTickets(refund) => (refund.key, None),
            Command::TransferTicket(transfer) => (transfer.key, None),
            Command::StartPayment(start) => {
                starts = true;
                (start.key, Some(start.hold_id))
            }
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
        if answer.binding.body != binding.body || of_hold.is_some_and(|hold| hold != answer.hold) {
            return Err(Refusal::KeyReused);
        }
        Ok((of_hold.is_none() || starts || !answer.is_placing).then_some(answer.seq))
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
            } => self.release((*hold_id, *buyer_id), *reason, *key, at),
            Command::ConfirmHold(confirm) => self.confirm(confirm, at),
            Command::CancelOrder { order_id, by } => self.cancel(*order_id, *by, at),
            Command::StartPayment(start) => self.start(start, at),
            Command::ReclaimHold(reclaim) => self.reclaim(reclaim, at),
            Command::RefundTickets(refund) => self.refund(refund, at),
            Command::TransferTicket(transfer) => self.transfer(transfer, at),
            Command::ScanTicket(scan) => self.scan(scan, at),
        }
    }

    pub(crate) fn total(&self, lines: &[Line]) -> Money {
        Money {
            amount_minor: lines
                .iter()
                .map(|line| unit_total(line) * i64::from(line.quantity))
                .sum(),
            currency: self.event().details.currency,
        }
    }
}

/// What one ticket costs: tax that comes on top is rounded half up.
fn unit_total(line: &Line) -> i64 {
    let net = line.unit_price_minor + line.unit_fee_minor;
    if line.tax.inclusive {
        return net;
    }
    let exact = net * i64::from(line.tax.basis_points);
    net + exact / 10_000 + i64::from(exact % 10_000 >= 5_000)
}
