//! Words of the code, such as the name of a field in a refusal, that come back from another process.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Deserializer};

/// A word that stands in the code. The name hides from serde that it is a reference, which would otherwise want to
/// borrow it from the message.
pub type Word = &'static str;

/// Words that are kept at most. The code has far fewer; only a process that makes some up would reach it.
const WORDS_MAX: usize = 1_024;
/// Longest word that is kept, in bytes.
const WORD_BYTES_MAX: usize = 256;
/// Stands for what is not kept.
const OTHER: Word = "other";

static WORDS: Mutex<BTreeSet<Word>> = Mutex::new(BTreeSet::new());

/// The word that reads like this. Each is kept once and for ever, so there is a bound on how many and how long they are;
/// what is beyond it becomes "other".
pub fn intern(text: &str) -> Word {
    let mut words = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(word) = words.get(text) {
        return word;
    }
    if words.len() >= WORDS_MAX || text.len() > WORD_BYTES_MAX {
        return OTHER;
    }
    let word: Word = Box::leak(text.to_owned().into_boxed_str());
    words.insert(word);
    word
}

/// For serde's `deserialize_with`.
///
/// Errors: what the deserializer says of something that is no text.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Word, D::Error> {
    String::deserialize(deserializer).map(|text| intern(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_kept_once_and_what_is_too_long_is_not() {
        let first = intern("quantity");
        assert!(std::ptr::eq(first, intern(&["quan", "tity"].concat())));
        assert_eq!(intern(&"x".repeat(WORD_BYTES_MAX + 1)), OTHER);
    }
}
