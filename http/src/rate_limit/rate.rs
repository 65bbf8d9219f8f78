//! Kinds of traffic and their rates.

use std::num::NonZeroU32;
use std::time::Duration;

/// Kinds of traffic with limits of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Traffic {
    /// Reading the catalog, by account, else by network.
    Read,
    /// Holds, purchases and orders, by account.
    Sale,
    /// Staff, by account.
    Staff,
    /// Scans at the door, by account.
    Door,
    /// Being refused for want of a permission, by account: each refusal is kept for ever.
    Refused,
    /// Whatever passwords and refresh tokens can be guessed at, by network.
    Auth,
    /// The same, by the account that is tried: guesses may come from many networks.
    AuthAccount,
}

impl Traffic {
    /// All kinds, in the order of their numbers.
    pub(super) const ALL: [Self; 7] = [
        Self::Read,
        Self::Sale,
        Self::Staff,
        Self::Door,
        Self::Refused,
        Self::Auth,
        Self::AuthAccount,
    ];

    /// The policy's name in headers and shared keys.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Sale => "sale",
            Self::Staff => "staff",
            Self::Door => "door",
            Self::Refused => "refused",
            Self::Auth => "auth",
            Self::AuthAccount => "auth-account",
        }
    }

    /// Whether a request waits for what other processes have counted. Buyers and gates do not: they must not feel Redis.
    pub(super) const fn waits_for_others(self) -> bool {
        match self {
            Self::Read | Self::Sale | Self::Door | Self::Refused => false,
            Self::Staff | Self::Auth | Self::AuthAccount => true,
        }
    }
}

/// A rate, and how far a client may run ahead of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    interval: Duration,
    burst: NonZeroU32,
}

impl Rate {
    /// So many requests a second; `None` where either number is zero, which means no limit.
    pub fn per_second(requests: u32, burst: u32) -> Option<Self> {
        Self::over(Duration::from_secs(1), requests, burst)
    }

    /// So many requests a minute, all of them at once if need be; `None` for zero, which means no limit.
    pub fn per_minute(requests: u32) -> Option<Self> {
        Self::over(Duration::from_mins(1), requests, requests)
    }

    fn over(period: Duration, requests: u32, burst: u32) -> Option<Self> {
        Some(Self {
            interval: (period / NonZeroU32::new(requests)?.get()).max(Duration::from_micros(1)),
            burst: NonZeroU32::new(burst)?,
        })
    }

    /// The time in which one request comes back.
    pub(super) const fn interval(self) -> Duration {
        self.interval
    }

    /// Requests at once.
    pub(super) const fn burst(self) -> NonZeroU32 {
        self.burst
    }

    /// The time in which a whole burst comes back.
    pub(super) fn window(self) -> Duration {
        self.interval.saturating_mul(self.burst.get())
    }

    /// A part of this rate.
    pub(super) fn divided_by(self, divisor: NonZeroU32) -> Self {
        Self {
            interval: self.interval.saturating_mul(divisor.get()),
            burst: NonZeroU32::new(self.burst.get() / divisor).unwrap_or(NonZeroU32::MIN),
        }
    }
}

/// The limits of one client. `None`: no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimitConfig {
    /// Reading the catalog, by account, else by network.
    pub read: Option<Rate>,
    /// Holds, purchases and orders, by account.
    pub sale: Option<Rate>,
    /// Staff, by account.
    pub staff: Option<Rate>,
    /// Scans at the door, by account: all gates of an event may share one.
    pub door: Option<Rate>,
    /// Refusals for want of a permission, by account; whoever is refused more often is not told why.
    pub refused: Option<Rate>,
    /// Logging in and what else passwords and refresh tokens can be guessed at, by network.
    pub auth: Option<Rate>,
    /// The same, by the account that is tried.
    pub auth_account: Option<Rate>,
}

impl RateLimitConfig {
    /// No limits at all.
    pub const NONE: Self = Self {
        read: None,
        sale: None,
        staff: None,
        door: None,
        refused: None,
        auth: None,
        auth_account: None,
    };

    pub(super) const fn of(&self, traffic: Traffic) -> Option<Rate> {
        match traffic {
            Traffic::Read => self.read,
            Traffic::Sale => self.sale,
            Traffic::Staff => self.staff,
            Traffic::Door => self.door,
            Traffic::Refused => self.refused,
            Traffic::Auth => self.auth,
            Traffic::AuthAccount => self.auth_account,
        }
    }
}

impl Default for RateLimitConfig {
    fn default() -> Self {
        Self {
            read: Rate::per_second(200, 400),
            sale: Rate::per_second(50, 100),
            staff: Rate::per_second(100, 200),
            door: Rate::per_second(2_000, 4_000),
            refused: Rate::per_minute(30),
            auth: Rate::per_minute(30),
            auth_account: Rate::per_minute(10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_means_no_limit() {
        assert_eq!(Rate::per_second(0, 1), None);
        assert_eq!(Rate::per_second(1, 0), None);
        assert_eq!(Rate::per_minute(0), None);
        assert_eq!(
            Rate::per_minute(30).map(Rate::window),
            Some(Duration::from_mins(1))
        );
    }

    #[test]
    fn kinds_are_numbered_in_their_order() {
        for (number, traffic) in Traffic::ALL.into_iter().enumerate() {
            assert_eq!(traffic as usize, number);
        }
    }
}
