//! `onsale serve` as it is, with settings that fit a comparison.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;

use super::process::{Process, Ready};
use super::{Programs, TOKEN_AUDIENCE, TOKEN_ISSUER, TOKEN_SECRET, free_address};
use crate::contender::Contender;
use crate::load::Connection;

/// The limit is on and counted, and above what a buyer of a comparison asks for.
const RATE_LIMIT: &str = "1000000";
/// It signs the tickets of comparisons and nothing else.
const TICKET_KEYS: &str = "compare EdDSA MC4CAQAwBQYDK2VwBCIEIJEcN9pseHrao7qbVPGb4zzoffXmog37C4bhBPAni3s6";

/// A member of staff.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Admin {
    pub(super) email: String,
    pub(super) password: String,
}

/// `onsale serve`, not started yet.
pub(super) struct Onsale {
    pub(super) process: Process,
    pub(super) api: SocketAddr,
    pub(super) internal: SocketAddr,
}

impl Onsale {
    pub(super) fn prepare(
        programs: &Programs,
        contender: Contender,
        database_url: &str,
        directory: &Path,
    ) -> anyhow::Result<Self> {
        let (api, internal) = (free_address()?, free_address()?);
        let below = |name: &str| directory.join(name).display().to_string();
        let journal = if contender == Contender::OnsaleLocal {
            "local"
        } else {
            "postgres"
        };
        let environment = vec![
            ("DATABASE_URL", database_url.to_owned()),
            ("ONSALE_LISTEN", api.to_string()),
            ("ONSALE_INTERNAL_LISTEN", internal.to_string()),
            ("ONSALE_JOURNAL", journal.to_owned()),
            ("ONSALE_JOURNAL_DIRECTORY", below("journal")),
            ("ONSALE_FILES_FOLDER", below("files")),
            ("ONSALE_TOKEN_SECRET", TOKEN_SECRET.to_owned()),
            ("ONSALE_TOKEN_ISSUER", TOKEN_ISSUER.to_owned()),
            ("ONSALE_TOKEN_AUDIENCE", TOKEN_AUDIENCE.to_owned()),
            ("ONSALE_TICKET_KEYS", TICKET_KEYS.to_owned()),
            ("ONSALE_RATE_LIMIT_PER_SECOND", RATE_LIMIT.to_owned()),
            ("ONSALE_RATE_LIMIT_BURST", RATE_LIMIT.to_owned()),
            ("ONSALE_AUTH_RATE_LIMIT_ACCOUNT_PER_MINUTE", "0".to_owned()),
            ("ONSALE_AUTH_RATE_LIMIT_ADDRESS_PER_MINUTE", "0".to_owned()),
        ];
        let process = Process::new(
            &programs.onsale,
            &["serve", "--stop-with-stdin"],
            environment,
            Ready::Http(internal),
            directory.join("onsale.log"),
        );
        Ok(Self {
            process,
            api,
            internal,
        })
    }

    /// Brings the schema up and starts serving.
    pub(super) async fn start(&mut self) -> anyhow::Result<()> {
        self.process.run(&["migrate"]).await?;
        self.process.start().await
    }

    /// A new member of staff who may do everything but buy.
    pub(super) async fn admin(&self) -> anyhow::Result<Admin> {
        let email = format!("{}@compare.example", uuid::Uuid::now_v7().simple());
        let printed = self
            .process
            .run(&["admin", "create", "--json", "--email", &email])
            .await?;
        serde_json::from_slice(&printed).context("what onsale admin create prints")
    }

    /// Records that are acknowledged and not yet in the tables; `None` where the process is not ready.
    pub(super) async fn behind(&self) -> anyhow::Result<Option<u64>> {
        let mut connection = Connection::open(self.internal).await?;
        connection
            .ask("GET /readyz?verbose HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .await?;
        let told: serde_json::Value = serde_json::from_slice(connection.body())?;
        Ok(told["write_behind_lag_records"].as_u64())
    }
}
