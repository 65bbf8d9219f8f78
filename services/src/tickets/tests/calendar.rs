//! The calendar file, line by line.

use super::face;
use crate::tickets::{TicketFace, calendar_file};

/// The lines, with those put together again that were folded at 75 bytes.
fn lines(face: &TicketFace) -> Vec<String> {
    let file = String::from_utf8(calendar_file(face)).unwrap();
    assert!(
        file.split("\r\n")
            .all(|line| line.len() <= 75 && !line.contains('\n')),
        "{file}"
    );
    let unfolded = file.replace("\r\n ", "");
    unfolded.split_terminator("\r\n").map(str::to_owned).collect()
}

fn has(lines: &[String], expected: &str) {
    assert!(
        lines.iter().any(|line| line == expected),
        "{expected} in {lines:#?}"
    );
}

#[test]
fn a_calendar_gets_the_event_with_its_start_and_no_invented_end() {
    let face = face();
    let lines = lines(&face);
    assert_eq!(lines.first().unwrap(), "BEGIN:VCALENDAR");
    for line in [
        "VERSION:2.0",
        "BEGIN:VEVENT",
        &format!("UID:{}", face.ticket_id),
        "SEQUENCE:1",
        "DTSTART:20261205T190000Z",
        "SUMMARY:Nachtmusik im Hafen",
        "LOCATION:Große Halle\\, Kai 7\\, Hamburg",
        "END:VEVENT",
        "END:VCALENDAR",
    ] {
        has(&lines, line);
    }
    assert!(
        !lines
            .iter()
            .any(|line| line.starts_with("DTEND") || line.starts_with("DURATION"))
    );
    assert_eq!(lines.iter().filter(|line| *line == "BEGIN:VEVENT").count(), 1);
}

#[test]
fn a_transferred_ticket_takes_the_place_of_the_one_before() {
    let later = TicketFace { version: 2, ..face() };
    let lines = lines(&later);
    has(&lines, &format!("UID:{}", face().ticket_id));
    has(&lines, "SEQUENCE:2");
}

#[test]
fn names_cannot_add_lines() {
    let face = TicketFace {
        event_name: "Night\r\nATTENDEE:mailto:x@example.org\nX; Y, Z\\N".to_owned(),
        venue: "a\r\nBEGIN:VALARM\u{0000}".to_owned(),
        ..face()
    };
    let lines = lines(&face);
    assert!(
        !lines
            .iter()
            .any(|line| line.starts_with("ATTENDEE") || line == "BEGIN:VALARM")
    );
    has(
        &lines,
        "SUMMARY:Night  ATTENDEE:mailto:x@example.org X\\; Y\\, Z\\\\N",
    );
}

#[test]
fn the_same_ticket_gives_the_same_bytes() {
    assert_eq!(calendar_file(&face()), calendar_file(&face()));
}
