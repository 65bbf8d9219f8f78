//! Whether files can be kept: one is stored, read and taken away again.

use onsale_domain::UnixMillis;
use onsale_persistence::{ObjectKey, ObjectKind};

use super::Check;
use crate::configuration::Settings;
use crate::wiring;

const NAME: &str = "files";
const PROBE: &[u8] = b"onsale doctor";

pub(super) async fn files(settings: &Settings) -> Check {
    match tried(settings).await {
        Ok(where_to) => Check::ok(NAME, format!("{where_to} takes and gives them")),
        Err(problem) => Check::failed(NAME, problem),
    }
}

async fn tried(settings: &Settings) -> Result<String, String> {
    let files = &settings.files;
    let keys = files.ticket_keys().map_err(|error| error.to_string())?;
    let now = UnixMillis::from(jiff::Timestamp::now());
    let store = wiring::open_files(files, &keys, now)
        .await
        .map_err(|error| error.to_string())?;
    let where_to = match &files.bucket {
        Some(bucket) => format!("bucket {}", bucket.name),
        None => files.folder.display().to_string(),
    };
    let said = |error: onsale_persistence::ObjectError| format!("{where_to}: {error}");
    let key = ObjectKey::random().map_err(said)?;
    let stored = store.put(&key, ObjectKind::Calendar, PROBE.into()).await;
    stored.map_err(said)?;
    let read = store.get(&key).await.map_err(said)?;
    store.delete(&key).await.map_err(said)?;
    if read.as_deref() == Some(PROBE) {
        Ok(where_to)
    } else {
        Err(format!("{where_to} gives something else than it took"))
    }
}
