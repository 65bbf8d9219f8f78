//! Whether this machine's clock is right, as far as others can tell.

use onsale_domain::UnixMillis;

use super::Check;

const NAME: &str = "clock";
/// The clock is wrong when it stands before this release was made (2026-01-01).
const CLOCK_MS_MIN: i64 = 1_767_225_600_000;
/// Sales open and tokens end by the clock: this much apart, two processes decide differently in a way that people see.
const SKEW_MS_WARNED: i64 = 1_000;
/// And this much apart, tokens that one issues are from the future for another.
const SKEW_MS_FAILED: i64 = 5_000;
const MEND: &str = "Let both machines follow an NTP server (timedatectl set-ntp true, chrony)";

/// Compares this machine's clock with those of others.
pub(super) struct Clocks {
    now: fn() -> UnixMillis,
}

impl Clocks {
    pub(super) fn new() -> Self {
        Self {
            now: || UnixMillis::from(jiff::Timestamp::now()),
        }
    }

    /// Whether the clock can be right at all.
    pub(super) fn plausible(&self) -> Check {
        let now = (self.now)();
        let shown = jiff::Timestamp::from_millisecond(now.0).map_or_else(
            |_| now.0.to_string(),
            |now| now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        );
        if now.0 < CLOCK_MS_MIN {
            Check::failed(NAME, format!("it says {shown}"), MEND)
        } else {
            Check::ok(NAME, shown)
        }
    }

    /// Asks somebody else, who answered between the two looks at our own clock.
    pub(super) async fn compare<E>(
        &self,
        whose: &str,
        asked: impl Future<Output = Result<UnixMillis, E>>,
    ) -> Result<Check, E> {
        let before = (self.now)();
        let theirs = asked.await?;
        let after = (self.now)();
        Ok(judge(whose, before, theirs, after))
    }
}

fn judge(whose: &str, before: UnixMillis, theirs: UnixMillis, after: UnixMillis) -> Check {
    // What lies between the two looks is no skew.
    let skew_ms = if theirs < before {
        before.0 - theirs.0
    } else {
        (theirs.0 - after.0).max(0)
    };
    let detail = format!("{skew_ms} ms from the clock of {whose}");
    if skew_ms > SKEW_MS_FAILED {
        Check::failed(NAME, detail, MEND)
    } else if skew_ms > SKEW_MS_WARNED {
        Check::warning(NAME, detail, MEND)
    } else {
        Check::ok(NAME, format!("agrees with the clock of {whose}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Outcome;
    use super::*;

    #[test]
    fn what_the_answer_took_is_no_skew() {
        let outcome = |before, theirs, after| {
            judge("x", UnixMillis(before), UnixMillis(theirs), UnixMillis(after)).outcome
        };
        assert_eq!(outcome(0, 4_000, 9_000), Outcome::Ok);
        assert_eq!(outcome(10_000, 9_000, 10_001), Outcome::Ok);
        assert_eq!(outcome(10_000, 8_999, 10_001), Outcome::Warning);
        assert_eq!(outcome(10_000, 12_000, 10_001), Outcome::Warning);
        assert_eq!(outcome(10_000, 4_999, 10_001), Outcome::Failed);
        assert_eq!(outcome(10_000, 15_002, 10_001), Outcome::Failed);
    }

    #[test]
    fn a_clock_from_before_this_release_is_wrong() {
        let clocks = Clocks {
            now: || UnixMillis(0),
        };
        assert_eq!(clocks.plausible().outcome, Outcome::Failed);
    }
}
