//! What processes have used, as the kernel counts it.

use std::fs;
use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;

/// The kernel tells processor time in hundredths of a second, whatever it counts in.
const TICK: Duration = Duration::from_millis(10);

/// What a process has used since it began.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Usage {
    /// Processor time, of all its threads.
    pub processor: Duration,
    /// The most memory that it had at once.
    pub memory_bytes_max: u64,
}

/// The processes of a Postgres cluster on this machine.
#[derive(Clone, Copy, Debug)]
pub struct PostgresUsage {
    postmaster: u32,
}

impl Usage {
    /// Of a running process.
    pub fn of(pid: u32) -> anyhow::Result<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).context("it does not run")?;
        let peak_kib: u64 = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .and_then(|value| value.trim().trim_end_matches(" kB").parse().ok())
            .unwrap_or(0);
        let stat = Stat::of(pid).context("it does not run")?;
        Ok(Self {
            processor: stat.own,
            memory_bytes_max: peak_kib * 1_024,
        })
    }
}

impl PostgresUsage {
    /// The cluster that a backend belongs to; `None` where it runs on another machine.
    pub fn of_backend(backend_pid: i32) -> Option<Self> {
        let stat = Stat::of(u32::try_from(backend_pid).ok()?)?;
        stat.name.contains("postgres").then_some(Self {
            postmaster: stat.parent,
        })
    }

    /// Processor time of all its processes, those that have ended included.
    pub fn processor(self) -> Duration {
        let Some(postmaster) = Stat::of(self.postmaster) else {
            return Duration::ZERO;
        };
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let children: Duration = processes
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter_map(Stat::of)
            .filter(|stat| stat.parent == self.postmaster)
            .map(|stat| stat.own)
            .sum();
        postmaster.own + postmaster.reaped + children
    }
}

/// How many files this process, and each that it starts, may have open.
pub fn open_files_max() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let limit = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    limit
        .and_then(|limits| limits.split_ascii_whitespace().next()?.parse().ok())
        .unwrap_or(usize::MAX)
}

/// A line of `/proc/PID/stat`.
struct Stat {
    name: String,
    parent: u32,
    own: Duration,
    /// Of children that have ended.
    reaped: Duration,
}

impl Stat {
    fn of(pid: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// `4242 (name) S 1 …`: the name may hold anything, so the fields are counted from its end.
    fn parse(line: &str) -> Option<Self> {
        let (head, fields) = line.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
        let ticks = |number: usize| Some(TICK * fields.get(number)?.parse::<u32>().ok()?);
        Some(Self {
            name: head.split_once('(')?.1.to_owned(),
            parent: fields.get(1)?.parse().ok()?,
            own: ticks(11)? + ticks(12)?,
            reaped: ticks(13)? + ticks(14)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_line_is_read_whatever_the_name() {
        let line = "17 (a) (b) S 4 17 17 0 -1 4194560 1 2 3 4 100 50 7 8 20 0 1 0 1 2 3";
        let stat = Stat::parse(line).unwrap();
        assert_eq!((stat.name.as_str(), stat.parent), ("a) (b", 4));
        assert_eq!(stat.own, Duration::from_millis(1_500));
        assert_eq!(stat.reaped, Duration::from_millis(150));
    }

    #[test]
    fn this_process_has_used_something() {
        assert!(Usage::of(std::process::id()).unwrap().memory_bytes_max > 0);
    }
}
