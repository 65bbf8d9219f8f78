//! What an account may look like: its mail address, and which passwords it may have.

use std::fmt;

use thiserror::Error;

/// Bytes of a mail address (RFC 5321, 4.5.3.1.3, without the angle brackets).
pub const EMAIL_BYTES_MAX: usize = 254;
/// Bytes of the part before the `@`.
const LOCAL_PART_BYTES_MAX: usize = 64;
/// Fewest characters of a password. Length is what makes guessing dear; nothing is said about kinds of characters.
pub const PASSWORD_CHARACTERS_MIN: usize = 12;
/// Most characters of a password, so that nobody has us hash a book.
pub const PASSWORD_CHARACTERS_MAX: usize = 128;
/// Most characters of a person's name.
pub const NAME_CHARACTERS_MAX: usize = 100;
/// The first word that somebody tries here.
const SERVICE_NAME: &str = "onsale";

/// A mail address in the one spelling that accounts are found by: ASCII, lower case, no space around it. An
/// internationalized domain comes in its ASCII form (RFC 5890).
///
/// Its `Debug` shows nothing, so that no log does.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress(String);

/// A text that is no mail address to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a mail address")]
pub struct NotAnEmailAddress;

impl EmailAddress {
    /// Reads an address as a person writes it. Whether anybody receives mail there, only a mail can tell.
    pub fn parse(text: &str) -> Result<Self, NotAnEmailAddress> {
        let address = text.trim_ascii().to_ascii_lowercase();
        let (local_part, domain) = address.rsplit_once('@').ok_or(NotAnEmailAddress)?;
        let fits = address.len() <= EMAIL_BYTES_MAX && local_part.len() <= LOCAL_PART_BYTES_MAX;
        if fits && is_dotted(local_part, is_atom) && is_dotted(domain, is_label) {
            Ok(Self(address))
        } else {
            Err(NotAnEmailAddress)
        }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the `@`.
    fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local_part, _)| local_part)
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(..)")
    }
}

/// Whether the parts between the dots are each something and good.
fn is_dotted(text: &str, is_good: fn(&str) -> bool) -> bool {
    text.split('.').all(|part| !part.is_empty() && is_good(part))
}

/// `atext` of RFC 5322; quoted local parts are legal and nobody has one.
fn is_atom(part: &str) -> bool {
    part.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
}

fn is_label(part: &str) -> bool {
    part.len() <= 63
        && !part.starts_with('-')
        && !part.ends_with('-')
        && part
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Why a password is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WeakPassword {
    /// Too short.
    #[error("a password needs at least {PASSWORD_CHARACTERS_MIN} characters")]
    TooShort,
    /// Too long.
    #[error("a password has at most {PASSWORD_CHARACTERS_MAX} characters")]
    TooLong,
    /// The account's own mail address, or what stands before its `@`.
    #[error("a password must not be the account's mail address")]
    LikeEmail,
    /// Made from the name of this software.
    #[error("a password must not contain the name of the service")]
    LikeService,
    /// Known from a breach, or put together from what is.
    #[error("this password is known from breaches, or as easy to guess as one that is")]
    Breached,
}

/// Checks what can be checked without a list: [`WeakPassword::Breached`] is somebody else's to find.
pub fn check_password(password: &str, email: &EmailAddress) -> Result<(), WeakPassword> {
    let characters = password.chars().count();
    if characters < PASSWORD_CHARACTERS_MIN {
        return Err(WeakPassword::TooShort);
    }
    if characters > PASSWORD_CHARACTERS_MAX {
        return Err(WeakPassword::TooLong);
    }
    if password.eq_ignore_ascii_case(email.as_str()) || password.eq_ignore_ascii_case(email.local_part()) {
        return Err(WeakPassword::LikeEmail);
    }
    if password.to_ascii_lowercase().contains(SERVICE_NAME) {
        return Err(WeakPassword::LikeService);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_spelling() {
        for (written, kept) in [
            ("Ada@Example.ORG", "ada@example.org"),
            ("  ada+tickets@example.org\n", "ada+tickets@example.org"),
            ("o'brien@mail.example", "o'brien@mail.example"),
            ("a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
            ("root@localhost", "root@localhost"),
        ] {
            assert_eq!(EmailAddress::parse(written).unwrap().as_str(), kept);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.org", "a".repeat(65));
        let longer = format!("a@{}example", "abc.".repeat(70));
        for bad in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.org",
            "a@b@c.example",
            "ada@-example.org",
            "ada@example..org",
            ".ada@example.org",
            "ada lovelace@example.org",
            "\"ada\"@example.org",
            "ada@exämple.org",
            "ada\0@example.org",
            "Ada <ada@example.org>",
            &long,
            &longer,
        ] {
            assert_eq!(EmailAddress::parse(bad), Err(NotAnEmailAddress), "{bad}");
        }
    }

    #[test]
    fn an_address_does_not_show_in_debug_output() {
        let shown = format!("{:?}", EmailAddress::parse("ada@example.org").unwrap());
        assert!(!shown.contains("ada"), "{shown}");
    }

    #[test]
    fn passwords_are_measured_in_characters_and_are_not_the_obvious_ones() {
        let email = EmailAddress::parse("ada.lovelace@example.org").unwrap();
        for (password, expected) in [
            ("elf zeichen", Err(WeakPassword::TooShort)),
            ("zwölf zeiche", Ok(())),
            ("Ada.Lovelace", Err(WeakPassword::LikeEmail)),
            ("ADA.lovelace@example.org", Err(WeakPassword::LikeEmail)),
            ("ada.lovelace the first", Ok(())),
            ("my OnSale account", Err(WeakPassword::LikeService)),
        ] {
            assert_eq!(check_password(password, &email), expected, "{password}");
        }
        let longest = "ä".repeat(PASSWORD_CHARACTERS_MAX);
        assert_eq!(check_password(&longest, &email), Ok(()));
        let longer = format!("{longest}ä");
        assert_eq!(check_password(&longer, &email), Err(WeakPassword::TooLong));
    }
}
