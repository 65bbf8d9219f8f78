//! What is configured: flag > environment > TOML file > default, for every setting alike.
//!
//! To add a setting: a row in [`setting::ALL`], a field in [`Settings`], its reading in `settings.rs`. The
//! environment, the file, `onsale config check` and the error messages follow from the row.

mod files;
mod mail;
mod parse;
mod payments;
mod peers;
mod setting;
mod settings;
mod sources;

#[cfg(feature = "s3")]
pub(crate) use files::BucketSettings;
pub(crate) use files::{FileSettings, unusable_files};
pub(crate) use mail::{MailSettings, unusable_mail_folder, unusable_smtp_server};
pub(crate) use payments::unusable_gateway;
pub(crate) use peers::address_of;
pub(crate) use setting::{ALL, Setting};
pub(crate) use settings::{
    JournalKind, LogFormat, Settings, cannot_listen, journal_directory_in_use, unusable_database_url,
    unusable_redis_url,
};
pub(crate) use sources::{Sources, Value};

use thiserror::Error;

/// A setting that is missing or wrong.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("configuration: {setting}: {problem}. {mend}")]
pub(crate) struct ConfigurationError {
    /// Which setting, as the person wrote it.
    pub(crate) setting: String,
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
            problem: problem.into(),
            mend: setting.mend.to_owned(),
        }
    }
}
