//! The JSON of a hold, as Onsale reads and writes it.

use onsale_domain::UnixMillis;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Reservation;

/// How long a hold says that it lives. Nothing ends it.
const HOLD_MS: i64 = 3_600_000;

/// Asks for a hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HoldBody {
    pub(super) lines: Vec<LineBody>,
}

/// So many tickets of one type.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LineBody {
    pub(super) ticket_type_id: Uuid,
    pub(super) quantity: i32,
}

#[derive(Clone, Copy, Serialize)]
struct Money {
    amount: i64,
    currency: &'static str,
}

#[derive(Serialize)]
struct Tax {
    basis_points: u16,
    inclusive: bool,
}

#[derive(Serialize)]
struct Line {
    ticket_type_id: Uuid,
    quantity: i32,
    unit_price: Money,
    unit_fee: Money,
    tax: Tax,
    total: Money,
}

/// A live hold.
#[derive(Serialize)]
pub(super) struct HoldView {
    id: Uuid,
    event_id: Uuid,
    status: &'static str,
    lines: [Line; 1],
    total: Money,
    expires_at: String,
    seq: u64,
}

impl HoldView {
    pub(super) fn of(reserved: &Reservation, now: UnixMillis) -> Self {
        const FREE: Money = Money {
            amount: 0,
            currency: "EUR",
        };
        let line = Line {
            ticket_type_id: reserved.ticket_type_id,
            quantity: reserved.quantity,
            unit_price: FREE,
            unit_fee: FREE,
            tax: Tax {
                basis_points: 0,
                inclusive: true,
            },
            total: FREE,
        };
        Self {
            id: reserved.id,
            event_id: reserved.event_id,
            status: "held",
            lines: [line],
            total: FREE,
            expires_at: now.plus_ms(HOLD_MS).to_timestamp().to_string(),
            seq: 0,
        }
    }
}
