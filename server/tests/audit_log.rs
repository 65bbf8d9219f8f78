//! `onsale audit --log` from outside: what it prints and its exit codes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod support;

use std::process::Output;

use onsale_domain::UnixMillis;
use onsale_persistence::{Actor, AuditEntry, AuditOutcome, Database, DatabaseConfig};
use serde_json::Value;
use support::{Journal, Server, TestDatabase};

struct Log {
    server: Server,
    database: TestDatabase,
    _directory: tempfile::TempDir,
}

impl Log {
    fn unmigrated() -> Self {
        let database = TestDatabase::create();
        let directory = tempfile::tempdir().unwrap();
        let server = Server::prepare("auditor", directory.path(), &database.url(), Journal::Local, &[]);
        Self {
            server,
            database,
            _directory: directory,
        }
    }

    async fn of_three() -> Self {
        let log = Self::unmigrated();
        log.server.migrate();
        log.append(3).await;
        log
    }

    async fn append(&self, entries: usize) {
        let database = Database::connect(&DatabaseConfig::new(self.database.url()))
            .await
            .unwrap();
        let entry = AuditEntry::new(
            UnixMillis(1_795_000_000_000),
            Actor::SYSTEM,
            "users.deactivate",
            AuditOutcome::Done,
        );
        database.append_audit(&vec![entry; entries]).await.unwrap();
        database.close().await;
    }

    async fn tamper(&self, sql: &'static str) {
        let mut connection = self.database.connect().await;
        for sql in [
            "ALTER TABLE audit_log DISABLE TRIGGER USER",
            sql,
            "ALTER TABLE audit_log ENABLE TRIGGER USER",
        ] {
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        }
    }

    /// Runs the command and checks its exit code.
    fn audit(&self, arguments: &[&str], code: i32) -> Output {
        let arguments = [&["audit", "--log"], arguments].concat();
        let output = self.server.run(&arguments);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {}",
            stderr(&output)
        );
        output
    }

    /// The head of a log that holds.
    fn head(&self) -> String {
        let printed = stdout(&self.audit(&[], 0));
        let head = printed.lines().find_map(|line| line.strip_prefix("head    "));
        head.unwrap().to_owned()
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[tokio::test]
async fn a_log_that_holds_shows_its_head_which_is_an_anchor_later() {
    let log = Log::of_three().await;
    assert!(stdout(&log.audit(&[], 0)).contains("3 entries"));
    let head = log.head();
    assert!(head.starts_with("3:") && head.len() == 66, "{head}");
    log.append(1).await;
    let output = log.audit(&["--anchor", &head, "--json"], 0);
    let report: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(report["clean"], true);
    assert_eq!(report["entries"], 4);
    assert_eq!(report["head"], log.head());
    assert_eq!(report["finding"], Value::Null);
}

#[tokio::test]
async fn an_edit_exits_1_and_names_the_entry() {
    let log = Log::of_three().await;
    log.tamper("UPDATE audit_log SET action = 'users.read' WHERE seq = 2")
        .await;
    let output = log.audit(&[], 1);
    assert!(stderr(&output).contains("entry 2"), "{}", stderr(&output));
    assert!(
        !stdout(&output).contains("head"),
        "a broken log must not give an anchor"
    );
    let report: Value = serde_json::from_str(&stdout(&log.audit(&["--json"], 1))).unwrap();
    assert_eq!((&report["clean"], &report["entries"]), (&false.into(), &1.into()));
    assert_eq!(report["finding"]["seq"], 2);
}

#[tokio::test]
async fn entries_that_went_came_or_moved_exit_1_and_name_the_place() {
    for (sql, seq) in [
        (
            "UPDATE audit_log SET at = at + interval '1 second' WHERE seq = 1",
            1,
        ),
        ("UPDATE audit_log SET hash = previous_hash WHERE seq = 3", 3),
        ("DELETE FROM audit_log WHERE seq = 1", 1),
        ("DELETE FROM audit_log WHERE seq = 2", 2),
        ("DELETE FROM audit_log WHERE seq = 3", 3),
        ("DELETE FROM audit_log", 1),
        ("TRUNCATE audit_log", 1),
        (
            "DELETE FROM audit_log WHERE seq = 2;
             UPDATE audit_log SET seq = 2 WHERE seq = 3;
             UPDATE audit_log_head SET (seq, hash) = (SELECT seq, hash FROM audit_log WHERE seq = 2)",
            2,
        ),
        (
            "UPDATE audit_log SET seq = 4 WHERE seq = 1;
             UPDATE audit_log SET seq = 1 WHERE seq = 2;
             UPDATE audit_log SET seq = 2 WHERE seq = 4",
            1,
        ),
        (
            "CREATE TEMPORARY TABLE copy AS SELECT * FROM audit_log WHERE seq = 3;
             UPDATE copy SET seq = 4;
             INSERT INTO audit_log SELECT * FROM copy",
            4,
        ),
    ] {
        let log = Log::of_three().await;
        log.tamper(sql).await;
        let output = log.audit(&["--json"], 1);
        let report: Value = serde_json::from_str(&stdout(&output)).unwrap();
        assert_eq!(
            (&report["clean"], &report["finding"]["seq"]),
            (&false.into(), &seq.into()),
            "{sql}: {report}"
        );
    }
}

#[tokio::test]
async fn a_log_that_was_emptied_with_its_head_exits_1_against_an_anchor() {
    let log = Log::of_three().await;
    let head = log.head();
    log.tamper(
        "TRUNCATE audit_log;
         UPDATE audit_log_head SET seq = 0, hash = decode(repeat('00', 32), 'hex')",
    )
    .await;
    log.audit(&[], 0);
    let output = log.audit(&["--anchor", &head], 1);
    assert!(stderr(&output).contains("entry 1"), "{}", stderr(&output));
}

#[tokio::test]
async fn a_tail_cut_with_its_head_exits_1_against_an_anchor() {
    let log = Log::of_three().await;
    let head = log.head();
    log.tamper(
        "DELETE FROM audit_log WHERE seq = 3;
         UPDATE audit_log_head SET (seq, hash) = (SELECT seq, hash FROM audit_log WHERE seq = 2)",
    )
    .await;
    log.audit(&[], 0);
    let output = log.audit(&["--anchor", &head], 1);
    assert!(stderr(&output).contains("entry 3"), "{}", stderr(&output));
}

#[tokio::test]
async fn what_cannot_be_verified_says_why() {
    let log = Log::unmigrated();
    assert!(stderr(&log.audit(&[], 1)).contains("onsale migrate"));
    assert!(stderr(&log.audit(&["--anchor", "3"], 2)).contains("SEQ:HASH"));
    log.audit(&["--journal", "local"], 2);
    let output = log
        .server
        .run(&["audit", "--anchor", &format!("1:{}", "0".repeat(64))]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--log"));
}
