//! The program, in an environment of a test's own.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

pub(crate) const TOKEN_SECRET: &str = "a-secret-of-the-tests-0123456789abcdef";
pub(crate) const TICKET_KEYS: &str =
    "test EdDSA MC4CAQAwBQYDK2VwBCIEIJEcN9pseHrao7qbVPGb4zzoffXmog37C4bhBPAni3s6";
/// Nobody is there; what is wrong with a setting must be told all the same.
pub(crate) const NO_DATABASE: &str = "postgres://postgres@127.0.0.1:1/none";

/// A directory, and what the program is given.
pub(crate) struct Given {
    directory: TempDir,
    environment: Vec<(String, OsString)>,
}

impl Given {
    /// Nothing.
    pub(crate) fn nothing() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            environment: Vec::new(),
        }
    }

    /// All that `onsale serve` cannot do without.
    pub(crate) fn enough() -> Self {
        let given = Self::nothing();
        let (files, journal) = (given.path("files"), given.path("journal"));
        given
            .env("DATABASE_URL", NO_DATABASE)
            .env("ONSALE_LISTEN", "127.0.0.1:0")
            .env("ONSALE_INTERNAL_LISTEN", "127.0.0.1:0")
            .env("ONSALE_TOKEN_SECRET", TOKEN_SECRET)
            .env("ONSALE_TICKET_KEYS", TICKET_KEYS)
            .env("ONSALE_FILES_FOLDER", &files)
            .env("ONSALE_JOURNAL_DIRECTORY", &journal)
    }

    /// A variable; the last one of a name wins.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// A variable of bytes that are no text.
    pub(crate) fn garbage(mut self, name: &str) -> Self {
        self.environment
            .push((name.to_owned(), OsString::from_vec(vec![b'a', 0xff, 0xfe])));
        self
    }

    /// Takes a variable away.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.environment.retain(|(found, _)| found != name);
        self
    }

    /// A file in the directory.
    pub(crate) fn file(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.directory.path().join(name), text).unwrap();
        self
    }

    /// Where such a file is.
    pub(crate) fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Answer {
        let mut command = Command::new(program());
        command
            .args(arguments)
            .env_clear()
            .current_dir(self.directory.path());
        if arguments.contains(&"serve") {
            // One that serves although it should not ends with its input.
            command.arg("--stop-with-stdin");
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        Answer::of(&command.stdin(Stdio::null()).output().unwrap())
    }

    /// Runs a command that must be refused for its configuration.
    #[track_caller]
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let answer = self.run(arguments);
        assert_eq!(answer.code, Some(78), "{arguments:?}: {}", answer.stderr);
        assert_eq!(answer.stdout, "", "stdout is for results");
        let told: Vec<_> = answer
            .stderr
            .lines()
            .filter(|line| line.starts_with("onsale: configuration: "))
            .collect();
        assert_eq!(told.len(), 1, "{}", answer.stderr);
        told[0].to_owned()
    }
}

/// What the program said.
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Answer {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// What is asked: the tests' own build, or what the environment names.
fn program() -> PathBuf {
    std::env::var_os("ONSALE_BINARY").map_or_else(|| env!("CARGO_BIN_EXE_onsale").into(), PathBuf::from)
}

/// A file of the repository.
pub(crate) fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}
