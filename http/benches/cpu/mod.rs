//! Processor time of this process by groups of threads, and of the Postgres that it uses, as Linux counts it.

#![allow(dead_code, unreachable_pub, reason = "each benchmark uses a part")]

use std::fs::read_to_string;

/// Who used it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// The server's runtime: connections, actors, lanes and the projector.
    Serving,
    /// The threads of the local journal.
    Journal,
    /// Postgres: its journal's part, and the projection's.
    Postgres,
    /// The load generator, and whatever else is in the process.
    Asking,
}

impl Group {
    pub const ALL: [Self; 4] = [Self::Serving, Self::Journal, Self::Postgres, Self::Asking];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::Journal => "journal",
            Self::Postgres => "postgres",
            Self::Asking => "asking",
        }
    }

    fn of_thread(name: &str) -> Option<Self> {
        match name {
            super::serving::SERVING => Some(Self::Serving),
            "onsale-journal" | "onsale-checkpoin" => Some(Self::Journal),
            _ => None,
        }
    }
}

/// Microseconds of each group.
pub struct Used([f64; Group::ALL.len()]);

impl Used {
    /// Since the processes began.
    pub fn so_far() -> Self {
        let mut used = [0.0; Group::ALL.len()];
        for (name, microseconds) in threads() {
            if let Some(group) = Group::of_thread(&name) {
                used[group as usize] += microseconds;
            }
        }
        used[Group::Postgres as usize] = postgres();
        let process = ticks("/proc/self/stat", &[13, 14]).unwrap_or_default();
        used[Group::Asking as usize] =
            process - used[Group::Serving as usize] - used[Group::Journal as usize];
        Self(used)
    }

    pub fn since(&self, before: &Self) -> Self {
        let mut used = self.0;
        for (used, before) in used.iter_mut().zip(before.0) {
            *used -= before;
        }
        Self(used)
    }

    pub fn of(&self, group: Group) -> f64 {
        self.0[group as usize]
    }

    pub fn sum(&self) -> f64 {
        self.0.iter().sum()
    }
}

/// Names of this process's threads, and their microseconds.
fn threads() -> Vec<(String, f64)> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    tasks
        .filter_map(|task| {
            let path = task.ok()?.path();
            let name = read_to_string(path.join("comm")).ok()?;
            let nanoseconds = read_to_string(path.join("schedstat")).ok()?;
            let nanoseconds: f64 = nanoseconds.split(' ').next()?.parse().ok()?;
            Some((name.trim_end().to_owned(), nanoseconds / 1_000.0))
        })
        .collect()
}

/// Microseconds of the Postgres server that listens where `DATABASE_URL` says, with its processes, dead ones included.
fn postgres() -> f64 {
    let url = std::env::var("DATABASE_URL").unwrap();
    let port = url
        .rsplit(':')
        .next()
        .unwrap()
        .split('/')
        .next()
        .unwrap()
        .to_owned();
    let mut processes = Vec::new();
    for directory in std::fs::read_dir("/proc").unwrap() {
        let path = directory.unwrap().path();
        let is_postgres = read_to_string(path.join("comm")).is_ok_and(|name| name.trim_end() == "postgres");
        if is_postgres && let Ok(stat) = read_to_string(path.join("stat")) {
            processes.push((path, parent(&stat)));
        }
    }
    let is_server = |path: &std::path::Path| {
        let command = read_to_string(path.join("cmdline")).unwrap_or_default();
        command.split('\0').any(|argument| argument == port)
    };
    let Some((server, _)) = processes.iter().find(|(path, _)| is_server(path)) else {
        return 0.0;
    };
    let server_id = server.file_name().unwrap().to_str().unwrap();
    let own = ticks(&server.join("stat").to_string_lossy(), &[13, 14, 15, 16]);
    let children = processes
        .iter()
        .filter(|(_, parent)| parent == server_id)
        .filter_map(|(path, _)| ticks(&path.join("stat").to_string_lossy(), &[13, 14]));
    own.into_iter().chain(children).sum()
}

fn parent(stat: &str) -> String {
    field(stat, 3).unwrap_or_default().to_owned()
}

/// The sum of these fields of a `stat`, counted from 0, from hundredths of a second.
fn ticks(path: &str, fields: &[usize]) -> Option<f64> {
    let stat = read_to_string(path).ok()?;
    fields
        .iter()
        .map(|number| field(&stat, *number)?.parse::<f64>().ok())
        .try_fold(0.0, |sum, ticks| Some(sum + ticks? * 10_000.0))
}

/// A field of a `stat`; a process's name, in parentheses, may hold spaces.
fn field(stat: &str, number: usize) -> Option<&str> {
    let (_, after_name) = stat.rsplit_once(") ")?;
    after_name.split(' ').nth(number.checked_sub(2)?)
}
