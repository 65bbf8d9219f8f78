//! A ticket's event for a calendar (RFC 5545).
//!
//! The start is given in UTC, which every calendar shows in its owner's own zone. There is no end, because nobody said
//! one. A later version of the same ticket takes the place of the earlier one: same `UID`, higher `SEQUENCE`.

use icalendar::{Calendar, Class, Component as _, Event, EventLike as _, Property};
use onsale_domain::UnixMillis;

use super::face::TicketFace;

/// The `.ics` file of a ticket.
pub fn calendar_file(face: &TicketFace) -> Vec<u8> {
    let mut event = Event::new();
    event
        .uid(&face.ticket_id.to_string())
        .sequence(face.version)
        .append_property(Property::new("DTSTAMP", utc(face.issued_at)))
        .append_property(Property::new("DTSTART", utc(face.starts_at)))
        .summary(&one_line(&face.event_name))
        .description(&format!(
            "{}\n{}\nTicket {}",
            one_line(&face.ticket_type),
            face.start_in_words(),
            face.code
        ))
        .class(Class::Private);
    if !face.venue.is_empty() {
        event.location(&one_line(&face.venue));
    }
    let mut calendar = Calendar::empty();
    calendar
        .append_property(Property::new("VERSION", "2.0"))
        .append_property(Property::new("PRODID", "-//Onsale//Tickets//EN"))
        .append_property(Property::new("CALSCALE", "GREGORIAN"))
        .append_property(Property::new("METHOD", "PUBLISH"))
        .push(event.done());
    calendar.done().to_string().into_bytes()
}

fn utc(at: UnixMillis) -> String {
    at.to_timestamp().strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Control characters have no place in a calendar's text.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}
