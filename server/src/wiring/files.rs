//! The store of files: a bucket where one is configured, else a folder.

use std::sync::Arc;

use onsale_domain::UnixMillis;
use onsale_persistence::{FolderStore, ObjectError, ObjectStore};
use onsale_services::TicketKeys;

use super::StartError;
use crate::configuration::{FileSettings, unusable_files};

/// Opens the store. A bucket that is away does not keep the process from starting: sales go on, and files follow.
pub(crate) async fn open_files(
    settings: &FileSettings,
    keys: &TicketKeys,
    now: UnixMillis,
) -> Result<Arc<dyn ObjectStore>, StartError> {
    #[cfg(feature = "s3")]
    if let Some(bucket) = &settings.bucket {
        return Ok(Arc::new(in_bucket(bucket).await));
    }
    let (folder, secrets) = (settings.folder.clone(), keys.link_secrets());
    let opened = tokio::task::spawn_blocking(move || FolderStore::open(&folder, secrets, now));
    match opened.await {
        Ok(Ok(store)) => Ok(Arc::new(store)),
        Ok(Err(ObjectError::Misconfigured(problem))) => Err(unusable_files(settings, problem).into()),
        Ok(Err(error)) => Err(StartError::Internal(error.into())),
        Err(error) => Err(StartError::Internal(error.into())),
    }
}

#[cfg(feature = "s3")]
async fn in_bucket(bucket: &crate::configuration::BucketSettings) -> onsale_persistence::S3Store {
    use secrecy::ExposeSecret as _;
    let access_key = bucket.access_key.as_ref();
    onsale_persistence::S3Store::open(onsale_persistence::S3Config {
        bucket: bucket.name.clone(),
        region: bucket.region.clone(),
        endpoint: bucket.endpoint.clone(),
        path_style: bucket.path_style,
        access_key: access_key.map(|(id, secret)| (id.clone(), secret.expose_secret().to_owned())),
    })
    .await
}
