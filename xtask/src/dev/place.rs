//! Where everything of a development deployment is stored.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Marks a directory as ours, so that `--fresh` empties no other.
const LOCK: &str = "lock";

/// A directory that one run works in at a time.
pub(super) struct Place {
    directory: PathBuf,
    programs: PathBuf,
    /// Held for as long as this lives.
    _lock: File,
}

impl Place {
    /// Makes or finds it, and empties it where that is asked for.
    pub(super) fn open(directory: PathBuf, programs: PathBuf, fresh: bool) -> Result<Self> {
        let shown = directory.display();
        let has_things = fs::read_dir(&directory).is_ok_and(|mut entries| entries.next().is_some());
        if has_things && !directory.join(LOCK).is_file() {
            bail!("{shown} holds something else; choose an empty --directory");
        }
        fs::create_dir_all(&directory).with_context(|| format!("cannot make {shown}"))?;
        // Root lends Postgres to another user, who must get through; the secrets are readable to us alone.
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o711))
            .with_context(|| format!("cannot open {shown} for Postgres"))?;
        let lock = File::create(directory.join(LOCK)).context("cannot make a lock file")?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("another `cargo xtask dev` works in {shown}"),
            Err(TryLockError::Error(error)) => return Err(error).context("cannot lock the directory"),
        }
        let place = Self {
            directory,
            programs,
            _lock: lock,
        };
        if fresh {
            place.empty()?;
        }
        Ok(place)
    }

    /// A file or directory in it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The same, for the environment.
    pub(super) fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// A directory in it, which is made.
    pub(super) fn directory(&self, name: &str) -> Result<PathBuf> {
        let directory = self.path(name);
        fs::create_dir_all(&directory).with_context(|| format!("cannot make {}", directory.display()))?;
        Ok(directory)
    }

    /// Where the programs are.
    pub(super) fn programs(&self) -> &Path {
        &self.programs
    }

    /// A new log.
    pub(super) fn log(&self, name: &str) -> Result<File> {
        File::create(self.path(name)).with_context(|| format!("cannot write {name}"))
    }

    /// A file that only we may read, made once.
    pub(super) fn secret(&self, name: &str, make: impl FnOnce() -> Result<String>) -> Result<String> {
        let path = self.path(name);
        if let Ok(secret) = fs::read_to_string(&path) {
            return Ok(secret);
        }
        let secret = make()?;
        self.write_secret(name, &secret)?;
        Ok(secret)
    }

    /// Writes a file that only we may read.
    pub(super) fn write_secret(&self, name: &str, text: &str) -> Result<()> {
        let path = self.path(name);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options
            .open(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        file.write_all(text.as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn empty(&self) -> Result<()> {
        let entries = fs::read_dir(&self.directory).context("cannot list the directory")?;
        for entry in entries {
            let entry = entry.context("cannot list the directory")?;
            if entry.file_name() == LOCK {
                continue;
            }
            let path = entry.path();
            let removed = if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            removed.with_context(|| format!("cannot remove {}", path.display()))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(directory: &Path, fresh: bool) -> Result<Place> {
        Place::open(directory.to_path_buf(), PathBuf::new(), fresh)
    }

    #[test]
    fn what_was_stored_is_kept_until_somebody_wants_it_fresh() {
        let directory = tempfile::tempdir().unwrap();
        let secret = |fresh, text: &str| {
            let place = open(directory.path(), fresh).unwrap();
            place.secret("key", || Ok(text.to_owned())).unwrap()
        };
        assert_eq!(secret(false, "first"), "first");
        assert_eq!(secret(false, "second"), "first");
        assert_eq!(secret(true, "third"), "third");
        let mode = fs::metadata(directory.path().join("key"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn two_runs_do_not_share_a_directory() {
        let directory = tempfile::tempdir().unwrap();
        let _first = open(directory.path(), false).unwrap();
        let refused = open(directory.path(), true).map(|_| ()).unwrap_err();
        assert!(refused.to_string().contains("another"), "{refused}");
    }

    #[test]
    fn a_directory_of_somebody_else_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("thesis.txt"), "").unwrap();
        assert!(open(directory.path(), true).is_err());
        assert!(directory.path().join("thesis.txt").exists());
    }
}
