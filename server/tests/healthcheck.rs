//! `onsale healthcheck`, as a container's runtime asks it: alone, without a shell, and often.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod support;

use std::net::TcpListener;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use support::{Journal, World, free_address, onsale_binary, until};

/// Asks with these variables and no others.
fn asked(environment: &[(&str, &str)], arguments: &[&str]) -> Output {
    Command::new(onsale_binary())
        .arg("healthcheck")
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn a_process_is_healthy_from_when_it_serves_until_it_drains() {
    let mut world = World::prepare(Journal::Postgres, &[]);
    world.server.spawn();
    let address = world.server.internal.to_string();
    let environment = [("ONSALE_INTERNAL_LISTEN", address.as_str())];
    until("it says what it waits for", Duration::from_secs(20), async || {
        told(&asked(&environment, &[])).contains("awaiting_migration")
    })
    .await;
    assert_eq!(asked(&environment, &[]).status.code(), Some(1));
    world.migrate().await;
    until("it is healthy", Duration::from_secs(30), async || {
        asked(&environment, &[]).status.success()
    })
    .await;
    let json = asked(&environment, &["--json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(
        (&json["ready"], &json["detail"]),
        (&true.into(), &serde_json::Value::Null)
    );
    // Who listens on every address is asked over the loopback.
    let every = format!("0.0.0.0:{}", world.server.internal.port());
    assert!(asked(&[("ONSALE_INTERNAL_LISTEN", &every)], &[]).status.success());
    let flag = ["--internal-listen", every.as_str()];
    assert!(asked(&[], &flag).status.success());
    world.server.stop().await;
    let gone = asked(&environment, &[]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(told(&gone).contains(&address), "{}", told(&gone));
}

#[test]
fn who_listens_on_every_ipv6_address_is_asked_over_its_loopback() {
    let listener = TcpListener::bind("[::]:0").unwrap();
    let address = format!("[::]:{}", listener.local_addr().unwrap().port());
    drop(listener);
    let told = told(&asked(&[("ONSALE_INTERNAL_LISTEN", &address)], &[]));
    assert!(told.contains("[::1]:"), "{told}");
}

#[test]
fn who_does_not_answer_is_not_waited_for() {
    // The kernel takes connections; nobody reads from them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let started = Instant::now();
    let output = asked(&[("ONSALE_INTERNAL_LISTEN", &address)], &["--timeout", "1"]);
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("within 1 s"), "{}", told(&output));
    for timeout in ["0", "61"] {
        assert_eq!(asked(&[], &["--timeout", timeout]).status.code(), Some(2));
    }
}

#[test]
fn it_needs_no_other_setting_to_be_right() {
    let address = free_address().to_string();
    let environment = [
        ("ONSALE_INTERNAL_LISTEN", address.as_str()),
        (
            "ONSALE_TOKEN_SECRET_FILE",
            "/run/secrets/readable-to-the-server-only",
        ),
        ("ONSALE_JOURNAL", "paper"),
    ];
    let output = asked(&environment, &[]);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let output = asked(&[("ONSALE_INTERNAL_LISTEN", "9464")], &[]);
    assert_eq!(output.status.code(), Some(78));
    assert!(told(&output).contains("internal_listen (ONSALE_INTERNAL_LISTEN) from environment"));
}
