//! The journal's format: bytes that an earlier release wrote must be read by every later one.
//!
//! `golden/journal-v1.hex` holds one batch of one record on each line, after a name. Lines are only ever added: when
//! a record gets a new variant, add it to `records` below and append the line that the failing test prints.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod common;
#[path = "golden/records.rs"]
mod records;

use std::collections::BTreeSet;
use std::fmt::Write;

use common::kind;
use onsale_domain::codec::{CodecError, VERSION, decode_records, encode_records};
use onsale_domain::{Inventory, Record};
use records::records;

const JOURNAL_V1: &str = include_str!("golden/journal-v1.hex");

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

/// Names and bytes of the checked-in lines.
fn golden() -> Vec<(&'static str, Vec<u8>)> {
    let lines = JOURNAL_V1.lines().filter(|line| !line.starts_with('#'));
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
            .unwrap_or_else(|| panic!("append this line to golden/journal-v1.hex:\n{}", line()));
        assert_eq!(decode_records(bytes), Ok(vec![expected.clone()]), "{name}");
    }
    assert_eq!(golden.len(), records().len(), "a golden record is never removed");
}

#[test]
fn the_present_format_is_still_version_1() {
    assert_eq!(
        VERSION, 1,
        "keep journal-v1.hex, add journal-v2.hex and read both"
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
        "each variant of Record needs a line in golden/journal-v1.hex"
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
    for version in [0, 2, 3, 255] {
        bytes[0] = version;
        assert_eq!(decode_records(&bytes), Err(CodecError::UnknownVersion(version)));
    }
}
