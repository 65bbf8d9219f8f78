//! Which idempotency keys may have been seen, for the sold-out gate.
//!
//! The gate answers without asking the actor. A retry of a request that succeeded must not be told "sold out", so
//! the gate lets every key pass that this filter may contain. A false positive only costs the way to the actor.

use std::sync::atomic::{AtomicU64, Ordering};

use onsale_domain::id::KeyDigest;

const BITS_PER_KEY: usize = 16;
const WORDS_MIN: usize = 64;

/// A Bloom filter with two bits for each key, written by the actor and read by everybody.
#[derive(Debug)]
pub(crate) struct KeyFilter {
    words: Box<[AtomicU64]>,
}

impl KeyFilter {
    /// A filter with room for twice these keys, holding them.
    pub(crate) fn with(keys: impl ExactSizeIterator<Item = KeyDigest>) -> Self {
        let words = (2 * keys.len() * BITS_PER_KEY / 64)
            .next_power_of_two()
            .max(WORDS_MIN);
        let filter = Self {
            words: (0..words).map(|_| AtomicU64::new(0)).collect(),
        };
        for key in keys {
            filter.insert(key);
        }
        filter
    }

    /// Keys that it holds before false positives become common.
    pub(crate) fn room(&self) -> usize {
        self.words.len() * 64 / BITS_PER_KEY
    }

    pub(crate) fn insert(&self, key: KeyDigest) {
        for (word, bit) in self.places(key) {
            self.words[word].fetch_or(bit, Ordering::Release);
        }
    }

    pub(crate) fn may_contain(&self, key: KeyDigest) -> bool {
        self.places(key)
            .into_iter()
            .all(|(word, bit)| self.words[word].load(Ordering::Acquire) & bit != 0)
    }

    fn places(&self, key: KeyDigest) -> [(usize, u64); 2] {
        let [a, b] = [&key.0[..8], &key.0[8..]]
            .map(|half| half.iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte)));
        [a, b].map(|hash| {
            let word = usize::try_from(hash >> 6).unwrap_or(usize::MAX) & (self.words.len() - 1);
            (word, 1 << (hash & 63))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: u32) -> KeyDigest {
        let hash = blake3::hash(&number.to_be_bytes());
        let mut digest = [0; 16];
        digest.copy_from_slice(&hash.as_bytes()[..16]);
        KeyDigest(digest)
    }

    #[test]
    fn every_inserted_key_is_contained_and_few_others_are() {
        let filter = KeyFilter::with((0..10_000).map(digest).collect::<Vec<_>>().into_iter());
        assert!((0..10_000).all(|number| filter.may_contain(digest(number))));
        let false_positives = (10_000..20_000)
            .filter(|number| filter.may_contain(digest(*number)))
            .count();
        assert!(false_positives < 300, "{false_positives} of 10,000");
    }

    #[test]
    fn an_empty_filter_contains_nothing() {
        let filter = KeyFilter::with(std::iter::empty::<KeyDigest>().collect::<Vec<_>>().into_iter());
        assert!(!(0..1_000).any(|number| filter.may_contain(digest(number))));
    }
}
