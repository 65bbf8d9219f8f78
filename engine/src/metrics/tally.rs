//! What was committed, counted: the numbers of the business, before Postgres has them.

use metrics::{Counter, counter};
use onsale_domain::Record;
use onsale_domain::money::Currency;
use onsale_domain::record::TicketsRefunded;

use super::{COMMITTED_RECORDS_TOTAL, HOLDS_EXPIRED_TOTAL, SALES_MINOR_TOTAL, TICKETS_TOTAL};

/// Makes the list of names and the position of a record in it from one list, so that the two always agree.
macro_rules! kinds {
    ($($kind:ident => $name:literal,)+) => {
        /// Kinds of record, at the position that [`position`] gives them.
        const KINDS: [&str; [$($name),+].len()] = [$($name),+];

        const fn position(record: &Record) -> usize {
            enum Position {
                $($kind),+
            }
            let position = match record {
                $(Record::$kind { .. } => Position::$kind,)+
            };
            position as usize
        }
    };
}

kinds! {
    EventCreated => "event_created",
    EventEdited => "event_edited",
    QuotaSet => "quota_set",
    TicketTypeSet => "ticket_type_set",
    StatusChanged => "status_changed",
    HoldPlaced => "hold_placed",
    HoldExtended => "hold_extended",
    HoldReleased => "hold_released",
    HoldsExpired => "holds_expired",
    HoldConfirmed => "hold_confirmed",
    OrderCancelled => "order_cancelled",
    PaymentStarted => "payment_started",
    HoldReclaimed => "hold_reclaimed",
    TicketsRefunded => "tickets_refunded",
    TicketTransferred => "ticket_transferred",
    TicketScanned => "ticket_scanned",
}

/// The counters of one lane; all lanes count into the same metrics.
pub(crate) struct Tally {
    records: [Counter; KINDS.len()],
    expired: Counter,
    sold: Counter,
    cancelled: Counter,
    refunded: Counter,
    /// By currency; one process sells in few.
    sales: Vec<(Currency, Counter)>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            records: KINDS.map(|kind| counter!(COMMITTED_RECORDS_TOTAL.name, "record" => kind)),
            expired: counter!(HOLDS_EXPIRED_TOTAL.name),
            sold: counter!(TICKETS_TOTAL.name, "change" => "sold"),
            cancelled: counter!(TICKETS_TOTAL.name, "change" => "cancelled"),
            refunded: counter!(TICKETS_TOTAL.name, "change" => "refunded"),
            sales: Vec::new(),
        }
    }

    /// Counts records that were committed just now.
    pub(crate) fn count<'a>(&mut self, records: impl Iterator<Item = &'a Record>) {
        let mut kinds = [0_u64; KINDS.len()];
        for record in records {
            kinds[position(record)] += 1;
            match record {
                Record::HoldsExpired { holds, .. } => self.expired.increment(number(holds.len())),
                Record::HoldConfirmed(order) | Record::HoldReclaimed(order) => {
                    self.sold.increment(number(order.tickets.len()));
                    self.sales_of(order.total.currency)
                        .increment(u64::try_from(order.total.amount_minor).unwrap_or(0));
                }
                Record::OrderCancelled { lines, .. } => {
                    let units = lines.iter().map(|line| u64::from(line.quantity)).sum();
                    self.cancelled.increment(units);
                }
                Record::TicketsRefunded(TicketsRefunded { tickets, .. }) => {
                    self.refunded.increment(number(tickets.len()));
                }
                Record::EventCreated { .. }
                | Record::EventEdited { .. }
                | Record::QuotaSet { .. }
                | Record::TicketTypeSet { .. }
                | Record::StatusChanged { .. }
                | Record::HoldPlaced(_)
                | Record::HoldExtended { .. }
                | Record::HoldReleased(_)
                | Record::PaymentStarted(_)
                | Record::TicketTransferred(_)
                | Record::TicketScanned(_) => {}
            }
        }
        // One addition for each kind and commit, not for each record.
        for (counter, counted) in self.records.iter().zip(kinds) {
            if counted > 0 {
                counter.increment(counted);
            }
        }
    }

    fn sales_of(&mut self, currency: Currency) -> &Counter {
        let known = self.sales.iter().position(|(known, _)| *known == currency);
        let index = known.unwrap_or_else(|| {
            let counter = counter!(SALES_MINOR_TOTAL.name, "currency" => currency.code());
            self.sales.push((currency, counter));
            self.sales.len() - 1
        });
        &self.sales[index].1
    }
}

fn number(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
