//! `onsale token`: buyers' access tokens for scripts and load tests, signed like the ones that `/v1/auth/login`
//! hands out.

use std::time::Duration;

use clap::Args;
use uuid::Uuid;

use super::{print, print_json};
use crate::cli::Common;
use crate::configuration::Settings;
use crate::exit::Failure;
use crate::token::{TTL_DEFAULT, TTL_LOAD_TEST_MAX, mint_buyer};

/// Arguments of `onsale token`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  onsale token                                             a buyer with a new id
  onsale token --subject 01890a5d-ac96-774b-bcce-b302099a8057
  onsale token --load-test --ttl 3600 --count 2000 > buyers.txt          for onsale-load and k6
  curl -H \"authorization: Bearer $(onsale token)\" http://127.0.0.1:8080/v1/orders

A buyer needs no account for it. What staff may do is looked up by account: with --subject of a member of staff it
speaks for them, while Redis is in step. Keep the key as you would keep everybody's password.
Needs the key that the server signs with: ONSALE_TOKEN_KEYS or ONSALE_TOKEN_SECRET, or their _FILE.")]
pub(crate) struct Arguments {
    /// Account that the token speaks for [default: a new one]
    #[arg(long, value_name = "UUID")]
    subject: Option<Uuid>,
    /// Seconds until it expires; more than 900 only with --load-test
    #[arg(long, value_name = "SECONDS", default_value_t = TTL_DEFAULT.as_secs())]
    ttl: u64,
    /// Allow up to 24 hours, for load tests of a server with drills on
    #[arg(long)]
    load_test: bool,
    /// Mint so many, each of a new buyer, one a line
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "subject",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    count: u32,
    /// Print a JSON object for each
    #[arg(long)]
    json: bool,
}

/// Mints the tokens.
pub(crate) fn run(common: &Common, arguments: &Arguments) -> Result<(), Failure> {
    let settings = Settings::load(&common.sources())?;
    let ttl_max = if arguments.load_test {
        TTL_LOAD_TEST_MAX
    } else {
        TTL_DEFAULT
    };
    let ttl = Duration::from_secs(arguments.ttl);
    if ttl.is_zero() || ttl > ttl_max {
        return Err(Failure::Usage(format!(
            "--ttl {} is not from 1 to {} seconds{}",
            arguments.ttl,
            ttl_max.as_secs(),
            if arguments.load_test {
                ""
            } else {
                "; --load-test allows a day"
            },
        )));
    }
    let tokens = settings.tokens()?;
    for _ in 0..arguments.count {
        let subject = arguments.subject.unwrap_or_else(Uuid::now_v7);
        let token = mint_buyer(&tokens, subject, ttl)?;
        if arguments.json {
            print_json(&serde_json::json!({
                "access_token": token,
                "token_type": "Bearer",
                "expires_in": ttl.as_secs(),
                "subject": subject,
            }))?;
        } else {
            print(&token)?;
        }
    }
    Ok(())
}
