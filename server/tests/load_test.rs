//! The load test's journeys and k6's scripts, each for a few seconds against the real binary: something is sold, no
//! more than there is, and the auditor has nothing to find.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Stdio;

use clap::Parser as _;
use onsale_loadtest::{Arguments, Journey};
use serde_json::Value;
use support::{Caller, Journal, World};
use tokio::process::Command;

const BUYERS: usize = 300;

/// A server with buyers and an admin in files.
struct Trial {
    world: World,
    tokens: PathBuf,
}

impl Trial {
    async fn start() -> Self {
        // The postgres journal can be audited while the server runs.
        let world = World::with(Journal::Postgres, &[("ONSALE_DATABASE_CONNECTIONS_MAX", "12")]).await;
        let tokens = world.directory.path().join("buyers.txt");
        let lines: Vec<_> = (0..BUYERS).map(|_| Caller::buyer().token).collect();
        std::fs::write(&tokens, lines.join("\n")).unwrap();
        Self { world, tokens }
    }

    fn file(&self, name: &str) -> String {
        self.world.directory.path().join(name).display().to_string()
    }

    /// The auditor, with the settings of this server.
    fn audit_command(&self) -> String {
        format!(
            "env DATABASE_URL={} ONSALE_JOURNAL=postgres ONSALE_LOG_LEVEL=warn {} audit --json",
            self.world.database.url(),
            support::onsale_binary().display(),
        )
    }

    fn arguments(&self, given: &[&str]) -> Arguments {
        let (address, internal) = (
            format!("http://{}", self.world.api()),
            format!("http://{}", self.world.server.internal),
        );
        let (tokens, audit) = (self.tokens.display().to_string(), self.audit_command());
        let fixed = [
            "onsale-load",
            "--address",
            &address,
            "--internal",
            &internal,
            "--admin-token",
            &self.world.admin.token,
            "--token-file",
            &tokens,
            "--audit-command",
            &audit,
        ];
        Arguments::try_parse_from(fixed.iter().chain(given)).unwrap()
    }
}

fn read(path: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_journey_sells_what_there_is_and_the_audit_is_clean() {
    let trial = Trial::start().await;
    let (json, html, log) = (
        trial.file("run.json"),
        trial.file("run.html"),
        trial.file("orders.jsonl"),
    );
    let given = [
        "--users",
        "40",
        "--capacity",
        "400",
        "--duration",
        "6",
        "--json",
        &json,
        "--html",
        &html,
        "--log",
        &log,
    ];
    let report = Box::pin(onsale_loadtest::run(&trial.arguments(&given)))
        .await
        .unwrap();
    let told = read(&json);
    assert!(report.passed(), "{told:#}");
    assert_eq!(told["verdict"], "pass");
    assert_eq!(told["audit"]["outcome"], "clean", "{told:#}");
    assert_eq!(told["oversold"], 0);
    assert!(report.goodput_per_second() > 0.0);
    assert!(told["sold"].as_u64() <= told["capacity"].as_u64(), "{told:#}");
    let steps = told["steps"].as_array().unwrap();
    for journey in Journey::ALL {
        let acknowledged = |step: &&Value| step["journey"] == journey.as_str() && step["acknowledged"] != 0;
        assert!(
            steps.iter().any(|step| acknowledged(&step)),
            "{journey}: {told:#}"
        );
    }
    let orders = std::fs::read_to_string(&log).unwrap();
    assert_eq!(
        u64::try_from(orders.lines().count()).unwrap(),
        told["sales"].as_u64().unwrap() + told["sales_before"].as_u64().unwrap()
    );
    assert!(told["sales_before"].as_u64().unwrap() > 0, "{told:#}");
    assert!(!orders.contains("\"code\""), "codes of tickets are secrets");
    assert!(std::fs::read_to_string(&html).unwrap().contains("PASS"));

    // The auditor looks for what buyers were told, and misses what is in no journal.
    let audit = |log: &str| trial.world.server.run(&["audit", "--clients", log, "--json"]);
    assert!(audit(&log).status.success());
    let mut order: Value = serde_json::from_str(orders.lines().next().unwrap()).unwrap();
    order["order_id"] = uuid::Uuid::now_v7().to_string().into();
    std::fs::write(&log, format!("{orders}{order}\n")).unwrap();
    let output = audit(&log);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{report:#}");
    assert_eq!(report["findings"][0]["invariant"], "I7", "{report:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_threshold_that_is_missed_fails_the_run() {
    let trial = Trial::start().await;
    let given = [
        "--journey",
        "flash-crowd",
        "--users",
        "4",
        "--rate",
        "20",
        "--duration",
        "2",
        "--goodput-min",
        "1000000",
        "--quiet",
    ];
    let report = Box::pin(onsale_loadtest::run(&trial.arguments(&given)))
        .await
        .unwrap();
    assert!(!report.passed());
    assert!(report.json().unwrap().contains("fewer than 1000000"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_k6_script_sells_what_there_is() {
    let mut trial = Trial::start().await;
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../loadtest/k6/scenarios");
    let scripts: Vec<_> = std::fs::read_dir(scripts)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "js"))
        .collect();
    assert!(scripts.len() >= 7, "{scripts:?}");
    let runs: Vec<_> = scripts
        .iter()
        .map(|script| {
            let json = trial.file(&format!("{}.json", script.file_stem().unwrap().to_string_lossy()));
            let mut run = k6(&trial, script, &json);
            async move { (script, run.output().await.unwrap(), json) }
        })
        .collect();
    for (script, output, json) in futures::future::join_all(runs).await {
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {said}", script.display());
        assert!(said.contains("PASS"), "{said}");
        let told = read(&json);
        assert_eq!(told["verdict"], "pass", "{told:#}");
        assert!(
            told["sold"].as_u64().unwrap() > 0,
            "{}: {told:#}",
            script.display()
        );
        assert!(told["sold"].as_u64() <= told["capacity"].as_u64(), "{told:#}");
    }
    trial.world.settled().await;
    trial.world.stop_and_audit().await;
}

/// A tiny run of a script. Arrivals that no user is free for may be dropped: the machine of a test is busy.
fn k6(trial: &Trial, script: &Path, json: &str) -> Command {
    let python =
        std::env::var("ONSALE_TEST_PYTHON").expect("ONSALE_TEST_PYTHON: run with `cargo xtask pg -- …`");
    let mut command = Command::new(Path::new(&python).with_file_name("k6"));
    command
        .args(["run", "--quiet", "--no-color", "--address", "localhost:0"])
        .arg(script)
        .env("K6_NO_USAGE_REPORT", "true")
        .env("ONSALE_LOAD_ADDRESS", format!("http://{}", trial.world.api()))
        .env("ONSALE_LOAD_ADMIN_TOKEN", &trial.world.admin.token)
        .env("ONSALE_LOAD_TOKEN_FILE", &trial.tokens)
        .env("ONSALE_LOAD_CAPACITY", "150")
        .env("ONSALE_LOAD_RATE", "10")
        .env("ONSALE_LOAD_DURATION", "4")
        .env("ONSALE_LOAD_USERS", "10")
        .env("ONSALE_LOAD_DROPPED_MAX", "1000")
        .env("ONSALE_LOAD_JSON", json)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}
