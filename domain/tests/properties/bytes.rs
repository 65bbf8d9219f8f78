//! Bytes that are not what was written: decoding never panics.

use onsale_domain::codec::{CodecError, decode_records, decode_snapshot, encode_records, encode_snapshot};
use onsale_domain::{Inventory, Record, UnixMillis};
use proptest::prelude::*;

use super::reference::Reference;
use super::steps::{Step, prepared};
use super::strategies::steps;

/// The records and the state that some steps lead to.
fn sell(steps: &[Step]) -> (Vec<Record>, Inventory) {
    let mut reference = Reference::default();
    let mut inventory = Inventory::default();
    let mut now = 0;
    for (at, command) in prepared([10, 5, 3]) {
        now = at;
        reference.apply(&command, now).unwrap();
        inventory.apply(&command, UnixMillis(now)).unwrap();
    }
    for step in steps {
        now = step.wait.end(now, &reference);
        let command = step.action.command(&reference);
        let _ = reference.apply(&command, now);
        let _ = inventory.apply(&command, UnixMillis(now));
    }
    (reference.journal, inventory)
}

fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..Default::default() })]

    #[test]
    fn records_cut_short_anywhere_are_refused(steps in steps(30)) {
        let bytes = encode_records(sell(&steps).0.iter()).unwrap();
        for length in 0..bytes.len() {
            prop_assert!(decode_records(&bytes[..length]).is_err(), "{} of {} bytes", length, bytes.len());
        }
        let longer = [&bytes[..], &[0]].concat();
        prop_assert!(decode_records(&longer).is_err());
    }

    #[test]
    fn a_flipped_bit_in_records_never_panics(steps in steps(30)) {
        let bytes = encode_records(sell(&steps).0.iter()).unwrap();
        for bit in 0..8 * bytes.len() {
            let _ = decode_records(&flipped(&bytes, bit));
        }
    }

    #[test]
    fn a_snapshot_cut_short_or_with_a_flipped_bit_never_panics(steps in steps(30)) {
        let bytes = encode_snapshot(&sell(&steps).1).unwrap();
        for length in 0..bytes.len() {
            prop_assert!(decode_snapshot(&bytes[..length]).is_err());
        }
        for bit in 0..8 * bytes.len() {
            let _ = decode_snapshot(&flipped(&bytes, bit));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn random_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        for version in [1, 2] {
            let bytes = [&[version][..], &body].concat();
            let _ = decode_records(&bytes);
            let _ = decode_snapshot(&bytes);
        }
        let _ = decode_records(&body);
    }

    #[test]
    fn a_version_of_the_future_is_refused(version in 3_u8.., body in prop::collection::vec(any::<u8>(), 0..50)) {
        let bytes = [&[version][..], &body].concat();
        prop_assert_eq!(decode_records(&bytes), Err(CodecError::UnknownVersion(version)));
        prop_assert_eq!(decode_snapshot(&bytes), Err(CodecError::UnknownVersion(version)));
    }
}
