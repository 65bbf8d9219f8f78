//! Confirmations, in time and late.

use onsale_domain::command::{ConfirmHold, ReclaimHold};
use onsale_domain::id::TicketCode;
use onsale_domain::money::Currency;
use onsale_domain::record::Line;
use onsale_domain::{Command, Money, TicketId, UnixMillis};

use super::super::common::*;
use super::super::reference::Reference;
use super::super::steps::{Action, LinesPick, Paying, Tickets};

impl Action {
    /// A confirmation with the total that the hold is known to have.
    pub(super) fn confirmation(&self, known: &Reference) -> Command {
        let (hold, asker, paying, tickets, package, wanted, key) = match self {
            Self::Confirm {
                hold,
                asker,
                paying,
                tickets,
                package,
                key,
            } => (hold, asker, paying, tickets, package, None, key),
            Self::Reclaim {
                hold,
                asker,
                paying,
                tickets,
                package,
                lines,
                key,
            } => (hold, asker, paying, tickets, package, Some(lines), key),
            other => panic!("{other:?} confirms nothing"),
        };
        let hold_id = hold.hold(known);
        let lines = known.holding(hold_id).map(|holding| holding.lines.clone());
        let mut lines: Vec<Line> = lines.unwrap_or_default();
        match wanted {
            Some(LinesPick::Twice) => lines.extend(lines.clone()),
            Some(LinesPick::OneUnitMore) => lines.iter_mut().for_each(|line| line.quantity += 1),
            Some(LinesPick::OfHold) | None => {}
        }
        let total = if known.event.is_some() {
            known.total(&lines)
        } else {
            euros(0)
        };
        let confirm = ConfirmHold {
            hold_id,
            buyer_id: asker.of(hold_id, known),
            payment: paying.amount(total).map(authorization),
            tickets: tickets.of(lines.iter().map(|line| line.quantity).sum(), known),
            package_order_id: package.of(hold_id, known),
            key: key.map(|key| key.binding(hold_id, known)),
        };
        match wanted {
            None => Command::ConfirmHold(Box::new(confirm)),
            Some(_) => Command::ReclaimHold(Box::new(ReclaimHold {
                confirm,
                lines: lines.into(),
                pending_since: UnixMillis(OPENS),
            })),
        }
    }
}

impl Tickets {
    /// Ids and codes that no other step has.
    fn of(self, count: u32, known: &Reference) -> Vec<(TicketId, TicketCode)> {
        let first = 10_000 * (1 + u32::try_from(known.journal.len()).unwrap());
        let count = count + u32::from(matches!(self, Self::OneTooMany));
        let mut tickets: Vec<_> = (first..first + count)
            .map(|number| (ticket_id(number), ticket_code(number)))
            .collect();
        match (self, tickets.first().copied(), known.tickets.last()) {
            (Self::TwoAlike, Some((_, code)), _) => tickets.last_mut().unwrap().1 = code,
            (Self::Known, Some(_), Some(other)) => tickets[0] = (other.id, other.codes[0]),
            _ => {}
        }
        tickets
    }
}

impl Paying {
    fn amount(self, total: Money) -> Option<Money> {
        match self {
            Self::Exactly => (total.amount_minor > 0).then_some(total),
            Self::Nothing => None,
            Self::TooMuch => Some(Money {
                amount_minor: total.amount_minor + 1,
                ..total
            }),
            Self::InDollars => Some(Money {
                currency: Currency::USD,
                ..total
            }),
        }
    }
}
