//! Random steps: what is asked of the event, and how much time passes before.

use onsale_domain::money::Currency;
use onsale_domain::record::ReleaseReason;
use onsale_domain::{Command, EventDetails, EventStatus, SalesWindow, Sequence, UnixMillis};
use proptest::prelude::*;

use super::common::*;

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

/// Which hold a step is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pick {
    /// One of the latest.
    Recent(usize),
    /// One with a small number, whether or not it was placed.
    Any(u32),
    /// One that was never placed.
    Fresh,
}

/// Who asks about a hold: usually its buyer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asker {
    Owner,
    Buyer(u32),
}

/// Which key a step comes with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KeyPick {
    /// The key that placed the hold, as a purchase uses it.
    OfHold,
    /// A number and a body.
    Any(u8, u8),
}

type Key = Option<KeyPick>;

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
        hold: Pick,
        buyer: u32,
        lines: Vec<(u32, i64)>,
        key: Key,
    },
    Extend {
        hold: Pick,
        asker: Asker,
    },
    Release {
        hold: Pick,
        asker: Asker,
        reason: ReleaseReason,
        key: Key,
    },
    Confirm {
        hold: Pick,
        asker: Asker,
        paying: Paying,
        tickets_off: u32,
        key: Key,
    },
    Cancel {
        hold: Pick,
        asker: Option<Asker>,
    },
    Advance,
}

/// How long nothing happens before a step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wait {
    For(i64),
    /// Up to the next hold's end, or some milliseconds around it.
    UntilExpiry(i64),
    /// Up to the next change of status by the sales window, or some milliseconds around it.
    UntilWindow(i64),
}

#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) wait: Wait,
    pub(crate) action: Action,
}

pub(crate) fn steps(max: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = (waits(), actions()).prop_map(|(wait, action)| Step { wait, action });
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

fn waits() -> impl Strategy<Value = Wait> {
    prop_oneof![
        180 => Just(Wait::For(0)),
        120 => (1..2 * SECOND).prop_map(Wait::For),
        48 => (MINUTE..8 * MINUTE).prop_map(Wait::For),
        6 => Just(Wait::For(HOLD_DURATION)),
        6 => (HOUR..3 * HOUR).prop_map(Wait::For),
        6 => (23 * HOUR..26 * HOUR).prop_map(Wait::For),
        30 => (-1..2_i64).prop_map(Wait::UntilExpiry),
        1 => (-1..2_i64).prop_map(Wait::UntilWindow),
    ]
}

fn versions() -> impl Strategy<Value = Version> {
    prop_oneof![9 => Just(Version::Present), 1 => (0..20_u64).prop_map(Version::Other)]
}

fn picks() -> impl Strategy<Value = Pick> {
    prop_oneof![14 => (0..5_usize).prop_map(Pick::Recent), 1 => (0..HOLDS).prop_map(Pick::Any)]
}

fn placed() -> impl Strategy<Value = Pick> {
    prop_oneof![10 => Just(Pick::Fresh), 1 => (0..5_usize).prop_map(Pick::Recent), 2 => (0..HOLDS).prop_map(Pick::Any)]
}

fn askers() -> impl Strategy<Value = Asker> {
    prop_oneof![8 => Just(Asker::Owner), 1 => (0..BUYERS).prop_map(Asker::Buyer)]
}

fn any_key() -> impl Strategy<Value = KeyPick> {
    (0..24_u8, prop_oneof![5 => Just(0_u8), 1 => Just(1_u8)])
        .prop_map(|(number, body)| KeyPick::Any(number, body))
}

fn keys() -> impl Strategy<Value = Key> {
    prop::option::weighted(0.5, any_key())
}

fn settling_keys() -> impl Strategy<Value = Key> {
    prop::option::weighted(0.6, prop_oneof![3 => Just(KeyPick::OfHold), 1 => any_key()])
}

fn quantities() -> impl Strategy<Value = i64> {
    prop_oneof![40 => 1..4_i64, 4 => 4..12_i64, 1 => prop::sample::select(vec![0, -1, 101, 1 << 32, i64::MIN])]
}

fn statuses() -> impl Strategy<Value = EventStatus> {
    use EventStatus::{Cancelled, Closed, Draft, OnSale, Paused, Published};
    prop_oneof![
        16 => Just(OnSale),
        4 => Just(Paused),
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
        30 => Just((OPENS, CLOSES)),
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
    let known = prop::collection::vec((0..TYPES - 1, quantities()), 1..3);
    let lines = prop_oneof![12 => known, 1 => prop::collection::vec((0..TYPES, quantities()), 0..4)];
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
        14 => (placed(), 0..BUYERS, lines, keys())
            .prop_map(|(hold, buyer, lines, key)| Action::Place { hold, buyer, lines, key }),
        4 => (picks(), askers()).prop_map(|(hold, asker)| Action::Extend { hold, asker }),
        4 => (picks(), askers(), reasons, settling_keys())
            .prop_map(|(hold, asker, reason, key)| Action::Release { hold, asker, reason, key }),
        8 => (picks(), askers(), paying, prop_oneof![12 => Just(0_u32), 1 => Just(1)], settling_keys())
            .prop_map(|(hold, asker, paying, tickets_off, key)| Action::Confirm { hold, asker, paying, tickets_off, key }),
        3 => (picks(), prop::option::of(askers())).prop_map(|(hold, asker)| Action::Cancel { hold, asker }),
        5 => Just(Action::Advance),
    ];
    prop_oneof![1 => staff, 5 => buyers]
}
