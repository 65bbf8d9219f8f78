//! Files in S3, or in what speaks as it does.
//!
//! Nothing is public: a link is signed by us and good for minutes. Each call is bounded in time and tried three times;
//! who stores files does so in the background and tries again later.

use std::time::{Duration, UNIX_EPOCH};

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::error::{DisplayErrorContext, SdkError};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use onsale_domain::UnixMillis;

use super::{
    LINK_LIFETIME_MAX, LinkTarget, LinkedObject, OBJECT_BYTES_MAX, ObjectError, ObjectKey, ObjectKind,
    ObjectLink, ObjectStore,
};

/// What every key begins with.
const PREFIX: &str = "onsale/";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(12);
const ATTEMPTS_MAX: u32 = 3;

/// Which bucket, and how to reach it.
#[derive(Clone)]
pub struct S3Config {
    /// Name of the bucket, which is there.
    pub bucket: String,
    /// Its region.
    pub region: String,
    /// Where it is, when that is not Amazon.
    pub endpoint: Option<String>,
    /// The bucket's name stands in the path and not in the host's name.
    pub path_style: bool,
    /// Id and secret of the access key; `None`: from the environment, the profile or the machine's role.
    pub access_key: Option<(String, String)>,
}

/// Files in one bucket.
#[derive(Clone)]
pub struct S3Store {
    client: Client,
    bucket: String,
}

impl S3Store {
    /// A store in a bucket. Does not look whether it is there.
    pub async fn open(config: S3Config) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(OPERATION_TIMEOUT)
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(config.region))
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX));
        if let Some(endpoint) = config.endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        if let Some((id, secret)) = config.access_key {
            loader = loader.credentials_provider(Credentials::new(id, secret, None, None, "onsale"));
        }
        let shared = loader.load().await;
        let config_of_s3 = aws_sdk_s3::config::Builder::from(&shared)
            .force_path_style(config.path_style)
            // Checksums that only Amazon knows are left out where they are not asked for.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .build();
        Self {
            client: Client::from_conf(config_of_s3),
            bucket: config.bucket,
        }
    }
}

fn place(key: &ObjectKey) -> String {
    format!("{PREFIX}{key}")
}

fn unavailable(error: impl std::error::Error) -> ObjectError {
    ObjectError::Unavailable(DisplayErrorContext(error).to_string())
}

impl ObjectStore for S3Store {
    fn put<'a>(
        &'a self,
        key: &'a ObjectKey,
        kind: ObjectKind,
        bytes: Bytes,
    ) -> BoxFuture<'a, Result<(), ObjectError>> {
        Box::pin(async move {
            if bytes.len() > OBJECT_BYTES_MAX {
                return Err(ObjectError::TooLarge);
            }
            let request = self.client.put_object().bucket(&self.bucket).key(place(key));
            let sent = request
                .content_type(kind.content_type())
                .body(ByteStream::from(bytes))
                .send();
            sent.await.map(|_| ()).map_err(unavailable)
        })
    }

    fn get<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Option<Bytes>, ObjectError>> {
        Box::pin(async move {
            let request = self.client.get_object().bucket(&self.bucket).key(place(key));
            let mut object = match request.send().await {
                Ok(object) => object,
                Err(SdkError::ServiceError(error)) if error.err().is_no_such_key() => return Ok(None),
                Err(error) => return Err(unavailable(error)),
            };
            let mut bytes = BytesMut::new();
            while let Some(chunk) = object.body.next().await {
                bytes.extend_from_slice(&chunk.map_err(unavailable)?);
                if bytes.len() > OBJECT_BYTES_MAX {
                    return Err(ObjectError::TooLarge);
                }
            }
            Ok(Some(bytes.freeze()))
        })
    }

    fn delete<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<(), ObjectError>> {
        Box::pin(async move {
            let request = self.client.delete_object().bucket(&self.bucket).key(place(key));
            request.send().await.map(|_| ()).map_err(unavailable)
        })
    }

    fn link<'a>(
        &'a self,
        object: &'a LinkedObject,
        now: UnixMillis,
        lifetime: Duration,
    ) -> BoxFuture<'a, Result<ObjectLink, ObjectError>> {
        Box::pin(async move {
            let lifetime = lifetime.min(LINK_LIFETIME_MAX);
            // Signatures count in seconds.
            let seconds = now.0.div_euclid(1_000);
            let start = UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
            let presigning = PresigningConfig::builder()
                .start_time(start)
                .expires_in(lifetime)
                .build()
                .map_err(unavailable)?;
            let file_name = &object.file_name;
            let request = self.client.get_object().bucket(&self.bucket);
            let presigned = request
                .key(place(&object.key))
                .response_content_type(object.kind.content_type())
                .response_content_disposition(format!("attachment; filename=\"{file_name}\""))
                .response_cache_control("private, no-store")
                .presigned(presigning);
            let presigned = presigned.await.map_err(unavailable)?;
            let lifetime_ms = i64::try_from(lifetime.as_secs() * 1_000).unwrap_or(i64::MAX);
            Ok(ObjectLink {
                target: LinkTarget::Url(presigned.uri().to_owned()),
                expires_at: UnixMillis(seconds.saturating_mul(1_000)).plus_ms(lifetime_ms),
            })
        })
    }

    fn open_link(&self, _token: &str, _now: UnixMillis) -> Option<LinkedObject> {
        // Its links lead to the bucket.
        None
    }
}
