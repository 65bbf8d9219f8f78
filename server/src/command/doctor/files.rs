//! Whether files can be kept: one is stored, read and taken away again.

use std::time::Duration;

use onsale_domain::UnixMillis;
use onsale_persistence::{ObjectError, ObjectKey, ObjectKind};

use super::Check;
use crate::configuration::Settings;
use crate::wiring::{self, StartError};

const NAME: &str = "files";
const PROBE: &[u8] = b"onsale doctor";
/// A bucket that hangs is asked three times, and each of three calls is.
const LONGEST: Duration = Duration::from_secs(15);
/// What S3 says, and what to do about it.
const MENDS: [(&str, &str); 6] = [
    (
        "NoSuchBucket",
        "Make the bucket, or name another in ONSALE_S3_BUCKET",
    ),
    (
        "RequestTimeTooSkewed",
        "Set this machine's clock: S3 refuses signatures more than 15 minutes off",
    ),
    (
        "InvalidAccessKeyId",
        "Check ONSALE_S3_ACCESS_KEY_ID and its secret",
    ),
    (
        "SignatureDoesNotMatch",
        "Check ONSALE_S3_SECRET_ACCESS_KEY and ONSALE_S3_REGION",
    ),
    (
        "AccessDenied",
        "Allow s3:PutObject, s3:GetObject and s3:DeleteObject on the bucket's keys below onsale/",
    ),
    (
        "dispatch failure",
        "Check ONSALE_S3_ENDPOINT and the way there; without credentials, that the machine has a role",
    ),
];

pub(super) async fn files(settings: &Settings) -> Check {
    let mend = "Check ONSALE_S3_ENDPOINT and the way there";
    // On the heap: what S3's client keeps while it waits is large.
    Check::within(NAME, LONGEST, mend, Box::pin(tried(settings))).await
}

async fn tried(settings: &Settings) -> Check {
    let files = &settings.files;
    let Ok(keys) = files.ticket_keys() else {
        return Check::failed(
            NAME,
            "cannot be tried without ticket_keys",
            "Give ONSALE_TICKET_KEYS",
        );
    };
    let now = UnixMillis::from(jiff::Timestamp::now());
    let store = match wiring::open_files(files, &keys, now).await {
        Ok(store) => store,
        Err(StartError::Configuration(error)) => return Check::refused(NAME, &settings.located(error)),
        Err(error) => return Check::failed(NAME, error.to_string(), "Give another ONSALE_FILES_FOLDER"),
    };
    let where_to = match &files.bucket {
        Some(bucket) => format!("bucket {}", bucket.name),
        None => files.folder.display().to_string(),
    };
    let round = async {
        let key = ObjectKey::random()?;
        store.put(&key, ObjectKind::Calendar, PROBE.into()).await?;
        let read = store.get(&key).await?;
        store.delete(&key).await?;
        Ok::<_, ObjectError>(read.as_deref() == Some(PROBE))
    };
    match round.await {
        Ok(true) => Check::ok(NAME, format!("{where_to} takes, gives and forgets them")),
        Ok(false) => Check::failed(
            NAME,
            format!("{where_to} gives something else than it took"),
            "Look for what stands in between, such as a cache",
        ),
        Err(error) => {
            let told = error.to_string();
            let known = MENDS.iter().find(|(said, _)| told.contains(said));
            let mend = known.map_or("Let this user write there, or give another place", |(_, mend)| {
                mend
            });
            Check::failed(NAME, format!("{where_to}: {told}"), mend)
        }
    }
}
