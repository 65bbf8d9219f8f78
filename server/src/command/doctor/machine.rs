//! What the machine must offer.

use std::fs;
use std::path::Path;
use std::thread::available_parallelism;

use super::Check;

/// File descriptors that the process needs besides its clients' connections.
const DESCRIPTORS_RESERVED: u64 = 256;
/// Memory of a process with nothing to do, some events in memory and a burst of requests.
const MEMORY_BYTES_RESERVED: u64 = 512 * 1024 * 1024;
/// Memory of one open connection, with room to spare over what docs/SCALING.md measured.
const MEMORY_BYTES_PER_CONNECTION: u64 = 32 * 1024;

/// Whether the process may open as many connections as configured.
pub(super) fn file_descriptors(connections_max: u32) -> Check {
    const NAME: &str = "file descriptors";
    let needed = u64::from(connections_max) + DESCRIPTORS_RESERVED;
    let mend = format!(
        "Raise it to {needed} (ulimit -n, LimitNOFILE=, ulimits of the container), or lower connections_max"
    );
    match soft_limit("Max open files") {
        Some(limit) if limit < needed => {
            let detail = format!("the limit is {limit}, and {connections_max} connections need {needed}");
            Check::warning(NAME, detail, mend)
        }
        Some(limit) => Check::ok(NAME, format!("the limit is {limit}")),
        None => Check::warning(NAME, "the limit cannot be read on this system", mend),
    }
}

/// A limit of this process, as Linux names it.
fn soft_limit(name: &str) -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

/// Whether as many connections as configured fit into the memory of machine and container.
pub(super) fn memory(connections_max: u32) -> Check {
    const NAME: &str = "memory";
    let needed = MEMORY_BYTES_RESERVED + u64::from(connections_max) * MEMORY_BYTES_PER_CONNECTION;
    let mib = |bytes: u64| bytes / (1024 * 1024);
    let mend = format!("Give {} MiB, or lower connections_max", mib(needed));
    match memory_max() {
        Some(limit) if limit < needed => {
            let detail = format!(
                "{} MiB, and {connections_max} connections may need {}",
                mib(limit),
                mib(needed)
            );
            Check::warning(NAME, detail, mend)
        }
        Some(limit) => Check::ok(NAME, format!("{} MiB", mib(limit))),
        None => Check::warning(NAME, "its size cannot be read on this system", mend),
    }
}

/// The least of the machine's memory, the limits of control groups and that of the process.
fn memory_max() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|info| {
        let line = info.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
        kib.checked_mul(1024)
    });
    let limit = |file: &str| {
        fs::read_to_string(Path::new("/sys/fs/cgroup").join(file))
            .ok()?
            .trim()
            .parse()
            .ok()
    };
    // Of the second and of the first version; `max` is no number.
    let of_groups = [limit("memory.max"), limit("memory/memory.limit_in_bytes")];
    let of_process = soft_limit("Max address space");
    [machine, of_process].into_iter().chain(of_groups).flatten().min()
}

/// Whether there is a core for what must not wait.
pub(super) fn cores() -> Check {
    const NAME: &str = "cores";
    match available_parallelism().map_or(1, usize::from) {
        1 => Check::warning(
            NAME,
            "one: commits, requests and passwords wait for each other",
            "Give two or more; four where buyers log in while the sale runs",
        ),
        cores => Check::ok(NAME, cores.to_string()),
    }
}
