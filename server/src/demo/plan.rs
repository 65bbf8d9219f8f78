//! What one demo is to do.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use crate::configuration::JournalKind;

/// What is crashed midway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Crash {
    /// Nothing.
    None,
    /// The event's actor, in a living process.
    Actor,
    /// The serving process, with kill -9.
    Process,
}

/// Everything that a demo needs to know.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Tickets on sale.
    pub(crate) capacity: u32,
    /// Buyers who come.
    pub(crate) buyers: u32,
    /// How long they keep coming.
    pub(crate) duration: Duration,
    /// Decides arrivals and behaviours; the same seed, the same storm.
    pub(crate) seed: u64,
    /// What is crashed midway.
    pub(crate) crash: Crash,
    /// Where the serving process makes its records durable.
    pub(crate) journal: JournalKind,
    /// A Postgres to use in place of the embedded one.
    pub(crate) database_url: Option<SecretString>,
    /// Directory for everything the demo leaves behind.
    pub(crate) directory: PathBuf,
    /// Log directives of the serving process.
    pub(crate) log: String,
}

/// Why buyers, rate and duration do not go together.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub(crate) enum CrowdError {
    /// All three were given.
    #[error("give at most two of --buyers, --rate and --duration: the third follows")]
    Overdetermined,
    /// The crowd that follows is empty or too large.
    #[error("these come to {0} buyers; a demo takes 1 to 2000000")]
    BadSize(f64),
    /// The duration that follows is out of range.
    #[error("these come to {0} seconds; a demo takes 0.1 to 600")]
    BadDuration(f64),
}

const BUYERS_DEFAULT: f64 = 50_000.0;
const DURATION_DEFAULT_SECONDS: f64 = 12.0;

/// Buyers and duration from whichever of buyers, rate and duration were given.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked against the range before"
)]
pub(crate) fn crowd(
    buyers: Option<u32>,
    rate: Option<f64>,
    duration: Option<f64>,
) -> Result<(u32, Duration), CrowdError> {
    let (buyers, seconds) = match (buyers.map(f64::from), rate, duration) {
        (Some(_), Some(_), Some(_)) => return Err(CrowdError::Overdetermined),
        (Some(buyers), Some(rate), None) => (buyers, buyers / rate),
        (None, Some(rate), Some(seconds)) => (rate * seconds, seconds),
        (None, Some(rate), None) => (BUYERS_DEFAULT, BUYERS_DEFAULT / rate),
        (buyers, None, seconds) => (
            buyers.unwrap_or(BUYERS_DEFAULT),
            seconds.unwrap_or(DURATION_DEFAULT_SECONDS),
        ),
    };
    if !(0.1..=600.0).contains(&seconds) {
        return Err(CrowdError::BadDuration(seconds));
    }
    if !(1.0..=2_000_000.0).contains(&buyers) {
        return Err(CrowdError::BadSize(buyers));
    }
    Ok((buyers as u32, Duration::from_secs_f64(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_of_buyers_rate_and_duration_follows() {
        let seconds = Duration::from_secs;
        assert_eq!(crowd(None, None, None), Ok((50_000, seconds(12))));
        assert_eq!(crowd(Some(1_000), Some(100.0), None), Ok((1_000, seconds(10))));
        assert_eq!(crowd(None, Some(100.0), Some(5.0)), Ok((500, seconds(5))));
        assert_eq!(crowd(Some(7), None, Some(3.0)), Ok((7, seconds(3))));
        assert_eq!(
            crowd(Some(1), Some(1.0), Some(1.0)),
            Err(CrowdError::Overdetermined)
        );
        assert!(crowd(None, Some(0.0), None).is_err());
        assert!(crowd(None, Some(f64::NAN), Some(1.0)).is_err());
        assert_eq!(crowd(Some(0), None, None), Err(CrowdError::BadSize(0.0)));
    }
}
