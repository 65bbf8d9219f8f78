//! What `onsale audit` reads, without serving.

use std::sync::Arc;

use onsale_engine::port::{Journal, JournalError};
use onsale_persistence::{Database, DatabaseConfig, PostgresJournal, Purpose};
use secrecy::ExposeSecret as _;

use super::{OpenJournal, StartError};
use crate::configuration::{JournalKind, Settings};

/// What the auditor reads.
pub(crate) struct Audited {
    journal: OpenJournal,
    database: Database,
}

impl Audited {
    /// The journal, of which only the reading half may be used.
    pub(crate) fn journal(&self) -> Arc<dyn Journal> {
        self.journal.journal()
    }

    /// The tables.
    pub(crate) const fn database(&self) -> &Database {
        &self.database
    }

    /// Frees the journal's directory and the connection.
    pub(crate) async fn close(self) {
        self.journal.close().await;
        self.database.close().await;
    }
}

/// One connection to Postgres, for reading whole tables: the embedded one has no more.
async fn connect_audited(settings: &Settings) -> Result<Database, StartError> {
    let url = settings.required_database_url()?.expose_secret();
    let config = DatabaseConfig {
        connections_max: 1,
        statement_timeout_ms: 0,
        purpose: Purpose::Reading,
        ..DatabaseConfig::new(url)
    };
    Ok(Database::connect(&config).await?)
}

/// The tables alone, of this release's schema. Servers may go on meanwhile.
pub(crate) async fn open_audited_database(settings: &Settings) -> Result<Database, StartError> {
    let database = connect_audited(settings).await?;
    if database.is_migrated().await? {
        Ok(database)
    } else {
        Err(StartError::NotMigrated)
    }
}

/// The journal and the tables of the settings, for reading. A local journal must not be open elsewhere.
pub(crate) async fn open_audited(settings: &Settings) -> Result<Audited, StartError> {
    let database = connect_audited(settings).await?;
    let opened = match settings.journal {
        JournalKind::Postgres => Ok(OpenJournal::Postgres(Arc::new(PostgresJournal::read_only(
            database.clone(),
        )))),
        JournalKind::Local => OpenJournal::open(settings, &database, None).await,
    };
    match opened {
        Ok(journal) => Ok(Audited { journal, database }),
        Err(JournalError::OwnedElsewhere { owner }) => Err(StartError::Internal(anyhow::anyhow!(
            "the journal in {} is locked ({owner}): stop the server first",
            settings.journal_directory.display()
        ))),
        Err(error) => Err(error.into()),
    }
}
