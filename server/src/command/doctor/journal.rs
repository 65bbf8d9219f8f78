//! Whether the directory of the local journal keeps what was synced.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use super::Check;

const NAME: &str = "journal directory";
const MEND: &str = "Give a directory on a real disk in ONSALE_JOURNAL_DIRECTORY that this user may write to";
/// File systems that lose their contents with the machine, or whose sync promises less than a disk's.
const UNFIT_FILE_SYSTEMS: [&str; 8] = [
    "tmpfs",
    "ramfs",
    "devtmpfs",
    "nfs",
    "nfs4",
    "cifs",
    "fuse.sshfs",
    "9p",
];
/// What the checkpoints of a busy journal need.
const FREE_BYTES_MIN: u64 = 256 * 1024 * 1024;
/// What somebody should look after.
const FREE_BYTES_WARNED: u64 = 2 * 1024 * 1024 * 1024;

/// Whether the directory can be written to and synced, lies on a disk and has room.
pub(super) fn journal_directory(directory: &Path) -> Vec<Check> {
    let shown = directory.display();
    let tried = fs::create_dir_all(directory).and_then(|()| {
        let mut probe = tempfile::NamedTempFile::new_in(directory)?;
        probe.write_all(b"onsale doctor")?;
        probe.as_file().sync_all()
    });
    if let Err(error) = tried {
        let detail = format!("cannot write and sync in {shown}: {error}");
        return vec![Check::failed(NAME, detail, MEND)];
    }
    vec![kept(directory), room(free_bytes(directory))]
}

fn kept(directory: &Path) -> Check {
    let shown = directory.display();
    match file_system_of(directory) {
        Some(kind) if UNFIT_FILE_SYSTEMS.contains(&kind.as_str()) => {
            let detail = format!("{shown} is on {kind}, which does not keep what was synced");
            Check::failed(NAME, detail, MEND)
        }
        Some(kind) if kind == "overlay" => {
            let detail = format!("{shown} is in a container's own layer and goes with it");
            Check::warning(NAME, detail, "Mount a volume there, or use the postgres journal")
        }
        Some(kind) => Check::ok(NAME, format!("{shown} is writable, on {kind}")),
        None => Check::warning(NAME, format!("{shown} is on an unknown file system"), MEND),
    }
}

/// Kind of the file system with the longest mount point above the directory.
fn file_system_of(directory: &Path) -> Option<String> {
    let directory = directory.canonicalize().ok()?;
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    mounts
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(' ');
            let (mount_point, kind) = (fields.nth(1)?, fields.next()?);
            directory
                .starts_with(mount_point)
                .then_some((mount_point.len(), kind))
        })
        .max_by_key(|(length, _)| *length)
        .map(|(_, kind)| kind.to_owned())
}

fn free_bytes(directory: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(directory).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

fn room(free: Option<u64>) -> Check {
    const NAME: &str = "journal room";
    const MEND: &str = "Make room or give a larger disk: a journal that cannot write ends the process";
    match free {
        None => Check::warning(NAME, "the free space cannot be read", MEND),
        Some(free) => {
            let detail = format!("{} MiB are free", free / (1024 * 1024));
            match free {
                ..FREE_BYTES_MIN => Check::failed(NAME, detail, MEND),
                FREE_BYTES_MIN..FREE_BYTES_WARNED => Check::warning(NAME, detail, MEND),
                FREE_BYTES_WARNED.. => Check::ok(NAME, detail),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Outcome;
    use super::*;

    #[test]
    fn a_disk_that_runs_full_is_told_before_it_is() {
        const MIB: u64 = 1024 * 1024;
        assert_eq!(room(Some(255 * MIB)).outcome, Outcome::Failed);
        assert_eq!(room(Some(256 * MIB)).outcome, Outcome::Warning);
        assert_eq!(room(Some(2_048 * MIB)).outcome, Outcome::Ok);
        assert_eq!(room(None).outcome, Outcome::Warning);
    }
}
