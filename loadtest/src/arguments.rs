//! The command line.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser};
use url::Url;

use crate::journeys::Journey;

const EXAMPLES: &str = "\
Examples:
  onsale token --load-test --ttl 3600 --count 2000 > buyers.txt
  onsale-load --admin-file admin.json --token-file buyers.txt
  onsale-load --admin-file admin.json --token-file buyers.txt --journey flash-crowd --users 200 --capacity 20000
  onsale-load --admin-file admin.json --journey browse=3 --journey bots --rate 50 --duration 60 --audit-command 'onsale audit --json'

admin.json is what `onsale admin create --email ada@example.org --json` printed. The server limits requests by caller and
registrations by address: serve with ONSALE_RATE_LIMIT_PER_SECOND=0 to see the engine and not the limits, and with
ONSALE_DRILLS=true to have tokens last longer than 15 minutes.

The table goes to stdout, progress to stderr. Exit codes: 0 all holds, 1 the verdict or a threshold failed, 2 usage,
70 the load test could not be run.";

// Not `Debug`: the address, the token and the auditor's command line may hold secrets.
/// Loads a running Onsale with journeys of buyers, bots, staff and gates.
#[derive(Clone, Parser)]
#[command(name = "onsale-load", version, after_help = EXAMPLES)]
pub struct Arguments {
    /// Where the API is
    #[arg(
        long,
        env = "ONSALE_LOAD_ADDRESS",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080"
    )]
    pub address: Url,
    /// Where the internal port is; with it, the audit waits until everything is in the tables
    #[arg(long, env = "ONSALE_LOAD_INTERNAL", value_name = "URL")]
    pub internal: Option<Url>,
    #[expect(
        missing_docs,
        reason = "a doc comment here would become the help of the whole group"
    )]
    #[command(flatten)]
    pub staff: StaffArguments,
    /// Access tokens of buyers, one a line; without it, as many accounts as users are registered
    #[arg(long, env = "ONSALE_LOAD_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Tickets of the event
    #[arg(long, env = "ONSALE_LOAD_CAPACITY", value_name = "N", default_value_t = 100_000,
        value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub capacity: u32,
    /// Users at once, shared among the journeys
    #[arg(long, env = "ONSALE_LOAD_USERS", value_name = "N", default_value_t = 64,
        value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub users: u32,
    /// Journeys begun each second, by all users together; 0: each user begins the next when the last is over. Users on
    /// last-ticket keep their rounds instead, and their part of the rate is not made up for
    #[arg(long, env = "ONSALE_LOAD_RATE", value_name = "N", default_value_t = 0.0, value_parser = not_negative)]
    pub rate: f64,
    /// Seconds from the opening of the sale
    #[arg(long, env = "ONSALE_LOAD_DURATION", value_name = "SECONDS", default_value_t = 30,
        value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub duration: u32,
    /// A journey and its share of the users; may be repeated [default: all, most of them buyers]
    #[arg(
        long = "journey",
        env = "ONSALE_LOAD_JOURNEYS",
        value_name = "NAME[=SHARE]",
        value_delimiter = ','
    )]
    pub journeys: Vec<Share>,
    /// Seconds that a hold lives
    #[arg(long, env = "ONSALE_LOAD_HOLD_SECONDS", value_name = "SECONDS", default_value_t = 5,
        value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub hold_seconds: u32,
    /// What chance begins with
    #[arg(long, env = "ONSALE_LOAD_SEED", value_name = "N", default_value_t = 1)]
    pub seed: u64,
    #[expect(
        missing_docs,
        reason = "a doc comment here would become the help of the whole group"
    )]
    #[command(flatten)]
    pub thresholds: Thresholds,
    #[expect(
        missing_docs,
        reason = "a doc comment here would become the help of the whole group"
    )]
    #[command(flatten)]
    pub output: Output,
    /// The auditor, as `onsale audit --json`, in this environment; `--clients FILE` with what buyers were told is added
    /// to it. An auditor that does not come to a result fails the run; without this the verdict says that nobody audited
    #[arg(long, env = "ONSALE_LOAD_AUDIT_COMMAND", value_name = "COMMAND")]
    pub audit_command: Option<String>,
}

/// Who sets the event up and edits it: an admin.
// Not `Debug`: it may hold a token.
#[derive(Clone, Args)]
#[group(required = true, multiple = false)]
pub struct StaffArguments {
    /// What `onsale admin create --json` printed; the load test logs in with it
    #[arg(long, env = "ONSALE_LOAD_ADMIN_FILE", value_name = "FILE")]
    pub admin_file: Option<PathBuf>,
    /// An admin's access token; prefer the environment, others can see command lines
    #[arg(
        long,
        env = "ONSALE_LOAD_ADMIN_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    pub admin_token: Option<String>,
}

/// What the run must reach.
#[derive(Clone, Debug, Args)]
pub struct Thresholds {
    /// Fewest sales acknowledged a second
    #[arg(long, env = "ONSALE_LOAD_GOODPUT_MIN", value_name = "N", default_value_t = 0.0, value_parser = not_negative)]
    pub goodput_min: f64,
    /// Longest that 99 of 100 sales may take, in milliseconds
    #[arg(long, env = "ONSALE_LOAD_P99_MS_MAX", value_name = "MS", value_parser = not_negative)]
    pub p99_ms_max: Option<f64>,
    /// Most answers that no journey expects
    #[arg(long, env = "ONSALE_LOAD_ERRORS_MAX", value_name = "N", default_value_t = 0)]
    pub errors_max: u64,
    /// Most journeys that were due and that no user was free for [default: 0 with --rate, any number without]
    #[arg(long, env = "ONSALE_LOAD_NOT_BEGUN_MAX", value_name = "N")]
    pub not_begun_max: Option<u64>,
}

/// Where results go beside the terminal.
#[derive(Clone, Debug, Args)]
pub struct Output {
    /// Write the results as JSON
    #[arg(long, env = "ONSALE_LOAD_JSON", value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write the results as a page
    #[arg(long, env = "ONSALE_LOAD_HTML", value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write what buyers were told: a line of JSON for each acknowledged order, those for the door too
    #[arg(long, env = "ONSALE_LOAD_LOG", value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// No progress lines
    #[arg(long, env = "ONSALE_LOAD_QUIET")]
    pub quiet: bool,
}

/// A journey and how many users go on it, in proportion to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Which.
    pub journey: Journey,
    /// In proportion; from 1 to 1,000.
    pub weight: u32,
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, weight) = text.split_once('=').unwrap_or((text, "1"));
        let journey = name.parse()?;
        let weight = weight.parse().ok().filter(|weight| (1..=1_000).contains(weight));
        let weight = weight.ok_or_else(|| format!("{text}: give a share from 1 to 1000"))?;
        Ok(Self { journey, weight })
    }
}

impl Arguments {
    /// The address as results show it: without a name and a password.
    pub(crate) fn shown_address(&self) -> String {
        let mut shown = self.address.clone();
        // An address that cannot have them has none.
        let _ = shown.set_username("");
        let _ = shown.set_password(None);
        shown.to_string()
    }

    /// The journeys that were asked for, or all.
    pub(crate) fn shares(&self) -> Vec<Share> {
        if self.journeys.is_empty() {
            let usual = |journey: &Journey| Share {
                journey: *journey,
                weight: journey.usual_weight(),
            };
            return Journey::ALL.iter().map(usual).collect();
        }
        let mut shares: Vec<Share> = Vec::new();
        for share in &self.journeys {
            match shares.iter_mut().find(|known| known.journey == share.journey) {
                Some(known) => known.weight = known.weight.saturating_add(share.weight),
                None => shares.push(*share),
            }
        }
        shares
    }
}

fn not_negative(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok();
    number
        .filter(|number| number.is_finite() && *number >= 0.0)
        .ok_or_else(|| "give a number that is not negative".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(given: &[&str]) -> Arguments {
        let fixed = ["onsale-load", "--admin-token", "token"];
        Arguments::try_parse_from(fixed.iter().chain(given)).unwrap()
    }

    #[test]
    fn without_a_choice_every_journey_runs() {
        let shares = arguments(&[]).shares();
        assert_eq!(shares.len(), Journey::ALL.len());
    }

    #[test]
    fn a_journey_that_is_named_twice_has_both_shares() {
        let given = ["--journey", "bots=2", "--journey", "browse,bots"];
        let shares = arguments(&given).shares();
        let weights: Vec<_> = shares.iter().map(|share| (share.journey, share.weight)).collect();
        assert_eq!(weights, [(Journey::Bots, 3), (Journey::Browse, 1)]);
    }

    #[test]
    fn the_address_is_shown_without_its_password() {
        let shown = arguments(&["--address", "https://ada:secret@tickets.example/"]).shown_address();
        assert_eq!(shown, "https://tickets.example/");
    }

    #[test]
    fn a_journey_that_is_not_there_is_told_with_those_that_are() {
        let refused = "bot".parse::<Share>().unwrap_err();
        assert!(
            refused.contains("bots") && refused.contains("last-ticket"),
            "{refused}"
        );
        assert!("bots=0".parse::<Share>().is_err());
    }
}
