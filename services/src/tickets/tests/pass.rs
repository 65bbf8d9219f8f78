//! What passes for a ticket's code, and what does not.

use data_encoding::BASE32_NOPAD;
use onsale_domain::{EventId, TicketId};
use uuid::Uuid;

use super::keys;
use crate::tickets::{PassError, TicketKeys, TicketPass};

fn pass() -> TicketPass {
    TicketPass {
        event_id: EventId(Uuid::now_v7()),
        ticket_id: TicketId(Uuid::now_v7()),
        version: 3,
    }
}

fn decoded(text: &str) -> Vec<u8> {
    BASE32_NOPAD.decode(text.as_bytes()).unwrap()
}

/// Bytes of format 1: event, ticket and version come before the key's id.
const EVENT: std::ops::Range<usize> = 1..17;
const VERSION: std::ops::Range<usize> = 33..37;
const KEY_ID_LENGTH: usize = 37;

#[test]
fn a_code_says_what_was_signed_and_is_the_same_each_time() {
    let (keys, pass) = (keys(), pass());
    let text = pass.encode(&keys);
    let verified = TicketPass::parse_and_verify(&text, &keys).unwrap();
    assert_eq!((verified.pass, verified.key_id.as_str()), (pass, "2026-11"));
    assert_eq!(pass.encode(&keys), text);
    assert!(
        text.bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()),
        "packs as the alphanumeric mode of QR: {text}"
    );
}

#[test]
fn no_flipped_bit_passes() {
    let keys = keys();
    let bytes = decoded(&pass().encode(&keys));
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let read = TicketPass::parse_and_verify(&BASE32_NOPAD.encode(&flipped), &keys);
        assert!(read.is_err(), "bit {bit}");
    }
}

#[test]
fn parts_of_two_good_codes_do_not_make_a_third() {
    let keys = keys();
    let (one, other) = (pass(), pass());
    let (one, other) = (decoded(&one.encode(&keys)), decoded(&other.encode(&keys)));
    let signature = one.len() - 64;
    for part in [EVENT, 17..33, VERSION, signature..one.len()] {
        let mut mixed = one.clone();
        mixed[part.clone()].copy_from_slice(&other[part.clone()]);
        if mixed == one {
            continue;
        }
        let read = TicketPass::parse_and_verify(&BASE32_NOPAD.encode(&mixed), &keys);
        assert_eq!(read, Err(PassError::WrongSignature), "{part:?}");
    }
}

#[test]
fn codes_of_another_key_another_format_or_another_length_are_told_apart() {
    let keys = keys();
    let text = pass().encode(&keys);
    let same_id = TicketKeys::parse(&TicketKeys::generate("2026-11").unwrap()).unwrap();
    let other_id = TicketKeys::parse(&TicketKeys::generate("2027-01").unwrap()).unwrap();
    let check = |text: &str, keys: &TicketKeys, error| {
        assert_eq!(TicketPass::parse_and_verify(text, keys), Err(error), "{text}");
    };
    check(&text, &same_id, PassError::WrongSignature);
    check(&text, &other_id, PassError::UnknownKey);
    for format in [0, 2, 255] {
        let mut bytes = decoded(&text);
        bytes[0] = format;
        check(&BASE32_NOPAD.encode(&bytes), &keys, PassError::UnknownFormat);
    }
    for length in 0..text.len() {
        assert!(
            TicketPass::parse_and_verify(&text[..length], &keys).is_err(),
            "{length}"
        );
    }
    for length in [0, 5, 8, 255] {
        let mut bytes = decoded(&text);
        bytes[KEY_ID_LENGTH] = length;
        check(&BASE32_NOPAD.encode(&bytes), &keys, PassError::Unreadable);
    }
    check(&"A".repeat(10_000), &keys, PassError::Unreadable);
}

#[test]
fn a_code_has_one_spelling() {
    let keys = keys();
    let text = pass().encode(&keys);
    let lower = text.to_lowercase();
    let padded = format!("{text}======");
    let spaced = format!(" {text}");
    let longer = format!("{text}A");
    for other in [lower, padded, spaced, longer] {
        let read = TicketPass::parse_and_verify(&other, &keys);
        assert_eq!(read, Err(PassError::Unreadable), "{other}");
    }
    // Bits that are left over in the last letter are zero. A key's id of seven letters leaves some.
    let last = text.len() - 1;
    let others = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".chars();
    let good = others.filter(|letter| {
        let other = format!("{}{letter}", &text[..last]);
        TicketPass::parse_and_verify(&other, &keys).is_ok()
    });
    assert_eq!(good.count(), 1);
}

#[test]
fn the_first_key_signs_and_all_verify() {
    let (old, new) = (
        TicketKeys::generate("old").unwrap(),
        TicketKeys::generate("new").unwrap(),
    );
    let before = TicketKeys::parse(&old).unwrap();
    let rotated = TicketKeys::parse(&format!("{new}\n{old}")).unwrap();
    let pass = pass();
    let verified = TicketPass::parse_and_verify(&pass.encode(&before), &rotated).unwrap();
    assert_eq!(verified.key_id, "old");
    let verified = TicketPass::parse_and_verify(&pass.encode(&rotated), &rotated).unwrap();
    assert_eq!(verified.key_id, "new");
    let set = rotated.public_set();
    let ids: Vec<_> = set["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| &key["kid"])
        .collect();
    assert_eq!(ids, ["new", "old"]);
    assert!(!set.to_string().contains(new.split(' ').nth(2).unwrap()));
}

#[test]
fn only_ed25519_keys_with_short_ids_sign_tickets() {
    let long = "x".repeat(17);
    let hmac = format!("k HS256 {}", "A".repeat(43));
    let good = TicketKeys::generate("k").unwrap();
    for lines in ["", &hmac, &format!("{good}\n{good}"), "k EdDSA AAAA"] {
        assert!(TicketKeys::parse(lines).is_err(), "{lines}");
    }
    assert!(TicketKeys::generate(&long).is_err());
}
