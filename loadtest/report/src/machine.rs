//! The machine that figures are from.

use std::fs;

use serde::Serialize;

/// What a reader must know of the machine to read figures; empty or 0 where the system does not tell.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// Model of the processor, as the system names it.
    pub processor: String,
    /// Processors this process may use.
    pub processors: usize,
    /// Bytes of memory.
    pub memory_bytes: u64,
    /// Kernel and its release.
    pub system: String,
}

impl Machine {
    /// This machine.
    pub fn this() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let memory_kib = field(&read("/proc/meminfo"), "MemTotal")
            .trim_end_matches(" kB")
            .parse()
            .unwrap_or(0_u64);
        Self {
            processor: field(&read("/proc/cpuinfo"), "model name").to_owned(),
            processors: std::thread::available_parallelism().map_or(0, usize::from),
            memory_bytes: memory_kib.saturating_mul(1_024),
            system: format!(
                "{} {}",
                std::env::consts::OS,
                read("/proc/sys/kernel/osrelease").trim()
            ),
        }
    }

    /// One line: `AMD EPYC, 2 processors, 23 GiB, linux 6.1.0`.
    pub fn line(&self) -> String {
        let Self {
            processor,
            processors,
            system,
            ..
        } = self;
        let processor = if processor.is_empty() {
            "unknown processor"
        } else {
            processor
        };
        let memory_gib = self.memory_bytes >> 30;
        format!("{processor}, {processors} processors, {memory_gib} GiB, {system}")
    }
}

/// The value of the first line that begins with a name, as in `/proc/cpuinfo`.
fn field<'a>(text: &'a str, name: &str) -> &'a str {
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'));
    value.unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_name() {
        let text = "processor\t: 0\nmodel name\t: AMD EPYC\nmodel name\t: other\n";
        assert_eq!(field(text, "model name"), "AMD EPYC");
        assert_eq!(field(text, "flags"), "");
    }

    #[test]
    fn this_machine_has_processors() {
        assert!(Machine::this().processors > 0);
    }
}
