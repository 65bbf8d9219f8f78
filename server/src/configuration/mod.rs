//! What is configured: flag > environment > TOML file > default, for every setting alike.
//!
//! To add a setting: a row in [`setting::ALL`], a field in [`Settings`], its reading in `settings.rs`. The
//! environment, the file, `onsale config check` and the error messages follow from the row.

mod bounded;
mod environment;
mod files;
mod keys;
mod mail;
mod parse;
mod payments;
mod peers;
mod row;
mod setting;
mod settings;
mod source;
mod sources;
mod toml_file;
mod traces;

#[cfg(feature = "s3")]
pub(crate) use files::BucketSettings;
pub(crate) use files::{FileSettings, unusable_files};
pub(crate) use mail::{MailSettings, unusable_mail_folder, unusable_smtp_server};
pub(crate) use payments::unusable_gateway;
pub(crate) use peers::{address_of, is_loopback};
pub(crate) use setting::{ALL, Setting};
pub(crate) use settings::{
    JournalKind, LogFormat, Settings, cannot_listen, journal_directory_in_use, unusable_database_url,
    unusable_journal_directory, unusable_redis_url,
};
pub(crate) use source::{Source, Value};
pub(crate) use sources::Sources;

use std::collections::BTreeMap;

use thiserror::Error;

/// A setting that is missing or wrong.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("configuration: {}. {mend}", self.what())]
pub(crate) struct ConfigurationError {
    /// Which setting, as the person wrote it.
    pub(crate) setting: String,
    /// Where its value came from, if somebody gave one.
    pub(crate) origin: Option<Source>,
    /// What is wrong.
    pub(crate) problem: String,
    /// What to do about it.
    pub(crate) mend: String,
}

impl ConfigurationError {
    /// A problem with a setting, with the mend that its row gives.
    pub(crate) fn of(setting: &Setting, problem: impl Into<String>) -> Self {
        Self {
            setting: setting.spelling(),
            origin: None,
            problem: problem.into(),
            mend: setting.mend.to_owned(),
        }
    }

    /// The error without its mend: setting, where it came from, problem.
    pub(crate) fn what(&self) -> String {
        match &self.origin {
            Some(origin) => format!("{} from {origin}: {}", self.setting, self.problem),
            None => format!("{}: {}", self.setting, self.problem),
        }
    }

    /// The same error, with where the setting's value came from.
    #[must_use]
    fn located(mut self, origins: &BTreeMap<&'static str, Source>) -> Self {
        if self.origin.is_none() {
            let setting = ALL.iter().find(|setting| setting.spelling() == self.setting);
            self.origin = setting.and_then(|setting| origins.get(setting.key)).cloned();
        }
        self
    }
}
