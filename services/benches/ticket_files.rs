//! Files of tickets: PDF with QR code and calendar file, made on one thread and put into a folder.
//!
//! `cargo bench -p onsale-services --bench ticket_files`
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark"
)]

use std::time::{Duration, Instant};

use onsale_domain::money::Currency;
use onsale_domain::{EventId, Money, OrderId, TicketId, UnixMillis};
use onsale_services::{FaceTax, TicketFace, TicketKeys, TicketPass, calendar_file, pdf_file};
use uuid::Uuid;

const ROUND: Duration = Duration::from_secs(5);

fn face(number: u32) -> TicketFace {
    TicketFace {
        ticket_id: TicketId(Uuid::now_v7()),
        version: 1,
        order_id: OrderId(Uuid::now_v7()),
        issued_at: UnixMillis(1_795_000_000_000),
        event_id: EventId(Uuid::from_u128(3)),
        event_name: "Nachtmusik im Hafen".to_owned(),
        venue: "Große Halle, Kai 7, Hamburg".to_owned(),
        starts_at: UnixMillis(1_796_497_200_000),
        time_zone: "Europe/Berlin".to_owned(),
        ticket_type: "Parkett".to_owned(),
        holder: Some(format!("Holder {number}")),
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

fn main() {
    let keys = TicketKeys::parse(&TicketKeys::generate("bench").unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for stored in [false, true] {
        let (began, mut tickets, mut bytes) = (Instant::now(), 0_u32, 0);
        while began.elapsed() < ROUND {
            let face = face(tickets);
            let pass = TicketPass {
                event_id: face.event_id,
                ticket_id: face.ticket_id,
                version: 1,
            };
            let pdf = pdf_file(&face, &pass.encode(&keys)).unwrap();
            let calendar = calendar_file(&face);
            bytes += pdf.len();
            if stored {
                let path = folder.path().join(face.ticket_id.to_string());
                for (ending, file) in [("pdf", &pdf), ("ics", &calendar)] {
                    let file_path = path.with_extension(ending);
                    std::fs::write(&file_path, file).unwrap();
                    std::fs::File::open(&file_path).unwrap().sync_all().unwrap();
                }
            }
            tickets += 1;
        }
        let rate = f64::from(tickets) / began.elapsed().as_secs_f64();
        let size = bytes / usize::try_from(tickets).unwrap();
        let what = if stored {
            "made, written and synced"
        } else {
            "made"
        };
        println!("  {rate:6.0} tickets/s on one thread, {what} (PDF of {size} bytes and calendar file)");
    }
}
