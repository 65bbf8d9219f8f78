//! That keys are used for one thing each.

use super::ConfigurationError;
use super::parse::Reader;
use super::setting::{TICKET_KEYS, TOKEN_KEYS, TOKEN_SECRET};

/// Refuses a key of tickets that signs access tokens too: gates get what verifies tickets, and who loses one of the two
/// must not lose the other with it.
pub(super) fn check_apart(reader: &Reader<'_>) -> Result<(), ConfigurationError> {
    let of_tickets: Vec<_> = materials(reader.optional(&TICKET_KEYS)).collect();
    let of_tokens = materials(reader.optional(&TOKEN_KEYS)).chain(reader.optional(&TOKEN_SECRET));
    for material in of_tokens {
        if of_tickets.contains(&material) {
            return Err(ConfigurationError {
                mend: "Make keys for tickets alone: `onsale token-key --id tickets-2`".to_owned(),
                ..ConfigurationError::of(&TICKET_KEYS, "holds a key that signs access tokens too")
            });
        }
    }
    Ok(())
}

/// The keys in `ID ALGORITHM KEY` lines.
fn materials(lines: Option<&str>) -> impl Iterator<Item = &str> {
    let lines = lines.unwrap_or_default().lines().map(str::trim);
    lines
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_ascii_whitespace().nth(2))
}
