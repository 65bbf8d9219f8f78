//! What this process has used, as Linux tells it.

use std::fs;

const PAGE_BYTES: usize = 4_096;
const TICKS_PER_SECOND: f64 = 100.0;

/// User and system time, to hundredths of a second.
pub fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks = fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap());
    ticks.sum::<f64>() / TICKS_PER_SECOND
}

/// Memory that is really there: the untouched end of a grown array is not.
pub fn resident_bytes() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * PAGE_BYTES
}

/// The most that was there since [`forget_peak`].
pub fn peak_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1_024
}

pub fn forget_peak() {
    fs::write("/proc/self/clear_refs", "5").unwrap();
}
