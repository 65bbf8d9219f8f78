//! A deployment that the doctor looks at.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{SECRET, TICKET_KEYS, TestDatabase, free_address, onsale_binary};

/// The doctor ends within this, whatever hangs.
const ENDS_WITHIN: Duration = Duration::from_mins(1);

/// All that serving needs, with nothing wrong but what this machine lacks.
pub(crate) struct Patient {
    pub(crate) directory: TempDir,
    environment: Vec<(String, String)>,
    /// What a shell does first.
    before: Option<&'static str>,
}

impl Patient {
    /// On a database.
    pub(crate) fn on(url: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let files = directory.path().join("files").display().to_string();
        Self {
            directory,
            environment: Vec::new(),
            before: None,
        }
        .with("DATABASE_URL", url)
        .with("ONSALE_LISTEN", &free_address().to_string())
        .with("ONSALE_INTERNAL_LISTEN", &free_address().to_string())
        .with("ONSALE_TOKEN_SECRET", SECRET)
        .with("ONSALE_TICKET_KEYS", TICKET_KEYS)
        .with("ONSALE_FILES_FOLDER", &files)
    }

    /// On a migrated database.
    pub(crate) fn migrated(database: &TestDatabase) -> Self {
        let patient = Self::on(&database.url());
        let output = patient.run(&["migrate"]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        patient
    }

    /// On no database that answers, for what needs none.
    pub(crate) fn without_database() -> Self {
        Self::on("").without("DATABASE_URL")
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.environment.retain(|(found, _)| found != name);
        self
    }

    /// Has a shell change the limits first.
    pub(crate) fn after(mut self, before: &'static str) -> Self {
        self.before = Some(before);
        self
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let program = onsale_binary();
        let mut command = match self.before {
            None => Command::new(program),
            Some(before) => {
                let mut shell = Command::new("sh");
                shell
                    .args(["-c", &format!("{before} \"$0\" \"$@\"")])
                    .arg(program);
                shell
            }
        };
        command.args(arguments).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.output().unwrap()
    }

    /// Has the doctor look.
    pub(crate) fn examined(&self) -> Report {
        let started = Instant::now();
        let output = self.run(&["doctor", "--json"]);
        assert!(started.elapsed() < ENDS_WITHIN, "it took {:?}", started.elapsed());
        let told = String::from_utf8_lossy(&output.stderr);
        let body: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {told}"));
        let expected = i32::from(body["ok"] != true);
        assert_eq!(output.status.code(), Some(expected), "{told}");
        Report(body)
    }
}

/// What the doctor found.
pub(crate) struct Report(Value);

impl Report {
    /// Whether nothing failed.
    pub(crate) fn is_ok(&self) -> bool {
        self.0["ok"] == true
    }

    fn checks(&self, name: &str) -> Vec<&Value> {
        let checks = self.0["checks"].as_array().unwrap();
        checks.iter().filter(|check| check["name"] == name).collect()
    }

    /// A check of this name came out so, says this, and names this mend.
    #[track_caller]
    pub(crate) fn says(&self, name: &str, outcome: &str, detail: &str, mend: &str) {
        let checks = self.checks(name);
        let holds =
            |check: &&Value, part: &str, text: &str| check[part].as_str().unwrap_or_default().contains(text);
        let found = checks.iter().any(|check| {
            check["outcome"] == outcome && holds(check, "detail", detail) && holds(check, "mend", mend)
        });
        assert!(
            found,
            "no {name} that is {outcome} with `{detail}` and `{mend}`: {}",
            self.0
        );
    }

    #[track_caller]
    pub(crate) fn fails(&self, name: &str, detail: &str, mend: &str) {
        assert!(!mend.is_empty());
        self.says(name, "failed", detail, mend);
        assert!(!self.is_ok());
    }

    #[track_caller]
    pub(crate) fn warns(&self, name: &str, detail: &str, mend: &str) {
        assert!(!mend.is_empty());
        self.says(name, "warning", detail, mend);
    }

    /// Every check of this name is well.
    #[track_caller]
    pub(crate) fn passes(&self, name: &str) {
        let checks = self.checks(name);
        assert!(!checks.is_empty(), "no {name}: {}", self.0);
        for check in checks {
            assert_eq!(
                (&check["outcome"], &check["mend"]),
                (&"ok".into(), &Value::Null),
                "{check}"
            );
        }
    }
}
