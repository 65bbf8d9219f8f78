//! `onsale token-key`: a new key for access tokens or tickets.

use clap::Args;
use onsale_services::{TokenAlgorithm, TokenKeys};

use super::print;
use crate::exit::Failure;

/// Arguments of `onsale token-key`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  onsale token-key --id 2026-11 > token-keys
  onsale token-key --id t-2026-11 > ticket-keys
  ONSALE_TOKEN_KEYS_FILE=token-keys ONSALE_TICKET_KEYS_FILE=ticket-keys onsale serve

To rotate: add a new line at the end of the file of every process and restart it, then move the line to the front and
restart again, and take the old line away 15 minutes later; of tickets, after the last event whose tickets it signed.
With EdDSA the public halves are at /.well-known/jwks.json, those of tickets at /.well-known/ticket-keys.json.")]
pub(crate) struct Arguments {
    /// Name of the key, in the header of every token; for tickets at most 16 bytes
    #[arg(long, value_name = "ID")]
    id: String,
    /// What signs: Ed25519 lets others verify, HMAC is faster
    #[arg(long, value_enum, value_name = "ALGORITHM", default_value = "eddsa")]
    algorithm: Algorithm,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Algorithm {
    /// Ed25519.
    Eddsa,
    /// HMAC with SHA-256.
    Hs256,
}

/// Prints one line for `ONSALE_TOKEN_KEYS` or, with the default algorithm, `ONSALE_TICKET_KEYS`.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let algorithm = match arguments.algorithm {
        Algorithm::Eddsa => TokenAlgorithm::EdDsa,
        Algorithm::Hs256 => TokenAlgorithm::Hs256,
    };
    let line = TokenKeys::generate(&arguments.id, algorithm)
        .map_err(|error| Failure::Usage(format!("--id {}: {error}", arguments.id)))?;
    print(&line)
}
