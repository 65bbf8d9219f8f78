//! The auditor, as a program of its own, and what it says.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;

/// Longest that the auditor may take.
const AUDITED_WITHIN: Duration = Duration::from_mins(30);
/// Characters of the auditor's own words that are told.
const TOLD_MAX: usize = 500;
/// The admin's token, which is none of the auditor's business.
const ADMIN_TOKEN: &str = "ONSALE_LOAD_ADMIN_TOKEN";

/// What the auditor said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", content = "detail", rename_all = "snake_case")]
pub(crate) enum Audit {
    /// It looked, at everything that buyers were told too, and found nothing.
    Clean,
    /// What was found, in its words.
    Findings(String),
    /// It was asked and came to no result: why.
    Failed(String),
    /// Nobody asked it.
    NotAsked,
}

impl Audit {
    /// One line.
    pub(crate) fn line(&self) -> String {
        match self {
            Self::Clean => "clean".to_owned(),
            Self::Findings(findings) => format!("findings: {findings}"),
            Self::Failed(why) => format!("failed: {why}"),
            Self::NotAsked => "not audited: no --audit-command was given".to_owned(),
        }
    }
}

/// Runs the auditor in this environment, with the log of the `orders` that buyers were told of.
pub(crate) async fn ask(command: Option<&str>, log: &Path, orders: usize) -> Audit {
    let Some(command) = command else {
        return Audit::NotAsked;
    };
    let mut words = command.split_whitespace();
    let Some(program) = words.next() else {
        return Audit::Failed("--audit-command is empty".to_owned());
    };
    let run = Command::new(program)
        .args(words)
        .arg("--clients")
        .arg(log)
        .env_remove(ADMIN_TOKEN)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    match timeout(AUDITED_WITHIN, run).await {
        Err(_) => Audit::Failed(format!("{program} took longer than half an hour")),
        Ok(Err(error)) => Audit::Failed(format!("{program}: {error}")),
        Ok(Ok(output)) => judged(&output.stdout, &output.stderr, output.status.success(), orders),
    }
}

fn judged(stdout: &[u8], stderr: &[u8], succeeded: bool, orders: usize) -> Audit {
    let told = short(String::from_utf8_lossy(stderr).trim());
    let Ok(report) = serde_json::from_slice::<Value>(stdout) else {
        return Audit::Failed(if told.is_empty() {
            "the auditor printed no JSON: give it --json".to_owned()
        } else {
            told
        });
    };
    let is_empty = |list: &str| report[list].as_array().is_none_or(Vec::is_empty);
    if !is_empty("findings") {
        return Audit::Findings(short(&report["findings"].to_string()));
    }
    if !succeeded || report["clean"] != true {
        return Audit::Failed(format!("neither clean nor a finding: {told}"));
    }
    if is_empty("events") {
        return Audit::Failed("it looked at no event: is it of this server?".to_owned());
    }
    if report["acknowledged"].as_u64() != u64::try_from(orders).ok() {
        let looked_for = &report["acknowledged"];
        return Audit::Failed(format!("it looked for {looked_for} of {orders} orders"));
    }
    Audit::Clean
}

fn short(text: &str) -> String {
    text.chars().take(TOLD_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_is_only_what_was_looked_at() {
        let event = r#"{"event_id":"e"}"#;
        for (events, acknowledged, succeeded, clean) in [
            (event, "2", true, true),
            ("", "2", true, false),
            (event, "1", true, false),
            (event, "null", true, false),
            (event, "2", false, false),
        ] {
            let said = format!(
                r#"{{"clean":true,"events":[{events}],"findings":[],"acknowledged":{acknowledged}}}"#
            );
            let audit = judged(said.as_bytes(), b"", succeeded, 2);
            assert_eq!(audit == Audit::Clean, clean, "{said}: {audit:?}");
            assert!(clean || matches!(audit, Audit::Failed(_)), "{said}: {audit:?}");
        }
    }

    #[test]
    fn what_was_found_is_told() {
        let said = br#"{"clean":false,"events":[],"findings":[{"invariant":"I7"}],"acknowledged":2}"#;
        let Audit::Findings(findings) = judged(said, b"", false, 2) else {
            panic!("no findings");
        };
        assert!(findings.contains("I7"), "{findings}");
    }

    #[test]
    fn an_auditor_that_cannot_say_has_failed() {
        let failed = |stdout: &[u8], stderr: &[u8]| judged(stdout, stderr, false, 2);
        assert_eq!(
            failed(b"", b"no database\n"),
            Audit::Failed("no database".to_owned())
        );
        assert!(matches!(failed(b"ok", b""), Audit::Failed(why) if why.contains("--json")));
        assert!(matches!(failed(b"{}", b"gone"), Audit::Failed(why) if why.contains("gone")));
    }

    #[tokio::test]
    async fn an_auditor_that_is_not_there_has_failed() {
        let asked = ask(Some("/nowhere/onsale audit"), Path::new("log"), 0).await;
        assert!(matches!(asked, Audit::Failed(_)), "{asked:?}");
        assert_eq!(ask(None, Path::new("log"), 0).await, Audit::NotAsked);
    }
}
