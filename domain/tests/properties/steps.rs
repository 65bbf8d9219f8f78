//! Random steps: what is asked of the event, and how much time passes before.

use onsale_domain::command::ConfirmHold;
use onsale_domain::id::TicketCode;
use onsale_domain::money::Currency;
use onsale_domain::record::{KeyBinding, ReleaseReason};
use onsale_domain::{BuyerId, Command, EventDetails, EventStatus, Money, SalesWindow, Sequence, UnixMillis};
use proptest::prelude::*;

use super::common::*;
use super::reference::Reference;

/// Holds, buyers and so on are few, so that steps meet each other.
const HOLDS: u32 = 14;
const BUYERS: u32 = 4;
const TYPES: u32 = 6;
const QUOTAS: u32 = 4;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Version {
    Present,
    Other(Sequence),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Paying {
    Exactly,
    Nothing,
    TooMuch,
    InDollars,
}

/// Who asks about a hold: usually its buyer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asker {
    Owner,
    Buyer(u32),
}

type Key = Option<(u8, u8)>;

#[derive(Clone, Debug)]
pub(crate) enum Action {
    Create,
    Edit {
        details: Box<EventDetails>,
        version: Version,
    },
    Quota {
        number: u32,
        capacity: u32,
        version: Version,
    },
    Type {
        number: u32,
        of: u32,
        price: i64,
        version: Version,
    },
    Status {
        to: EventStatus,
        version: Option<Version>,
    },
    Place {
        hold: u32,
        buyer: u32,
        lines: Vec<(u32, i64)>,
        key: Key,
    },
    Extend {
        hold: u32,
        asker: Asker,
    },
    Release {
        hold: u32,
        asker: Asker,
        reason: ReleaseReason,
        key: Key,
    },
    Confirm {
        hold: u32,
        asker: Asker,
        paying: Paying,
        tickets_off: u32,
        key: Key,
    },
    Cancel {
        hold: u32,
        asker: Option<Asker>,
    },
    Advance,
}

#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) wait_ms: i64,
    pub(crate) action: Action,
}

pub(crate) fn steps(max: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = (waits(), actions()).prop_map(|(wait_ms, action)| Step { wait_ms, action });
    prop::collection::vec(step, 1..max)
}

/// The commands that bring an event on sale, and when it is.
pub(crate) fn prepared(capacities: [u32; 3]) -> Vec<(i64, Command)> {
    let mut commands = vec![(START, create(details()))];
    let mut version = 1;
    let mut push = |command: fn(u32, u32, Sequence) -> Command, number, value| {
        commands.push((START, command(number, value, version)));
        version += 1;
    };
    for (number, capacity) in (0..).zip(capacities) {
        push(
            |number, capacity, version| set_quota(quota(number, capacity), version),
            number,
            capacity,
        );
    }
    for number in 0..TYPES - 1 {
        // Types 0 to 2 share quota 0.
        let of = number.saturating_sub(2);
        push(
            |number, of, version| set_ticket_type(ticket_type(number, of, i64::from(number) * 500), version),
            number,
            of,
        );
    }
    commands.push((START, change_status(EventStatus::Published)));
    commands.push((OPENS, Command::Advance));
    commands
}

fn waits() -> impl Strategy<Value = i64> {
    prop_oneof![
        6 => Just(0),
        4 => 1..2 * SECOND,
        4 => MINUTE..8 * MINUTE,
        1 => Just(HOLD_DURATION),
        1 => HOUR..3 * HOUR,
        1 => 23 * HOUR..26 * HOUR,
    ]
}

fn versions() -> impl Strategy<Value = Version> {
    prop_oneof![9 => Just(Version::Present), 1 => (0..20_u64).prop_map(Version::Other)]
}

fn askers() -> impl Strategy<Value = Asker> {
    prop_oneof![8 => Just(Asker::Owner), 1 => (0..BUYERS).prop_map(Asker::Buyer)]
}

fn keys() -> impl Strategy<Value = Key> {
    prop::option::weighted(0.6, (0..6_u8, prop_oneof![5 => Just(0_u8), 1 => Just(1_u8)]))
}

fn quantities() -> impl Strategy<Value = i64> {
    prop_oneof![20 => 1..5_i64, 2 => 5..12_i64, 1 => prop::sample::select(vec![0, -1, 101, 1 << 32, i64::MIN])]
}

fn statuses() -> impl Strategy<Value = EventStatus> {
    use EventStatus::{Cancelled, Closed, Draft, OnSale, Paused, Published};
    prop_oneof![
        6 => Just(OnSale),
        3 => Just(Paused),
        2 => Just(Published),
        1 => Just(Draft),
        1 => Just(Closed),
        1 => Just(Cancelled),
    ]
}

fn edits() -> impl Strategy<Value = Box<EventDetails>> {
    let limits = prop_oneof![1 => Just(Some(0)), 6 => (1..10_u32).prop_map(Some), 3 => Just(None)];
    let durations = prop_oneof![Just(MINUTE), Just(HOLD_DURATION), Just(20 * MINUTE)];
    let windows = prop_oneof![
        8 => Just((OPENS, CLOSES)),
        1 => Just((OPENS, OPENS)),
        1 => (0..100 * HOUR, HOUR..200 * HOUR).prop_map(|(from, length)| (START + from, START + from + length)),
    ];
    let currencies = prop_oneof![9 => Just(Currency::EUR), 1 => Just(Currency::USD)];
    let owners = prop_oneof![9 => Just(1), 1 => Just(2)];
    (limits, durations, windows, currencies, owners).prop_map(
        |(buyer_limit, hold_duration_ms, window, currency, owner)| {
            Box::new(EventDetails {
                organization_id: organization_id(owner),
                buyer_limit,
                hold_duration_ms,
                currency,
                sales_window: SalesWindow {
                    opens_at: UnixMillis(window.0),
                    closes_at: UnixMillis(window.1),
                },
                ..details()
            })
        },
    )
}

fn actions() -> impl Strategy<Value = Action> {
    let capacities = prop_oneof![12 => 0..16_u32, 1 => Just(10_000_001)];
    let prices = prop::sample::select(vec![0, 0, 100, 500, 2_500, -1]);
    let lines = prop::collection::vec((0..TYPES, quantities()), 0..4);
    let reasons = prop::sample::select(vec![
        ReleaseReason::Buyer,
        ReleaseReason::PaymentDeclined,
        ReleaseReason::PaymentUnavailable,
    ]);
    let paying = prop_oneof![
        12 => Just(Paying::Exactly),
        1 => Just(Paying::Nothing),
        1 => Just(Paying::TooMuch),
        1 => Just(Paying::InDollars),
    ];
    let staff = prop_oneof![
        1 => Just(Action::Create),
        3 => (edits(), versions()).prop_map(|(details, version)| Action::Edit { details, version }),
        3 => (0..QUOTAS, capacities, versions())
            .prop_map(|(number, capacity, version)| Action::Quota { number, capacity, version }),
        3 => (0..TYPES, 0..QUOTAS, prices, versions())
            .prop_map(|(number, of, price, version)| Action::Type { number, of, price, version }),
        2 => (statuses(), prop::option::of(versions())).prop_map(|(to, version)| Action::Status { to, version }),
    ];
    let buyers = prop_oneof![
        14 => (0..HOLDS, 0..BUYERS, lines, keys())
            .prop_map(|(hold, buyer, lines, key)| Action::Place { hold, buyer, lines, key }),
        4 => (0..HOLDS, askers()).prop_map(|(hold, asker)| Action::Extend { hold, asker }),
        4 => (0..HOLDS, askers(), reasons, keys())
            .prop_map(|(hold, asker, reason, key)| Action::Release { hold, asker, reason, key }),
        8 => (0..HOLDS, askers(), paying, prop_oneof![12 => Just(0_u32), 1 => Just(1)], keys())
            .prop_map(|(hold, asker, paying, tickets_off, key)| Action::Confirm { hold, asker, paying, tickets_off, key }),
        3 => (0..HOLDS, prop::option::of(askers())).prop_map(|(hold, asker)| Action::Cancel { hold, asker }),
        5 => Just(Action::Advance),
    ];
    prop_oneof![1 => staff, 5 => buyers]
}

impl Action {
    /// The command, with what its sender would know from the event.
    pub(crate) fn command(&self, known: &Reference) -> Command {
        let binding = |key: Key| key.map(|(digest, body)| super::common::key(digest, body));
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
            } => with_key(place(*hold, *buyer, lines), binding(*key)),
            Self::Extend { hold, asker } => Command::ExtendHold {
                hold_id: hold_id(*hold),
                buyer_id: asker.of(*hold, known),
            },
            Self::Release {
                hold,
                asker,
                reason,
                key,
            } => Command::ReleaseHold {
                hold_id: hold_id(*hold),
                buyer_id: asker.of(*hold, known),
                reason: *reason,
                key: binding(*key),
            },
            Self::Confirm {
                hold,
                asker,
                paying,
                tickets_off,
                key,
            } => {
                let buyer_id = asker.of(*hold, known);
                confirm_known(*hold, buyer_id, *paying, *tickets_off, binding(*key), known)
            }
            Self::Cancel { hold, asker } => Command::CancelOrder {
                order_id: order_id(*hold),
                buyer_id: asker.map(|asker| asker.of(*hold, known)),
            },
            Self::Advance => Command::Advance,
        }
    }
}

/// A confirmation with the total that the hold is known to have.
fn confirm_known(
    hold: u32,
    buyer_id: BuyerId,
    paying: Paying,
    tickets_off: u32,
    key: Option<KeyBinding>,
    known: &Reference,
) -> Command {
    let holding = known.holding(hold_id(hold));
    let total = holding.map_or(euros(0), |holding| known.total(holding));
    let count = holding.map_or(1, |holding| holding.lines.iter().map(|line| line.quantity).sum());
    let tickets = (0..count + tickets_off).map(|index| (ticket_id(index), TicketCode([7; 10])));
    Command::ConfirmHold(Box::new(ConfirmHold {
        hold_id: hold_id(hold),
        buyer_id,
        payment: paying.amount(total).map(authorization),
        tickets: tickets.collect(),
        key,
    }))
}

fn with_key(command: Command, binding: Option<KeyBinding>) -> Command {
    match binding {
        Some(binding) => keyed(command, binding),
        None => command,
    }
}

impl Asker {
    fn of(self, hold: u32, known: &Reference) -> BuyerId {
        match self {
            Self::Owner => known
                .holding(hold_id(hold))
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
