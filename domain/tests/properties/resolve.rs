//! From a random step to a command and an instant, with what its sender would know from the event.

use onsale_domain::command::{CancelledBy, PackageLeg, StartPayment};
use onsale_domain::record::KeyBinding;
use onsale_domain::{BuyerId, Command, Gateway, HoldId, PackageOrderId, Record, Tax, TicketType};

use super::common::*;
use super::reference::{Holding, Reference, State};
use super::steps::{Action, Asker, Canceller, KeyPick, Kind, PackagePick, Pick, Version, Wait};

#[path = "resolve/orders.rs"]
mod orders;
#[path = "resolve/tickets.rs"]
mod tickets;

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
        let of_payment = || known.holding(hold_id)?.payment?.key;
        match self {
            Self::OfHold => of_hold.unwrap_or_else(|| key(0, 0)),
            Self::OfPayment => of_payment().or(of_hold).unwrap_or_else(|| key(0, 0)),
            Self::Any(number, body) => key(number, body),
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
            Self::Last(kind, back) => {
                let such: Vec<&Holding> = known.holdings.iter().filter(|holding| kind.is(holding)).collect();
                such.iter()
                    .rev()
                    .cycle()
                    .nth(back)
                    .map_or_else(fresh, |holding| holding.id)
            }
        }
    }
}

impl Kind {
    fn is(self, holding: &Holding) -> bool {
        match self {
            Self::Live => holding.state == State::Live,
            Self::Pending => holding.state == State::Live && holding.payment.is_some(),
            Self::Expired => holding.state == State::Expired,
            Self::Sold => holding.state == State::Sold,
            Self::Leg => holding.package.is_some(),
        }
    }
}

impl PackagePick {
    fn of(self, hold_id: HoldId, known: &Reference) -> Option<PackageOrderId> {
        match self {
            Self::OfHold => known.holding(hold_id).and_then(|holding| holding.package),
            Self::Other(number) => Some(package_order_id(number)),
            Self::None => None,
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
                fee,
                tax,
                version: seen,
            } => {
                let ticket_type = TicketType {
                    unit_fee_minor: *fee,
                    tax: Tax {
                        basis_points: *tax,
                        inclusive: number % 2 == 0,
                    },
                    ..ticket_type(*number, *of, *price)
                };
                set_ticket_type(ticket_type, version(seen))
            }
            Self::Status { to, version: seen } => Command::ChangeStatus {
                to: *to,
                expected_version: seen.as_ref().map(version),
            },
            Self::Place { .. } | Self::Start { .. } => self.payment(known),
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
            Self::Confirm { .. } | Self::Reclaim { .. } => self.confirmation(known),
            Self::Cancel { hold, by } => Command::CancelOrder {
                order_id: hold.hold(known).into(),
                by: match by {
                    Canceller::Staff => CancelledBy::Staff,
                    Canceller::Buyer(asker) => CancelledBy::Buyer(asker.of(hold.hold(known), known)),
                    Canceller::Package(package) => {
                        let package = package.of(hold.hold(known), known);
                        CancelledBy::Package(package.unwrap_or_else(|| package_order_id(9)))
                    }
                },
            },
            Self::Refund { .. } | Self::Transfer { .. } | Self::Scan { .. } => self.of_tickets(known),
            Self::Advance => Command::Advance,
        }
    }

    /// Placing a hold, with or without its payment, and beginning the payment later.
    fn payment(&self, known: &Reference) -> Command {
        match self {
            Self::Place {
                hold,
                buyer,
                lines,
                pays,
                package,
                key,
            } => {
                let mut command = place(0, *buyer, lines);
                if let Command::PlaceHold(place) = &mut command {
                    place.hold_id = hold.hold(known);
                    place.payment = pays.then_some(Gateway::Simulated);
                    place.package = package.map(|(number, price)| PackageLeg {
                        package_order_id: package_order_id(number),
                        unit_prices_minor: vec![price; lines.len()].into(),
                    });
                    place.key = key.map(|key| key.binding(place.hold_id, known));
                }
                command
            }
            Self::Start { hold, asker, key } => Command::StartPayment(StartPayment {
                hold_id: hold.hold(known),
                buyer_id: asker.of(hold.hold(known), known),
                gateway: Gateway::Stripe,
                key: key.map(|key| key.binding(hold.hold(known), known)),
            }),
            other => panic!("{other:?} begins no payment"),
        }
    }
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
