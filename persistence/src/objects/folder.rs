//! Files in a folder: for a machine on its own. Several processes of one machine may share it.
//!
//! A file appears whole or not at all: it is written beside its place, synced and renamed. What a crash left half
//! written lies apart and is swept at the next start.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use onsale_domain::UnixMillis;
use tokio::task::spawn_blocking;

use super::{
    LINK_LIFETIME_MAX, LinkSecrets, LinkTarget, LinkedObject, OBJECT_BYTES_MAX, ObjectError, ObjectKey,
    ObjectKind, ObjectLink, ObjectStore,
};

/// Where files are while they are written.
const PARTS: &str = "parts";
/// A part that is older belongs to nobody who is still writing.
const PART_AGE_MAX: Duration = Duration::from_hours(1);
/// The first letters of a key name its directory, so that none holds too many.
const SHARD_LETTERS: usize = 2;

/// Files below one directory, which nobody else may read.
#[derive(Clone)]
pub struct FolderStore {
    root: PathBuf,
    secrets: LinkSecrets,
}

impl FolderStore {
    /// Makes the directory where it is not there, and sweeps what was left half written before `now`. Blocks.
    ///
    /// Errors: [`ObjectError::Misconfigured`] where it cannot be written to.
    pub fn open(root: &Path, secrets: LinkSecrets, now: UnixMillis) -> Result<Self, ObjectError> {
        let refused = |error: std::io::Error| {
            ObjectError::Misconfigured(format!("cannot keep files in {}: {error}", root.display()))
        };
        let root = std::path::absolute(root).map_err(refused)?;
        make_directory(&root.join(PARTS)).map_err(refused)?;
        sweep(&root.join(PARTS), now).map_err(refused)?;
        Ok(Self { root, secrets })
    }

    fn path(&self, key: &ObjectKey) -> PathBuf {
        let name = key.to_string();
        self.root.join(&name[..SHARD_LETTERS]).join(&name)
    }
}

impl ObjectStore for FolderStore {
    fn put<'a>(
        &'a self,
        key: &'a ObjectKey,
        _kind: ObjectKind,
        bytes: Bytes,
    ) -> BoxFuture<'a, Result<(), ObjectError>> {
        let (path, parts) = (self.path(key), self.root.join(PARTS));
        Box::pin(async move {
            if bytes.len() > OBJECT_BYTES_MAX {
                return Err(ObjectError::TooLarge);
            }
            // A name of its own: whoever writes the same file at the same time does not write into this one.
            let part = parts.join(ObjectKey::random()?.to_string());
            blocking(move || write(&part, &path, &bytes)).await
        })
    }

    fn get<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Option<Bytes>, ObjectError>> {
        let path = self.path(key);
        Box::pin(async move {
            match blocking(move || read(&path)).await? {
                Some(bytes) if bytes.len() > OBJECT_BYTES_MAX => Err(ObjectError::TooLarge),
                bytes => Ok(bytes.map(Bytes::from)),
            }
        })
    }

    fn delete<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<(), ObjectError>> {
        let path = self.path(key);
        Box::pin(blocking(move || match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }))
    }

    fn link<'a>(
        &'a self,
        object: &'a LinkedObject,
        now: UnixMillis,
        lifetime: Duration,
    ) -> BoxFuture<'a, Result<ObjectLink, ObjectError>> {
        let lifetime = lifetime.min(LINK_LIFETIME_MAX);
        let expires_at = now.plus_ms(i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX));
        let token = self.secrets.token(object, expires_at);
        Box::pin(std::future::ready(Ok(ObjectLink {
            target: LinkTarget::Token(token),
            expires_at,
        })))
    }

    fn open_link(&self, token: &str, now: UnixMillis) -> Option<LinkedObject> {
        self.secrets.open(token, now)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, ObjectError> {
    match spawn_blocking(work).await {
        Ok(Ok(output)) => Ok(output),
        Ok(Err(error)) => Err(ObjectError::Unavailable(error.to_string())),
        Err(error) => Err(ObjectError::Unavailable(error.to_string())),
    }
}

fn write(part: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let written = write_part(part, bytes).and_then(|()| {
        let directory = path.parent().unwrap_or(Path::new("."));
        make_directory(directory)?;
        fs::rename(part, path)?;
        File::open(directory)?.sync_all()
    });
    if written.is_err() {
        // What is left of it is swept at the next start.
        let _ = fs::remove_file(part);
    }
    written
}

fn write_part(part: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(part)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// At most one byte more than a file may have.
fn read(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    let limit = u64::try_from(OBJECT_BYTES_MAX).unwrap_or(u64::MAX);
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

fn make_directory(directory: &Path) -> std::io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)?;
    match directory.parent() {
        // Else the directory may be gone after a loss of power, and the file with it.
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

fn sweep(parts: &Path, now: UnixMillis) -> std::io::Result<()> {
    for part in fs::read_dir(parts)? {
        let part = part?;
        let modified = part.metadata().and_then(|metadata| metadata.modified());
        let modified = modified.map(|at| at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default());
        let now = Duration::from_millis(u64::try_from(now.0).unwrap_or_default());
        if modified.is_ok_and(|modified| now.saturating_sub(modified) > PART_AGE_MAX) {
            // Another process may have swept it.
            let _ = fs::remove_file(part.path());
        }
    }
    Ok(())
}
