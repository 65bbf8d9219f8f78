//! Ends what a command left running behind our back.
//!
//! A test that is killed halfway cannot stop the server it started. As the *subreaper* of our descendants
//! (Linux) we inherit such orphans instead of process 1, so they can be found by their parent, which is us,
//! and ended by their process id.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, waitpid};

/// Whether [`adopt_orphans`] was called; unit tests, which share one process, never do.
static ADOPTING: AtomicBool = AtomicBool::new(false);

/// Makes orphaned descendants ours. Where the system cannot do that, leftovers are not found; the groups of
/// our direct children are still stopped.
pub fn adopt_orphans() {
    ADOPTING.store(set_child_subreaper(Some(getpid())).is_ok(), Ordering::Relaxed);
}

/// Kills and reaps every child of ours except `spare`, and says so.
///
/// Does nothing before [`adopt_orphans`]: then every child has an owner that stops it.
/// Killing one may orphan its children to us, hence the loop; it is bounded in case something cannot die.
pub fn end_leftovers(spare: &[Pid]) {
    if !ADOPTING.load(Ordering::Relaxed) {
        return;
    }
    for _generation in 0..16 {
        let mut leftovers = children_of(getpid());
        leftovers.retain(|child| !spare.contains(&child.pid));
        if leftovers.is_empty() {
            return;
        }
        for Process { pid, name, state } in leftovers {
            if state != "Z" {
                let number = pid.as_raw_nonzero();
                eprintln!("xtask: stopping process {number} ({name}), which was left running");
                let _gone_already = kill_process(pid, Signal::KILL);
            }
            let _reaped = waitpid(Some(pid), WaitOptions::empty());
        }
    }
}

#[derive(Debug)]
struct Process {
    pid: Pid,
    name: String,
    /// One letter; `Z` is dead and only waits to be reaped.
    state: String,
}

/// The children of a process, from `/proc`; empty where there is none.
fn children_of(parent: Pid) -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            let (name, state, found) = parse_stat(&stat)?;
            (found == parent.as_raw_nonzero().get()).then_some(Process { pid, name, state })
        })
        .collect()
}

/// Name, state and parent in `4711 (a name) S 1 ...`: the name may itself hold blanks and parentheses.
fn parse_stat(stat: &str) -> Option<(String, String, i32)> {
    let (before, after) = stat.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    let mut fields = after.split_whitespace();
    let state = fields.next()?.to_owned();
    let parent = fields.next()?.parse().ok()?;
    Some((name.to_owned(), state, parent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_found_behind_an_awkward_name() {
        let found = parse_stat("42 (a) b (c)) S 7 42 42 0");
        assert_eq!(found, Some(("a) b (c)".to_owned(), "S".to_owned(), 7)));
        assert_eq!(parse_stat("nonsense"), None);
    }
}
