//! Random steps: what is asked of the event, and how much time passes before.

use onsale_domain::record::ReleaseReason;
use onsale_domain::{Command, Direction, EventDetails, EventStatus, Sequence, TicketType};

use super::common::*;

pub(crate) const TYPES: u32 = 6;

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
    /// One of the latest that are such.
    Last(Kind, usize),
}

/// What became of a hold.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Live,
    /// Live, with its payment under way.
    Pending,
    Expired,
    Sold,
    /// Any, of a package.
    Leg,
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
    /// The key that the hold's payment began under.
    OfPayment,
    /// A number and a body.
    Any(u8, u8),
}

pub(crate) type Key = Option<KeyPick>;

/// What is wrong with the tickets of a confirmation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tickets {
    Right,
    OneTooMany,
    /// The first and the last have one code.
    TwoAlike,
    /// The first is another order's.
    Known,
}

/// Which package a step names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PackagePick {
    /// The hold's own, or none.
    OfHold,
    Other(u32),
    None,
}

/// Whether a reclaim names the lines of its hold.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LinesPick {
    OfHold,
    Twice,
    OneUnitMore,
}

/// On whose behalf an order is cancelled.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Canceller {
    Buyer(Asker),
    Staff,
    Package(PackagePick),
}

/// What is shown at the door.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shown {
    Code,
    /// The ticket's first code, dead after a transfer.
    FirstCode,
    Pass,
    /// A pass of a version before (or after) the ticket's.
    OtherPass(i32),
    Unknown,
}

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
        fee: i64,
        tax: u16,
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
        pays: bool,
        package: Option<(u32, i64)>,
        key: Key,
    },
    Start {
        hold: Pick,
        asker: Asker,
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
        tickets: Tickets,
        package: PackagePick,
        key: Key,
    },
    Reclaim {
        hold: Pick,
        asker: Asker,
        paying: Paying,
        tickets: Tickets,
        package: PackagePick,
        lines: LinesPick,
        key: Key,
    },
    Cancel {
        hold: Pick,
        by: Canceller,
    },
    Refund {
        order: Pick,
        /// Which of the order's tickets, by bits.
        which: u8,
        twice: bool,
        key: Key,
    },
    Transfer {
        ticket: usize,
        from: Option<u32>,
        to: u32,
        known_code: bool,
        key: Key,
    },
    Scan {
        ticket: usize,
        shown: Shown,
        gate: &'static str,
        direction: Direction,
        nonce: u8,
        /// How long ago an offline gate scanned it.
        ago: Option<i64>,
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

/// The commands that bring an event on sale, and when it is.
pub(crate) fn prepared(capacities: [u32; 3]) -> Vec<(i64, Command)> {
    let mut commands = vec![(START, create(details()))];
    let taxed = TicketType {
        unit_fee_minor: 75,
        tax: onsale_domain::Tax {
            basis_points: 1_900,
            inclusive: false,
        },
        ..ticket_type(2, 0, 1_000)
    };
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
    commands.push((START, set_ticket_type(taxed, version)));
    commands.push((START, change_status(EventStatus::Published)));
    commands.push((OPENS, Command::Advance));
    commands
}
