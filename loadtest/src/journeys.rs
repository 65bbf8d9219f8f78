//! What people and programs do at an on-sale.

mod abandoned_carts;
mod admins;
mod bots;
mod browse;
mod check_in;
mod flash_crowd;
mod last_ticket;

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::visit::Visit;

/// A journey by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Journey {
    /// Looks around, holds, thinks, pays.
    Browse,
    /// Buys in one call the moment the sale opens, and goes on buying.
    FlashCrowd,
    /// Runs with all others for a single ticket, again and again.
    LastTicket,
    /// Repeats keys, sends junk, comes back too soon.
    Bots,
    /// Holds and walks away.
    AbandonedCarts,
    /// Edits the event while it sells.
    Admins,
    /// Shows tickets at the door.
    CheckIn,
}

impl Journey {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Browse,
        Self::FlashCrowd,
        Self::LastTicket,
        Self::Bots,
        Self::AbandonedCarts,
        Self::Admins,
        Self::CheckIn,
    ];

    /// Its name on the command line and in results.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Browse => "browse",
            Self::FlashCrowd => "flash-crowd",
            Self::LastTicket => "last-ticket",
            Self::Bots => "bots",
            Self::AbandonedCarts => "abandoned-carts",
            Self::Admins => "admins",
            Self::CheckIn => "check-in",
        }
    }

    /// Its share of the users where nobody chose one.
    pub(crate) const fn usual_weight(self) -> u32 {
        match self {
            Self::Browse => 8,
            Self::FlashCrowd => 12,
            Self::LastTicket | Self::Bots | Self::AbandonedCarts => 3,
            Self::CheckIn => 2,
            Self::Admins => 1,
        }
    }

    /// Whether it can sell.
    pub(crate) const fn sells(self) -> bool {
        match self {
            Self::Browse | Self::FlashCrowd | Self::LastTicket | Self::Bots => true,
            Self::AbandonedCarts | Self::Admins | Self::CheckIn => false,
        }
    }
}

impl fmt::Display for Journey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Journey {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|journey| journey.as_str() == name);
        found.copied().ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|journey| journey.as_str()).collect();
            format!("no journey {name}; there are {}", names.join(", "))
        })
    }
}

/// Goes on it once.
pub(crate) async fn go(journey: Journey, visit: &mut Visit<'_>) {
    match journey {
        Journey::Browse => browse::go(visit).await,
        Journey::FlashCrowd => flash_crowd::go(visit).await,
        Journey::LastTicket => last_ticket::go(visit).await,
        Journey::Bots => bots::go(visit).await,
        Journey::AbandonedCarts => abandoned_carts::go(visit).await,
        Journey::Admins => admins::go(visit).await,
        Journey::CheckIn => check_in::go(visit).await,
    }
}
