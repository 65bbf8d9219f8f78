//! What the machine must offer.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use super::Check;

/// File descriptors that the process needs besides its clients' connections.
const DESCRIPTORS_RESERVED: u64 = 256;
/// The clock is wrong when it stands before this release was made (2026-01-01).
const CLOCK_SECONDS_MIN: i64 = 1_767_225_600;
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

/// Whether the directory can be written to and synced, and lies on a disk.
pub(super) fn journal_directory(directory: &Path) -> Check {
    const NAME: &str = "journal directory";
    let shown = directory.display();
    let tried = fs::create_dir_all(directory).and_then(|()| {
        let mut probe = tempfile::NamedTempFile::new_in(directory)?;
        probe.write_all(b"onsale doctor")?;
        probe.as_file().sync_all()
    });
    if let Err(error) = tried {
        return Check::failed(NAME, format!("cannot write and sync in {shown}: {error}"));
    }
    match file_system_of(directory) {
        Some(kind) if UNFIT_FILE_SYSTEMS.contains(&kind.as_str()) => Check::failed(
            NAME,
            format!("{shown} is on {kind}, which does not keep what was synced; choose a real disk"),
        ),
        Some(kind) if kind == "overlay" => Check::warning(
            NAME,
            format!("{shown} is in a container's own layer and goes with it; mount a volume"),
        ),
        Some(kind) => Check::ok(NAME, format!("{shown} is writable, on {kind}")),
        None => Check::warning(NAME, format!("{shown} is writable; its file system is unknown")),
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

/// Whether the process may open as many connections as configured.
pub(super) fn file_descriptors(connections_max: u32) -> Check {
    const NAME: &str = "file descriptors";
    let needed = u64::from(connections_max) + DESCRIPTORS_RESERVED;
    match soft_limit() {
        Some(limit) if limit < needed => Check::warning(
            NAME,
            format!(
                "the limit is {limit} and {connections_max} connections need {needed}; raise it (ulimit -n, LimitNOFILE=) or lower connections_max"
            ),
        ),
        Some(limit) => Check::ok(NAME, format!("the limit is {limit}")),
        None => Check::warning(NAME, "the limit cannot be read on this system"),
    }
}

fn soft_limit() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

/// Whether the clock can be right.
pub(super) fn clock() -> Check {
    let now = jiff::Timestamp::now();
    if now.as_second() < CLOCK_SECONDS_MIN {
        Check::failed(
            "clock",
            format!("it says {now}; set it, sales windows and tokens depend on it"),
        )
    } else {
        Check::ok("clock", now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::super::Outcome;
    use super::*;

    #[test]
    fn a_directory_that_cannot_be_made_fails() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let check = journal_directory(&file.path().join("journal"));
        assert_eq!(check.outcome, Outcome::Failed);
    }

    #[test]
    fn too_few_descriptors_are_a_warning_with_a_mend() {
        let check = file_descriptors(u32::MAX);
        if check.outcome == Outcome::Warning {
            assert!(check.detail.contains("cannot be read") || check.detail.contains("ulimit"));
        }
    }
}
