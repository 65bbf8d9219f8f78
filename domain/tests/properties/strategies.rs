//! How random steps come about: often enough what may succeed, now and then what may not.

use onsale_domain::money::Currency;
use onsale_domain::record::ReleaseReason;
use onsale_domain::{Direction, EventDetails, EventStatus, SalesWindow, UnixMillis};
use proptest::prelude::*;

use super::common::*;
use super::steps::*;

/// Holds, buyers and so on are few, so that steps meet each other.
const HOLDS: u32 = 14;
const BUYERS: u32 = 4;
const QUOTAS: u32 = 4;

pub(crate) fn steps(max: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = (waits(), actions()).prop_map(|(wait, action)| Step { wait, action });
    prop::collection::vec(step, 1..max)
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

fn picks_of(kind: Kind) -> impl Strategy<Value = Pick> {
    prop_oneof![
        8 => (0..4_usize).prop_map(move |back| Pick::Last(kind, back)),
        3 => (0..5_usize).prop_map(Pick::Recent),
        1 => (0..HOLDS).prop_map(Pick::Any),
    ]
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
    prop::option::weighted(
        0.6,
        prop_oneof![
            3 => Just(KeyPick::OfHold),
            2 => Just(KeyPick::OfPayment),
            1 => any_key(),
        ],
    )
}

fn quantities() -> impl Strategy<Value = i64> {
    prop_oneof![40 => 1..4_i64, 4 => 4..12_i64, 1 => prop::sample::select(vec![0, -1, 101, 1 << 32, i64::MIN])]
}

fn statuses() -> impl Strategy<Value = EventStatus> {
    use EventStatus::{Cancelled, Closed, Deleted, Draft, OnSale, Paused, Published};
    prop_oneof![
        16 => Just(OnSale),
        4 => Just(Paused),
        2 => Just(Published),
        1 => Just(Draft),
        1 => Just(Closed),
        1 => Just(Cancelled),
        1 => Just(Deleted),
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
    let doors = prop::option::weighted(0.3, (0..3 * HOUR).prop_map(|after| UnixMillis(OPENS + after)));
    (
        limits,
        durations,
        windows,
        currencies,
        owners,
        doors,
        any::<bool>(),
    )
        .prop_map(
            |(buyer_limit, hold_duration_ms, window, currency, owner, check_in_opens_at, re_entry)| {
                Box::new(EventDetails {
                    organization_id: organization_id(owner),
                    buyer_limit,
                    hold_duration_ms,
                    currency,
                    check_in_opens_at,
                    re_entry,
                    sales_window: SalesWindow {
                        opens_at: UnixMillis(window.0),
                        closes_at: UnixMillis(window.1),
                    },
                    ..details()
                })
            },
        )
}

fn packages() -> impl Strategy<Value = PackagePick> {
    prop_oneof![
        14 => Just(PackagePick::OfHold),
        1 => (0..3_u32).prop_map(PackagePick::Other),
        1 => Just(PackagePick::None),
    ]
}

fn payings() -> impl Strategy<Value = Paying> {
    prop_oneof![
        18 => Just(Paying::Exactly),
        1 => Just(Paying::Nothing),
        1 => Just(Paying::TooMuch),
        1 => Just(Paying::InDollars),
    ]
}

fn tickets() -> impl Strategy<Value = Tickets> {
    prop_oneof![
        18 => Just(Tickets::Right),
        1 => Just(Tickets::OneTooMany),
        1 => Just(Tickets::TwoAlike),
        1 => Just(Tickets::Known),
    ]
}

fn staff() -> impl Strategy<Value = Action> {
    let capacities = prop_oneof![12 => 0..16_u32, 1 => Just(10_000_001)];
    let prices = prop::sample::select(vec![0, 0, 100, 500, 2_500, -1]);
    let fees = prop::sample::select(vec![0, 0, 0, 50, 133, -1]);
    let taxes = prop::sample::select(vec![0, 0, 700, 1_900, 10_000, 10_001]);
    prop_oneof![
        1 => Just(Action::Create),
        5 => (edits(), versions()).prop_map(|(details, version)| Action::Edit { details, version }),
        3 => (0..QUOTAS, capacities, versions())
            .prop_map(|(number, capacity, version)| Action::Quota { number, capacity, version }),
        3 => (0..TYPES, 0..QUOTAS, prices, fees, taxes, versions())
            .prop_map(|(number, of, price, fee, tax, version)| Action::Type { number, of, price, fee, tax, version }),
        2 => (statuses(), prop::option::of(versions())).prop_map(|(to, version)| Action::Status { to, version }),
    ]
}

fn holding() -> impl Strategy<Value = Action> {
    let known = prop::collection::vec((0..TYPES - 1, quantities()), 1..3);
    let lines = prop_oneof![12 => known, 1 => prop::collection::vec((0..TYPES, quantities()), 0..4)];
    let reasons = prop::sample::select(vec![
        ReleaseReason::Buyer,
        ReleaseReason::PaymentDeclined,
        ReleaseReason::PaymentUnavailable,
        ReleaseReason::Package,
    ]);
    let package = prop::option::weighted(0.15, (0..3_u32, prop_oneof![9 => 0..3_000_i64, 1 => Just(-1)]));
    prop_oneof![
        14 => (placed(), 0..BUYERS, lines, any::<bool>(), package, keys()).prop_map(
            |(hold, buyer, lines, pays, package, key)| Action::Place { hold, buyer, lines, pays, package, key },
        ),
        4 => (picks(), askers()).prop_map(|(hold, asker)| Action::Extend { hold, asker }),
        4 => (picks(), askers(), reasons, settling_keys())
            .prop_map(|(hold, asker, reason, key)| Action::Release { hold, asker, reason, key }),
        6 => Just(Action::Advance),
    ]
}

fn paying() -> impl Strategy<Value = Action> {
    let wanted = prop_oneof![
        10 => Just(LinesPick::OfHold),
        1 => Just(LinesPick::Twice),
        1 => Just(LinesPick::OneUnitMore),
    ];
    let late = (
        picks_of(Kind::Expired),
        askers(),
        payings(),
        tickets(),
        packages(),
        wanted,
        settling_keys(),
    );
    let confirmed = prop_oneof![3 => Just(Kind::Live), 2 => Just(Kind::Pending)].prop_flat_map(picks_of);
    let confirm = (
        confirmed,
        askers(),
        payings(),
        tickets(),
        packages(),
        settling_keys(),
    );
    let started = prop_oneof![4 => Just(Kind::Live), 1 => Just(Kind::Pending)].prop_flat_map(picks_of);
    prop_oneof![
        4 => (started, askers(), settling_keys())
            .prop_map(|(hold, asker, key)| Action::Start { hold, asker, key }),
        10 => confirm.prop_map(|(hold, asker, paying, tickets, package, key)| {
            Action::Confirm { hold, asker, paying, tickets, package, key }
        }),
        4 => late.prop_map(|(hold, asker, paying, tickets, package, lines, key)| {
            Action::Reclaim { hold, asker, paying, tickets, package, lines, key }
        }),
    ]
}

fn owning() -> impl Strategy<Value = Action> {
    let by = prop_oneof![
        3 => askers().prop_map(Canceller::Buyer),
        2 => Just(Canceller::Staff),
        1 => packages().prop_map(Canceller::Package),
    ];
    let orders = prop_oneof![5 => Just(Kind::Sold), 1 => Just(Kind::Leg)];
    let shown = prop_oneof![
        6 => Just(Shown::Code),
        2 => Just(Shown::FirstCode),
        3 => Just(Shown::Pass),
        1 => (-1..2_i32).prop_map(Shown::OtherPass),
        1 => Just(Shown::Unknown),
    ];
    let gates = prop_oneof![8 => Just("north"), 8 => Just("south"), 1 => Just("")];
    let directions = prop_oneof![3 => Just(Direction::In), 2 => Just(Direction::Out)];
    let ago = prop::option::weighted(0.4, prop_oneof![6 => -1_000..2 * HOUR, 1 => Just(i64::MAX / 2)]);
    let ticket = || 0..6_usize;
    prop_oneof![
        3 => (orders.prop_flat_map(picks_of), by).prop_map(|(hold, by)| Action::Cancel { hold, by }),
        4 => (picks_of(Kind::Sold), any::<u8>(), prop::bool::weighted(0.1), keys())
            .prop_map(|(order, which, twice, key)| Action::Refund { order, which, twice, key }),
        5 => (ticket(), prop::option::weighted(0.15, 0..BUYERS), 0..BUYERS, prop::bool::weighted(0.1), keys())
            .prop_map(|(ticket, from, to, known_code, key)| Action::Transfer { ticket, from, to, known_code, key }),
        9 => (ticket(), shown, gates, directions, 0..4_u8, ago).prop_map(
            |(ticket, shown, gate, direction, nonce, ago)| Action::Scan { ticket, shown, gate, direction, nonce, ago },
        ),
    ]
}

fn actions() -> impl Strategy<Value = Action> {
    prop_oneof![3 => staff(), 7 => holding(), 7 => paying(), 6 => owning()]
}
