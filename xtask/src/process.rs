//! Child processes that never outlive their owner.
//!
//! Two kinds: a [`Daemon`] runs beside us until it is dropped; [`run`] waits for a command and passes on
//! Ctrl-C and SIGTERM. Both live in their own process group, so that a Ctrl-C at the terminal reaches only
//! us and we decide the order in which things stop. Nothing here is ever stopped by name.

use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

const POLL: Duration = Duration::from_millis(20);
/// nextest gives its tests ten seconds to stop; we wait a little longer before the hard way.
const RUNNER_GRACE: Duration = Duration::from_secs(13);
const DAEMON_GRACE: Duration = Duration::from_secs(5);

/// Asks the kernel to tell us about Ctrl-C, SIGTERM and SIGHUP instead of ending us. Call it before anything
/// is started: without it a signal would skip the drops that stop our children.
pub fn catch_signals() -> Result<()> {
    for signal in [
        signal_hook::consts::SIGINT,
        signal_hook::consts::SIGTERM,
        signal_hook::consts::SIGHUP,
    ] {
        signal_hook::flag::register(signal, Arc::clone(flag())).context("cannot catch signals")?;
    }
    Ok(())
}

/// Whether somebody asked us to stop.
pub fn interrupted() -> bool {
    flag().load(Ordering::Relaxed)
}

fn flag() -> &'static Arc<AtomicBool> {
    static FLAG: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    FLAG.get_or_init(Arc::default)
}

/// A server that runs until this value is dropped.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    /// Tried in turn, each with some grace, before SIGKILL.
    stop_signals: &'static [Signal],
}

impl Daemon {
    /// Starts `command`, without input.
    pub fn start(command: &mut Command, stop_signals: &'static [Signal]) -> Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
        Ok(Self { child, stop_signals })
    }

    /// The process id.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        for &signal in self.stop_signals {
            if !self.is_running() {
                return;
            }
            let _gone_already = kill_process(self.pid(), signal);
            if wait_for(&mut self.child, DAEMON_GRACE).is_some() {
                return;
            }
        }
        kill_group(&mut self.child);
    }
}

/// How a command shares the terminal with us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Console {
    /// Streams through live; what was printed is also returned. No input.
    Captured,
    /// Keeps our own input and output; a Ctrl-C at the terminal reaches it directly.
    Shared,
}

/// How a command ended.
#[derive(Debug)]
pub struct Finished {
    /// Its exit status.
    pub status: ExitStatus,
    /// What it printed on both streams, when captured.
    pub output: String,
}

impl Finished {
    /// The command's exit code as ours; 128 + signal where a signal ended it, as shells do.
    pub fn exit_code(&self) -> ExitCode {
        let code = self
            .status
            .code()
            .or_else(|| self.status.signal().map(|signal| 128 + signal));
        ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
    }
}

/// Runs a command to its end, or stops it when we are interrupted.
///
/// `spare` are the daemons to leave alone: whatever else the command left running is stopped.
pub fn run(command: &mut Command, console: Console, spare: &[Pid]) -> Result<Finished> {
    // A command at a terminal must stay in the terminal's foreground group, or reading would stop it.
    let own_group = console == Console::Captured || !std::io::stdin().is_terminal();
    if own_group {
        command.process_group(0);
    }
    if console == Console::Captured {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
    }
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start {program}"))?;
    let stdout = child.stdout.take().map(|stream| tee(stream, std::io::stdout()));
    let stderr = child.stderr.take().map(|stream| tee(stream, std::io::stderr()));

    let status = wait_or_stop(&mut child, own_group)?;
    // First end what still holds the pipes, then read them to their end.
    crate::reaper::end_leftovers(spare);
    let mut output = String::new();
    for reader in [stdout, stderr].into_iter().flatten() {
        output.push_str(&reader.join().unwrap_or_default());
    }
    Ok(Finished { status, output })
}

fn wait_or_stop(child: &mut Child, own_group: bool) -> Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait().context("cannot wait for a child")? {
            return Ok(status);
        }
        if interrupted() {
            let pid = Pid::from_child(child);
            let _gone_already = if own_group {
                kill_process_group(pid, Signal::TERM)
            } else {
                kill_process(pid, Signal::TERM)
            };
            if let Some(status) = wait_for(child, RUNNER_GRACE) {
                return Ok(status);
            }
            if own_group {
                kill_group(child);
            } else {
                let _gone_already = child.kill();
            }
            return child.wait().context("cannot wait for a child");
        }
        thread::sleep(POLL);
    }
}

fn wait_for(child: &mut Child, grace: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + grace;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => thread::sleep(POLL),
            Ok(None) | Err(_) => return None,
        }
    }
}

fn kill_group(child: &mut Child) {
    if matches!(child.try_wait(), Ok(None)) {
        let _gone_already = kill_process_group(Pid::from_child(child), Signal::KILL);
        let _reaped = child.wait();
    }
}

/// Copies a stream line by line to ours and remembers it. Bytes that are not UTF-8 pass unchanged.
fn tee(stream: impl Read + Send + 'static, mut sink: impl Write + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut all = String::new();
        let mut line = Vec::new();
        while matches!(reader.read_until(b'\n', &mut line), Ok(1..)) {
            // Our own output may be closed (`| head`); the runner must not block on us then.
            let _closed = sink.write_all(&line).and_then(|()| sink.flush());
            all.push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn both_streams_are_captured_and_the_exit_code_kept() {
        let finished = run(&mut sh("echo out; echo err >&2; exit 3"), Console::Captured, &[]).unwrap();
        assert_eq!(finished.status.code(), Some(3));
        assert!(finished.output.contains("out\n") && finished.output.contains("err\n"));
    }

    #[test]
    fn a_dropped_daemon_is_gone() {
        let mut daemon = Daemon::start(&mut sh("exec sleep 600"), &[Signal::TERM]).unwrap();
        let pid = daemon.pid();
        assert!(daemon.is_running());
        drop(daemon);
        assert!(rustix::process::test_kill_process(pid).is_err());
    }

    #[test]
    fn a_daemon_that_ignores_the_request_is_killed() {
        let daemon = Daemon::start(&mut sh("trap '' TERM; while :; do sleep 0.05; done"), &[]).unwrap();
        let pid = daemon.pid();
        drop(daemon);
        assert!(rustix::process::test_kill_process(pid).is_err());
    }
}
