//! Copying a journal elsewhere, while the process that has it open goes on.
//!
//! `VACUUM INTO` reads one state of the file, however much is committed meanwhile; it only keeps the WAL from being begun
//! anew until it is done, so the WAL needs room for what is sold meanwhile. Done from another process than the one that
//! serves, it takes no lock that a commit waits for.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;

use onsale_engine::port::JournalError;
use rusqlite::{Connection, OpenFlags, params};
use uuid::Uuid;

use super::schema::{JOURNAL_FILE, load_heads, written_identity};
use super::{LocalJournal, blocking, sqlite_error};

/// The copy until it is whole and synced.
const PARTIAL_FILE: &str = "journal.sqlite.partial";
/// Longest wait for a lock that somebody else has on the file.
const BUSY_WAIT: Duration = Duration::from_secs(5);

/// A copy of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalCopy {
    /// Identity of the journal, and of the copy: events that are pinned to the one are pinned to the other.
    pub id: Uuid,
    /// Events in it.
    pub events: usize,
    /// Records in it.
    pub records: u64,
}

impl LocalJournal {
    /// Copies the journal of a directory to another one, which is made if need be; snapshots are not copied, recovery
    /// does without. The copy is synced before this returns. The journal may be open elsewhere and be written meanwhile:
    /// the copy holds what was committed when it began.
    ///
    /// Errors: [`JournalError::Unavailable`] when there is no journal, when `target` holds one already, or when it cannot
    /// be written; [`JournalError::Damaged`] when the file is not an undamaged journal that this release reads.
    pub async fn back_up(directory: &Path, target: &Path) -> Result<JournalCopy, JournalError> {
        let (directory, target) = (directory.to_path_buf(), target.to_path_buf());
        blocking(move || back_up(&directory, &target)).await
    }
}

fn back_up(directory: &Path, target: &Path) -> Result<JournalCopy, JournalError> {
    let copy = target.join(JOURNAL_FILE);
    if copy.exists() {
        return Err(JournalError::Unavailable(format!(
            "{} is there already: choose a new directory for each backup",
            copy.display()
        )));
    }
    let journal = open_existing(&directory.join(JOURNAL_FILE))?;
    let id = written_identity(&journal)?;
    let unavailable = |error: io::Error| JournalError::Unavailable(format!("{}: {error}", target.display()));
    make(target).map_err(unavailable)?;
    let partial = target.join(PARTIAL_FILE);
    match fs::remove_file(&partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unavailable(error)),
        Ok(()) | Err(_) => {}
    }
    let name = partial.to_str().ok_or_else(|| {
        JournalError::Unavailable(format!("{} is no name that can be written", target.display()))
    })?;
    journal
        .execute("VACUUM INTO ?1", params![name])
        .map_err(sqlite_error)?;
    let told = check(&partial, id)?;
    // SQLite has written it, but not synced.
    File::open(&partial)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(&partial, &copy))
        .and_then(|()| File::open(target)?.sync_all())
        .map_err(unavailable)?;
    Ok(told)
}

/// Makes a directory and those that it is in. The loss of power must not take away the whole of a copy that is synced, so
/// each entry that is new is synced too.
fn make(directory: &Path) -> io::Result<()> {
    let is_missing = |directory: &&Path| !directory.as_os_str().is_empty() && !directory.exists();
    let missing: Vec<_> = directory.ancestors().take_while(is_missing).collect();
    fs::create_dir_all(directory)?;
    for parent in missing.iter().filter_map(|made| made.parent()) {
        let is_here = parent.as_os_str().is_empty();
        File::open(if is_here { Path::new(".") } else { parent })?.sync_all()?;
    }
    Ok(())
}

/// Never makes a file: the backup of a journal that is not there must fail.
fn open_existing(path: &Path) -> Result<Connection, JournalError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
        // A checkpoint of the process that serves, or its recovery, may have the file for a moment.
        .and_then(|connection| connection.busy_timeout(BUSY_WAIT).map(|()| connection))
        .map_err(|error| JournalError::Unavailable(format!("{}: {error}", path.display())))
}

/// Reads the copy as a start would, but for the chains, which recovery verifies.
fn check(copy: &Path, id: Uuid) -> Result<JournalCopy, JournalError> {
    let copy = open_existing(copy)?;
    if written_identity(&copy)? != id {
        return Err(JournalError::Damaged("the copy is of another journal".to_owned()));
    }
    let heads = load_heads(&copy)?.last_seqs();
    Ok(JournalCopy {
        id,
        events: heads.len(),
        records: heads.iter().map(|(_, last_seq)| last_seq).sum(),
    })
}
