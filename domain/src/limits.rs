//! Every bound of the domain, with the relations between them checked when compiling.

/// Lines in one hold, order or purchase.
pub const LINES_MAX: usize = 16;
/// Tickets in one line.
pub const LINE_QUANTITY_MAX: u32 = 100;
/// Ticket types of one event.
pub const TICKET_TYPES_MAX: usize = 256;
/// Quotas of one event.
pub const QUOTAS_MAX: usize = 256;
/// Capacity of one quota.
pub const CAPACITY_MAX: u32 = 10_000_000;
/// Price of one ticket in minor units.
pub const UNIT_PRICE_MINOR_MAX: i64 = 1_000_000_000_000;
/// Fee on one ticket in minor units.
pub const UNIT_FEE_MINOR_MAX: i64 = UNIT_PRICE_MINOR_MAX;
/// Rate of a tax: all of the price.
pub const TAX_BASIS_POINTS_MAX: u16 = 10_000;
/// A hold under payment lives at least this long from when the payment began, while the provider decides.
pub const PAYMENT_WINDOW_MS: i64 = 15 * 60_000;
/// Version of a ticket, which each transfer raises: every code that a transfer kills is remembered.
pub const TICKET_VERSION_MAX: u32 = 100;
/// Gates that an event's scans may name.
pub const GATES_MAX: usize = 1_024;
/// Bytes of a name (event, venue, ticket type, quota).
pub const NAME_BYTES_MAX: usize = 200;
/// Bytes of an event's description.
pub const DESCRIPTION_BYTES_MAX: usize = 8_000;
/// Holds that one expiry record may end. More than these are expired by further records.
pub const EXPIRED_HOLDS_PER_RECORD_MAX: usize = 1_024;
/// Shortest and longest duration of a hold.
pub const HOLD_DURATION_MS_MIN: i64 = 1_000;
/// See [`HOLD_DURATION_MS_MIN`].
pub const HOLD_DURATION_MS_MAX: i64 = 24 * 3_600_000;
/// A hold that nobody has ended this long after its deadline counts as expired all the same (I10): its record is only
/// late, because the process was away.
pub const HOLD_OVERDUE_MS: i64 = 1_000;
/// How long an idempotency key and the end of a hold are remembered.
pub const KEY_RETENTION_MS: i64 = 24 * 3_600_000;

/// Inclusions of one package, and so its lines in one event.
pub const INCLUSIONS_MAX: usize = LINES_MAX;
/// Price of one package in minor units.
pub const PACKAGE_PRICE_MINOR_MAX: i64 = UNIT_PRICE_MINOR_MAX;

/// Tickets in one order.
pub const ORDER_QUANTITY_MAX: u32 = 1_000;

const _: () = assert!(ORDER_QUANTITY_MAX as usize <= LINES_MAX * LINE_QUANTITY_MAX as usize);
const _: () = assert!(
    (2 * (UNIT_PRICE_MINOR_MAX + UNIT_FEE_MINOR_MAX))
        .checked_mul(ORDER_QUANTITY_MAX as i64)
        .is_some(),
    "the dearest order must fit the money type"
);
const _: () = assert!(
    PACKAGE_PRICE_MINOR_MAX
        .checked_mul(LINE_QUANTITY_MAX as i64)
        .is_some(),
    "the dearest order of packages must fit the money type"
);
const _: () = assert!(
    TICKET_TYPES_MAX <= u16::MAX as usize
        && QUOTAS_MAX <= u16::MAX as usize
        && GATES_MAX <= u16::MAX as usize
);
const _: () = assert!(
    CAPACITY_MAX <= u32::MAX / 2,
    "counts of two quotas must add without overflow"
);
