//! Passwords that are known from breaches, without asking anybody outside.
//!
//! Two looks. The operator's own list, where there is one, is exact. And `zxcvbn`, whose tables hold the commonest
//! leaked passwords, names and words, is asked how many guesses would find the password: twelve characters that are
//! a leaked password with a year behind it, or the same one twice, are found as well.

use std::collections::HashSet;
use std::io::{self, BufRead};

use onsale_domain::WeakPassword;
use onsale_domain::account::PASSWORD_CHARACTERS_MIN;
use zxcvbn::Score;

/// Passwords of an operator's list, at most.
const LISTED_MAX: usize = 20_000_000;

/// The passwords that nobody may have.
#[derive(Default)]
pub struct BreachedPasswords {
    /// Of each, the first bytes of its digest: one in some 10¹¹ good passwords is refused by mistake.
    listed: HashSet<u64>,
}

impl BreachedPasswords {
    /// Reads an operator's list: one password in each line. Shorter ones than anybody may have are left out.
    ///
    /// Errors: those of reading; a line that is no UTF-8 among them, and more than twenty million lines.
    pub fn read(list: impl BufRead) -> io::Result<Self> {
        let mut listed = HashSet::new();
        for line in list.lines() {
            let line = line?;
            if line.chars().count() < PASSWORD_CHARACTERS_MIN {
                continue;
            }
            if listed.len() >= LISTED_MAX {
                return Err(io::Error::new(
                    io::ErrorKind::FileTooLarge,
                    "more than 20 million passwords",
                ));
            }
            listed.insert(digest(&line));
        }
        Ok(Self { listed })
    }

    /// Refuses a password that somebody would try early. `known` is what they know of the person.
    pub(super) fn check(&self, password: &str, known: &[&str]) -> Result<(), WeakPassword> {
        let is_listed = !self.listed.is_empty() && self.listed.contains(&digest(password));
        // Below three are what fewer than 10⁸ guesses find.
        if is_listed || zxcvbn::zxcvbn(password, known).score() < Score::Three {
            return Err(WeakPassword::Breached);
        }
        Ok(())
    }
}

fn digest(password: &str) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&blake3::hash(password.as_bytes()).as_bytes()[..8]);
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaked_passwords_and_what_is_made_of_them_are_refused() {
        let breached = BreachedPasswords::default();
        for bad in [
            "passwordpassword",
            "password1234",
            "Password2024!",
            "123456789012",
            "qwertyuiopasdf",
            "iloveyouiloveyou",
            "aaaaaaaaaaaaaaaa",
            "abcdefghijkl",
            "P@ssw0rd1234",
            "lovelace1815",
        ] {
            let known = ["ada.lovelace@example.org", "Ada Lovelace", "lovelace"];
            assert_eq!(breached.check(bad, &known), Err(WeakPassword::Breached), "{bad}");
        }
        for good in ["a quiet harbour at dusk", "Xk2#vq9LmZ7!", "lantern-gravel-otter"] {
            assert_eq!(breached.check(good, &["ada@example.org"]), Ok(()), "{good}");
        }
    }

    #[test]
    fn an_operators_list_is_exact() {
        let list = "short\na quiet harbour at dusk\r\n";
        let breached = BreachedPasswords::read(list.as_bytes()).unwrap();
        assert_eq!(breached.listed.len(), 1);
        let refused = breached.check("a quiet harbour at dusk", &[]);
        assert_eq!(refused, Err(WeakPassword::Breached));
        assert_eq!(breached.check("a quiet harbour at dawn", &[]), Ok(()));
        assert!(BreachedPasswords::read(&b"\xff\xfe\n"[..]).is_err());
    }
}
