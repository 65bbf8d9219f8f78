//! Tickets' keys and files.

use std::path::PathBuf;

use onsale_services::TicketKeys;
use secrecy::{ExposeSecret as _, SecretString};

use super::ConfigurationError;
use super::parse::Reader;
use super::setting::{
    FILES_FOLDER, S3_ACCESS_KEY_ID, S3_BUCKET, S3_ENDPOINT, S3_PATH_STYLE, S3_REGION, S3_SECRET_ACCESS_KEY,
    TICKET_KEYS,
};

/// How tickets are signed, and where their files are.
#[derive(Clone, Debug)]
pub(crate) struct FileSettings {
    ticket_keys: Option<SecretString>,
    /// Where files are unless there is a bucket.
    pub(crate) folder: PathBuf,
    pub(crate) bucket: Option<BucketSettings>,
}

/// A bucket and how to reach it.
#[derive(Clone, Debug)]
#[cfg_attr(
    not(feature = "s3"),
    expect(dead_code, reason = "read where there is a store for it")
)]
pub(crate) struct BucketSettings {
    pub(crate) name: String,
    pub(crate) endpoint: Option<String>,
    pub(crate) region: String,
    pub(crate) path_style: bool,
    /// Id and secret.
    pub(crate) access_key: Option<(String, SecretString)>,
}

impl FileSettings {
    pub(super) fn read(reader: &Reader<'_>) -> Result<Self, ConfigurationError> {
        let settings = Self {
            ticket_keys: reader.optional(&TICKET_KEYS).map(Into::into),
            folder: reader.text(&FILES_FOLDER)?.into(),
            bucket: bucket(reader)?,
        };
        if settings.ticket_keys.is_some() {
            settings.ticket_keys()?;
        }
        Ok(settings)
    }

    /// The keys of tickets, where a command cannot do without. There is no default: with a known key anybody could make
    /// tickets.
    pub(crate) fn ticket_keys(&self) -> Result<TicketKeys, ConfigurationError> {
        let keys = self
            .ticket_keys
            .as_ref()
            .ok_or_else(|| ConfigurationError::of(&TICKET_KEYS, "is not set"))?;
        TicketKeys::parse(keys.expose_secret())
            .map_err(|error| ConfigurationError::of(&TICKET_KEYS, error.to_string()))
    }
}

/// Refuses a folder or a bucket that looked well and cannot be used.
pub(crate) fn unusable_files(settings: &FileSettings, problem: String) -> ConfigurationError {
    let setting = if settings.bucket.is_some() {
        &S3_BUCKET
    } else {
        &FILES_FOLDER
    };
    ConfigurationError::of(setting, problem)
}

fn bucket(reader: &Reader<'_>) -> Result<Option<BucketSettings>, ConfigurationError> {
    let endpoint = reader.optional(&S3_ENDPOINT).map(str::to_owned);
    let is_url = |text: &String| {
        let rest = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"));
        rest.is_some_and(|rest| !rest.is_empty())
    };
    if endpoint.as_ref().is_some_and(|endpoint| !is_url(endpoint)) {
        return Err(ConfigurationError::of(&S3_ENDPOINT, "is no URL"));
    }
    let access_key = match (
        reader.optional(&S3_ACCESS_KEY_ID),
        reader.optional(&S3_SECRET_ACCESS_KEY),
    ) {
        (Some(id), Some(secret)) => Some((id.to_owned(), secret.into())),
        (None, None) => None,
        (Some(_), None) => return Err(ConfigurationError::of(&S3_SECRET_ACCESS_KEY, "is not set")),
        (None, Some(_)) => return Err(ConfigurationError::of(&S3_ACCESS_KEY_ID, "is not set")),
    };
    let path_style = reader.parsed(&S3_PATH_STYLE)?;
    let Some(name) = reader.optional(&S3_BUCKET) else {
        return Ok(None);
    };
    if !cfg!(feature = "s3") {
        let problem = "this program was built without the feature `s3`";
        return Err(ConfigurationError::of(&S3_BUCKET, problem));
    }
    // Letters of either case, because not everything that speaks S3 is as strict as Amazon.
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if !name.bytes().all(is_name) {
        return Err(ConfigurationError::of(
            &S3_BUCKET,
            format!("`{name}` is no name of a bucket"),
        ));
    }
    Ok(Some(BucketSettings {
        name: name.to_owned(),
        endpoint,
        region: reader.text(&S3_REGION)?.to_owned(),
        path_style,
        access_key,
    }))
}
