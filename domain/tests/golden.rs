//! The journal's format: bytes that an earlier release wrote must be read by every later one.
//!
//! `golden/journal-v2.hex` holds one batch of one record on each line, after a name. Lines are only ever added: when
//! a record gets a new variant, add it to `records` below and append the line that the failing test prints.
//! `golden/journal-v1.hex` is what version 1 wrote; `v1_records` says what it meant.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod common;
#[path = "golden/present.rs"]
mod present;
#[path = "golden/records.rs"]
mod records;

use std::collections::BTreeSet;
use std::fmt::Write;

use common::{kind, ticket_code};
use onsale_domain::codec::{
    CodecError, VERSION, decode_records, decode_snapshot, encode_records, encode_snapshot,
};
use onsale_domain::{Inventory, Record};
use present::records;
use records::v1_records;

const JOURNAL_V1: &str = include_str!("golden/journal-v1.hex");
const JOURNAL_V2: &str = include_str!("golden/journal-v2.hex");

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .chars()
        .map(|digit| u8::try_from(digit.to_digit(16).unwrap()).unwrap())
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn golden() -> Vec<(&'static str, Vec<u8>)> {
    lines_of(JOURNAL_V2)
}

/// Names and bytes of the checked-in lines.
fn lines_of(journal: &'static str) -> Vec<(&'static str, Vec<u8>)> {
    let lines = journal.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.split_once(' ').unwrap())
        .map(|(name, hex)| (name, bytes(hex)))
        .collect()
}

#[test]
fn every_golden_record_is_read_as_it_was_written() {
    let golden = golden();
    for (name, expected) in records() {
        let line = || {
            format!(
                "{name} {}",
                hex(&encode_records([&expected].into_iter()).unwrap())
            )
        };
        let (_, bytes) = golden
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap_or_else(|| panic!("append this line to golden/journal-v2.hex:\n{}", line()));
        assert_eq!(decode_records(bytes), Ok(vec![expected.clone()]), "{name}");
    }
    assert_eq!(golden.len(), records().len(), "a golden record is never removed");
}

#[test]
fn every_record_of_version_1_is_read_as_what_it_meant() {
    let golden = lines_of(JOURNAL_V1);
    let records = v1_records();
    assert_eq!(golden.len(), records.len(), "a golden record is never removed");
    for ((name, bytes), (expected_name, expected)) in golden.into_iter().zip(records) {
        assert_eq!((name, bytes[0]), (expected_name, 1));
        assert_eq!(decode_records(&bytes), Ok(vec![expected]), "{name}");
    }
}

/// The codes of the golden tickets are all alike, which codes never were.
#[test]
fn the_golden_records_of_version_1_fold_in_order_and_go_on_in_the_present_version() {
    let mut inventory = Inventory::default();
    let mut codes = 0..;
    for (name, bytes) in lines_of(JOURNAL_V1) {
        for mut record in decode_records(&bytes).unwrap() {
            if let Record::HoldConfirmed(order) = &mut record {
                let issued = order.tickets.iter_mut().zip(&mut codes);
                issued.for_each(|(ticket, number)| {
                    ticket.id = common::ticket_id(number);
                    ticket.code = ticket_code(number);
                });
            }
            let written = encode_records([&record].into_iter()).unwrap();
            assert_eq!(decode_records(&written), Ok(vec![record.clone()]), "{name}");
            inventory
                .replay(&record)
                .unwrap_or_else(|violation| panic!("{name}: {violation}"));
        }
        inventory.check_invariants().unwrap();
    }
    assert_eq!(inventory.seq(), v1_records().len() as u64);
}

#[test]
fn records_of_version_1_that_are_cut_short_or_too_long_are_damaged() {
    let damaged = |bytes: &[u8]| matches!(decode_records(bytes), Err(CodecError::Damaged(_)));
    for (name, bytes) in lines_of(JOURNAL_V1) {
        for length in 1..bytes.len() {
            assert!(damaged(&bytes[..length]), "{name} cut to {length} bytes");
        }
        assert!(damaged(&[&bytes[..], &[0]].concat()), "{name}");
    }
}

#[test]
fn a_snapshot_of_an_earlier_release_is_told_from_one_of_the_future() {
    let mut bytes = encode_snapshot(&Inventory::default()).unwrap();
    assert_eq!(decode_snapshot(&bytes), Ok(Inventory::default()));
    bytes[0] = 1;
    assert_eq!(decode_snapshot(&bytes), Err(CodecError::OutdatedSnapshot(1)));
    for version in [0, 3, 255] {
        bytes[0] = version;
        assert_eq!(decode_snapshot(&bytes), Err(CodecError::UnknownVersion(version)));
    }
    assert!(matches!(decode_snapshot(&[]), Err(CodecError::Damaged(_))));
}

#[test]
fn the_present_format_is_still_version_2() {
    assert_eq!(
        VERSION, 2,
        "keep journal-v2.hex, add journal-v3.hex and read all three"
    );
    for ((name, bytes), (_, record)) in golden().into_iter().zip(records()) {
        assert_eq!(
            hex(&encode_records([&record].into_iter()).unwrap()),
            hex(&bytes),
            "{name}"
        );
    }
}

#[test]
fn every_variant_has_a_golden_record() {
    // A tag that the codec knows runs out of bytes; one that it does not know is refused for itself.
    let short = decode_records(&[VERSION, 1, 0]);
    assert!(short.is_err());
    let known = (0..u8::MAX)
        .take_while(|tag| decode_records(&[VERSION, 1, *tag]) == short)
        .count();
    let tags: BTreeSet<usize> = golden().iter().map(|(_, bytes)| usize::from(bytes[2])).collect();
    assert_eq!(
        tags,
        (0..known).collect(),
        "each variant of Record needs a line in golden/journal-v2.hex"
    );
    let kinds: BTreeSet<&str> = records().iter().map(|(_, record)| kind(record)).collect();
    assert_eq!(kinds.len(), known);
}

#[test]
fn the_golden_records_fold_in_order() {
    let mut inventory = Inventory::default();
    for (name, bytes) in golden() {
        for record in decode_records(&bytes).unwrap() {
            inventory
                .replay(&record)
                .unwrap_or_else(|violation| panic!("{name}: {violation}"));
        }
        inventory.check_invariants().unwrap();
    }
    assert_eq!(inventory.seq(), golden().len() as u64);
}

#[test]
fn a_batch_is_its_records_after_version_and_count() {
    let all: Vec<Record> = records().into_iter().map(|(_, record)| record).collect();
    let mut expected = vec![VERSION, u8::try_from(all.len()).unwrap()];
    for (_, bytes) in golden() {
        expected.extend(&bytes[2..]);
    }
    assert_eq!(encode_records(all.iter()).unwrap(), expected);
    assert_eq!(decode_records(&expected), Ok(all));
}

#[test]
fn an_unknown_version_is_refused() {
    let (_, mut bytes) = golden().swap_remove(0);
    for version in [0, 3, 255] {
        bytes[0] = version;
        assert_eq!(decode_records(&bytes), Err(CodecError::UnknownVersion(version)));
    }
}
