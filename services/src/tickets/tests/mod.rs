//! Codes under attack, and files as others read them.

mod calendar;
mod pass;
mod pdf;

use onsale_domain::money::Currency;
use onsale_domain::{EventId, Money, OrderId, TicketId, UnixMillis};
use uuid::Uuid;

use super::face::FaceTax;
use super::{TicketFace, TicketKeys};

fn keys() -> TicketKeys {
    TicketKeys::parse(&TicketKeys::generate("2026-11").unwrap()).unwrap()
}

fn face() -> TicketFace {
    TicketFace {
        ticket_id: TicketId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001)),
        version: 1,
        order_id: OrderId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0002)),
        issued_at: UnixMillis(1_795_000_000_000),
        event_id: EventId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0003)),
        event_name: "Nachtmusik im Hafen".to_owned(),
        venue: "Große Halle, Kai 7, Hamburg".to_owned(),
        // 2026-12-05T19:00:00Z.
        starts_at: UnixMillis(1_796_497_200_000),
        time_zone: "Europe/Berlin".to_owned(),
        ticket_type: "Parkett".to_owned(),
        holder: Some("Ada Lovelace".to_owned()),
        code: "7KQ2M4T9XW3HB5ZD".to_owned(),
        price: Money {
            amount_minor: 4_830,
            currency: Currency::EUR,
        },
        fee_minor: 330,
        tax: Some(FaceTax {
            basis_points: 700,
            amount_minor: 316,
        }),
    }
}
