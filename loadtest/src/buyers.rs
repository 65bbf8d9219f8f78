//! Who buys: tokens from a file, or accounts that are registered for the run.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use goose::prelude::GooseUser;
use serde_json::json;
use uuid::Uuid;

use crate::client::Call;
use crate::staff::succeed;

/// Most tokens that are read.
const BUYERS_MAX: usize = 1_000_000;
/// Most accounts that are registered: hashing their passwords takes the server a while.
const REGISTERED_MAX: u32 = 500;

/// The tokens of a file, one a line; empty lines do not count.
pub(crate) fn of_file(path: &Path) -> anyhow::Result<Vec<String>> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let tokens: Vec<_> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take(BUYERS_MAX)
        .map(str::to_owned)
        .collect();
    ensure!(!tokens.is_empty(), "{} holds no token", path.display());
    Ok(tokens)
}

/// Registers that many accounts, each with a password that nobody keeps.
pub(crate) async fn registered(user: &mut GooseUser, count: u32) -> anyhow::Result<Vec<String>> {
    ensure!(
        count <= REGISTERED_MAX,
        "more than {REGISTERED_MAX} users need --token-file: `onsale token --count {count}` makes one"
    );
    let mut tokens = Vec::new();
    for _ in 0..count {
        let name = Uuid::now_v7().simple().to_string();
        let body = json!({
            "email": format!("load-{name}@load.example"),
            "password": format!("{} {}", Uuid::now_v7(), Uuid::now_v7()),
            "name": "A buyer",
        });
        let account = succeed(user, &Call::post("/v1/auth/register").json(&body)).await;
        let account =
            account.context("cannot register buyers; --token-file takes tokens of `onsale token --count`")?;
        tokens.push(account.text("access_token").to_owned());
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_a_token_a_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("buyers.txt");
        fs::write(&path, "a\n\n b \n").unwrap();
        assert_eq!(of_file(&path).unwrap(), ["a", "b"]);
        fs::write(&path, "\n").unwrap();
        assert!(of_file(&path).is_err());
    }
}
