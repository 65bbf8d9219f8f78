//! The demo's Postgres: one that the person named, or the embedded one.

use std::path::Path;

#[cfg(feature = "embedded")]
use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};

use super::plan::Plan;
use crate::configuration::{ConfigurationError, JournalKind};
use crate::exit::Failure;

/// A Postgres that outlives the crashes of the serving process.
pub(crate) struct Postgres {
    url: SecretString,
    /// Connections that the serving process may have.
    pub(crate) connections_max: u32,
    /// What to call it in the report.
    pub(crate) name: &'static str,
    #[cfg(feature = "embedded")]
    _embedded: Option<embedded::Embedded>,
}

impl Postgres {
    /// Opens it as the plan says.
    pub(crate) async fn open(plan: &Plan) -> Result<Self, Failure> {
        if let Some(url) = &plan.database_url {
            return Ok(Self {
                url: url.clone(),
                connections_max: 8,
                name: "Postgres",
                #[cfg(feature = "embedded")]
                _embedded: None,
            });
        }
        if plan.journal == JournalKind::Postgres {
            return Err(ConfigurationError {
                setting: "journal (ONSALE_JOURNAL)".to_owned(),
                origin: None,
                problem: "the postgres journal needs more than the embedded Postgres's one connection"
                    .to_owned(),
                mend: "Give a real Postgres in --database-url or DATABASE_URL, or choose --journal local"
                    .to_owned(),
            }
            .into());
        }
        Self::embedded(&plan.directory).await
    }

    /// Its URL.
    pub(crate) fn url(&self) -> &str {
        self.url.expose_secret()
    }

    #[cfg(feature = "embedded")]
    async fn embedded(directory: &Path) -> Result<Self, Failure> {
        let embedded = embedded::Embedded::start(&directory.join("postgres"))
            .await
            .context("cannot start the embedded Postgres")?;
        Ok(Self {
            url: embedded.url().into(),
            connections_max: 1,
            name: "embedded Postgres (fsync off, one connection)",
            _embedded: Some(embedded),
        })
    }

    #[cfg(not(feature = "embedded"))]
    #[expect(clippy::unused_async, reason = "the shape of the embedded build")]
    async fn embedded(_directory: &Path) -> Result<Self, Failure> {
        Err(ConfigurationError {
            setting: "database_url (DATABASE_URL)".to_owned(),
            origin: None,
            problem: "is not set, and this build has no embedded Postgres".to_owned(),
            mend:
                "Give a Postgres URL, or use a build with it: cargo demo (or cargo build --features embedded)"
                    .to_owned(),
        }
        .into())
    }
}

#[cfg(feature = "embedded")]
mod embedded {
    //! Postgres as WebAssembly, in a thread of this process.

    use std::path::Path;

    use anyhow::Context as _;
    use pglite_oxide::PgliteServer;

    use super::super::relay::Relay;

    /// A running embedded Postgres. Dropping it ends the relay first, so that no client keeps the server.
    pub(super) struct Embedded {
        relay: Option<Relay>,
        server: Option<PgliteServer>,
    }

    impl Embedded {
        pub(super) async fn start(directory: &Path) -> anyhow::Result<Self> {
            let directory = directory.to_owned();
            // It starts a runtime of its own, which it may not do on a worker of ours.
            let (sender, started) = tokio::sync::oneshot::channel();
            std::thread::spawn(move || {
                // A demo that was stopped meanwhile no longer listens.
                let _ = sender.send(PgliteServer::builder().path(directory).start());
            });
            let server = started.await.context("its thread ended")??;
            let address = server.tcp_addr().context("it has no port")?;
            Ok(Self {
                relay: Some(Relay::start(address).await?),
                server: Some(server),
            })
        }

        pub(super) fn url(&self) -> String {
            let address = self.relay.as_ref().map(Relay::address);
            let address = address.map(|address| address.to_string()).unwrap_or_default();
            format!("postgresql://postgres@{address}/template1?sslmode=disable")
        }
    }

    impl Drop for Embedded {
        fn drop(&mut self) {
            self.relay.take();
            if let Some(server) = self.server.take() {
                // Ends by itself once its last client is gone; the process need not wait for that.
                std::thread::spawn(move || drop(server));
            }
        }
    }
}

#[cfg(all(test, feature = "embedded"))]
#[path = "database_tests.rs"]
mod tests;
