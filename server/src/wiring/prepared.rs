//! What the settings alone decide, opened before anything is waited for: a setting that cannot work is told at once,
//! also while Postgres is away.

use std::path::Path;
use std::sync::Arc;

use onsale_engine::port::{Clock, SystemClock};
use onsale_persistence::{ObjectStore, Redis};
use onsale_services::{BreachedPasswords, Gateways, Mailer, TicketKeys, Tokens};

use super::{StartError, gateways, mail, open_files, open_redis};
use crate::configuration::{JournalKind, Settings, unusable_journal_directory};

/// What serving needs besides Postgres and the journal.
pub(crate) struct Prepared {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) redis: Option<Redis>,
    pub(super) gateways: Gateways,
    pub(super) tokens: Tokens,
    pub(super) ticket_keys: TicketKeys,
    pub(super) objects: Arc<dyn ObjectStore>,
    /// Nothing: mail waits until it is too late.
    pub(super) mailer: Option<Arc<dyn Mailer>>,
    pub(super) breached_passwords: Arc<BreachedPasswords>,
}

impl Prepared {
    /// Opens it all. Redis and a bucket may be away.
    ///
    /// Errors: [`StartError::Configuration`] for a setting that cannot work, with where it came from.
    pub(crate) async fn open(settings: &Settings) -> Result<Self, StartError> {
        Self::open_all(settings)
            .await
            .map_err(|error| error.located(settings))
    }

    async fn open_all(settings: &Settings) -> Result<Self, StartError> {
        settings.required_database_url()?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let tokens = settings.tokens()?;
        let ticket_keys = settings.files.ticket_keys()?;
        if settings.journal == JournalKind::Local {
            try_directory(&settings.journal_directory)
                .map_err(|error| unusable_journal_directory(format!("cannot be written to: {error}")))?;
        }
        Ok(Self {
            objects: open_files(&settings.files, &ticket_keys, clock.now()).await?,
            mailer: mail::mailer(&settings.mail)?,
            gateways: gateways::open(settings, &clock)?,
            breached_passwords: Arc::new(settings.breached_passwords()?),
            redis: open_redis(settings).await?,
            clock,
            tokens,
            ticket_keys,
        })
    }
}

/// Makes a directory where there is none, and a file in it.
fn try_directory(directory: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)?;
    tempfile::NamedTempFile::new_in(directory).map(drop)
}
