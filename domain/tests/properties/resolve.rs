//! From a random step to a command and an instant, with what its sender would know from the event.

use onsale_domain::command::ConfirmHold;
use onsale_domain::id::TicketCode;
use onsale_domain::money::Currency;
use onsale_domain::record::KeyBinding;
use onsale_domain::{BuyerId, Command, HoldId, Money, Record};

use super::common::*;
use super::reference::Reference;
use super::steps::{Action, Asker, KeyPick, Paying, Pick, Version, Wait};

impl Wait {
    /// The instant of the step. Time never goes back.
    pub(crate) fn end(self, now: i64, known: &Reference) -> i64 {
        let window = known.event.as_ref().map(|event| event.details.sales_window);
        let edges = window
            .into_iter()
            .flat_map(|window| [window.opens_at.0, window.closes_at.0]);
        let end = match self {
            Self::For(duration_ms) => now + duration_ms,
            Self::UntilExpiry(around) => known.next_end().map_or(now, |end| end.0 + around),
            Self::UntilWindow(around) => edges
                .filter(|edge| *edge > now)
                .min()
                .map_or(now, |edge| edge + around),
        };
        end.max(now)
    }
}

impl KeyPick {
    fn binding(self, hold_id: HoldId, known: &Reference) -> KeyBinding {
        let of_hold = known.journal.iter().find_map(|record| match record {
            Record::HoldPlaced(placed) if placed.hold_id == hold_id => placed.key,
            _ => None,
        });
        match (self, of_hold) {
            (Self::OfHold, Some(binding)) => binding,
            (Self::OfHold, None) => key(0, 0),
            (Self::Any(number, body), _) => key(number, body),
        }
    }
}

impl Pick {
    fn hold(self, known: &Reference) -> HoldId {
        let fresh = || hold_id(1_000 + u32::try_from(known.holdings.len()).unwrap());
        match self {
            Self::Recent(back) => known
                .holdings
                .iter()
                .rev()
                .cycle()
                .nth(back)
                .map_or_else(fresh, |holding| holding.id),
            Self::Any(number) => hold_id(number),
            Self::Fresh => fresh(),
        }
    }
}

impl Action {
    /// The command, with what its sender would know from the event.
    pub(crate) fn command(&self, known: &Reference) -> Command {
        let version = |version: &Version| match version {
            Version::Present => known.event.as_ref().map_or(0, |event| event.version),
            Version::Other(version) => *version,
        };
        match self {
            Self::Create => create(details()),
            Self::Edit {
                details,
                version: seen,
            } => edit((**details).clone(), version(seen)),
            Self::Quota {
                number,
                capacity,
                version: seen,
            } => set_quota(quota(*number, *capacity), version(seen)),
            Self::Type {
                number,
                of,
                price,
                version: seen,
            } => set_ticket_type(ticket_type(*number, *of, *price), version(seen)),
            Self::Status { to, version: seen } => Command::ChangeStatus {
                to: *to,
                expected_version: seen.as_ref().map(version),
            },
            Self::Place {
                hold,
                buyer,
                lines,
                key,
            } => place_known(hold.hold(known), place(0, *buyer, lines), *key, known),
            Self::Extend { hold, asker } => Command::ExtendHold {
                hold_id: hold.hold(known),
                buyer_id: asker.of(hold.hold(known), known),
            },
            Self::Release {
                hold,
                asker,
                reason,
                key,
            } => Command::ReleaseHold {
                hold_id: hold.hold(known),
                buyer_id: asker.of(hold.hold(known), known),
                reason: *reason,
                key: key.map(|key| key.binding(hold.hold(known), known)),
            },
            Self::Confirm {
                hold,
                asker,
                paying,
                tickets_off,
                key,
            } => {
                let hold_id = hold.hold(known);
                let buyer_id = asker.of(hold_id, known);
                let key = key.map(|key| key.binding(hold_id, known));
                confirm_known(hold_id, buyer_id, *paying, *tickets_off, key, known)
            }
            Self::Cancel { hold, asker } => Command::CancelOrder {
                order_id: hold.hold(known).into(),
                buyer_id: asker.map(|asker| asker.of(hold.hold(known), known)),
            },
            Self::Advance => Command::Advance,
        }
    }
}

/// The placing, of this hold and under this key.
fn place_known(hold_id: HoldId, mut command: Command, key: Option<KeyPick>, known: &Reference) -> Command {
    if let Command::PlaceHold(place) = &mut command {
        place.hold_id = hold_id;
        place.key = key.map(|key| key.binding(hold_id, known));
    }
    command
}

/// A confirmation with the total that the hold is known to have.
fn confirm_known(
    hold_id: HoldId,
    buyer_id: BuyerId,
    paying: Paying,
    tickets_off: u32,
    key: Option<KeyBinding>,
    known: &Reference,
) -> Command {
    let holding = known.holding(hold_id);
    let total = holding.map_or(euros(0), |holding| known.total(holding));
    let count = holding.map_or(1, |holding| holding.lines.iter().map(|line| line.quantity).sum());
    let tickets = (0..count + tickets_off).map(|index| (ticket_id(index), TicketCode([7; 10])));
    Command::ConfirmHold(Box::new(ConfirmHold {
        hold_id,
        buyer_id,
        payment: paying.amount(total).map(authorization),
        tickets: tickets.collect(),
        key,
    }))
}

impl Asker {
    fn of(self, hold_id: HoldId, known: &Reference) -> BuyerId {
        match self {
            Self::Owner => known
                .holding(hold_id)
                .map_or(buyer_id(0), |holding| holding.buyer),
            Self::Buyer(number) => buyer_id(number),
        }
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
