//! The command line from outside: exit codes, and that messages name what to mend. None of these needs a database.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::process::{Command, Output};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn onsale(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onsale"));
    command.args(arguments).env_clear();
    command.envs(environment.iter().copied());
    command.output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn refused(arguments: &[&str], environment: &[(&str, &str)], code: i32, named: &[&str]) {
    let output = onsale(arguments, environment);
    let told = stderr(&output);
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?} {environment:?}: {told}"
    );
    assert!(output.stdout.is_empty(), "{arguments:?}: stdout is for results");
    for name in named {
        assert!(told.contains(name), "{arguments:?}: `{name}` is not in: {told}");
    }
}

fn file(directory: &Path, text: &str) -> String {
    let path = directory.join("onsale.toml");
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn in_force(output: &Output, key: &str) -> (String, String) {
    let object: serde_json::Value = serde_json::from_str(&stdout(output)).unwrap();
    let text = |field: &str| object[key][field].as_str().unwrap_or_default().to_owned();
    (text("value"), text("source"))
}

#[test]
fn usage_errors_exit_2() {
    refused(&["no-such-command"], &[], 2, &["no-such-command"]);
    refused(&["serve", "--no-such-flag"], &[], 2, &["--no-such-flag"]);
    refused(&["completions", "tcsh"], &[], 2, &["tcsh"]);
    refused(&["token", "--subject", "me"], &[], 2, &["--subject"]);
    refused(&["demo", "--capacity", "0"], &[], 2, &["--capacity"]);
    refused(
        &["demo", "--buyers", "5", "--rate", "1", "--duration", "5"],
        &[],
        2,
        &["--buyers"],
    );
    refused(
        &["token", "--ttl", "901"],
        &[("ONSALE_TOKEN_SECRET", SECRET)],
        2,
        &["--ttl", "--load-test"],
    );
}

#[test]
fn bad_settings_exit_78_and_name_setting_and_mend() {
    for (name, value, key, mend) in [
        ("ONSALE_LISTEN", "8080", "listen", "0.0.0.0:8080"),
        ("ONSALE_INTERNAL_LISTEN", "x", "internal_listen", "127.0.0.1:9464"),
        ("DATABASE_URL", "mysql://x", "database_url", "postgres://"),
        (
            "ONSALE_DATABASE_CONNECTIONS_MAX",
            "0",
            "database_connections_max",
            "from 1 to 1000",
        ),
        ("REDIS_URL", "http://x", "redis_url", "redis://"),
        ("ONSALE_JOURNAL", "paper", "journal", "postgres"),
        ("ONSALE_TOKEN_SECRET", "short", "token_secret", "32"),
        (
            "ONSALE_CONNECTIONS_MAX",
            "many",
            "connections_max",
            "whole number",
        ),
        (
            "ONSALE_RATE_LIMIT_PER_SECOND",
            "-1",
            "rate_limit_per_second",
            "no limit",
        ),
        (
            "ONSALE_AUTH_RATE_LIMIT_ACCOUNT_PER_MINUTE",
            "few",
            "auth_rate_limit_account_per_minute",
            "no limit",
        ),
        ("ONSALE_CORS_ORIGINS", "*", "cors_origins", "exact origins"),
        (
            "ONSALE_CORS_ORIGINS",
            "https://shop.example/",
            "cors_origins",
            "exact origins",
        ),
        (
            "ONSALE_TRUSTED_PROXIES",
            "10.0.0.1,proxy.example",
            "trusted_proxies",
            "separated by commas",
        ),
        (
            "ONSALE_TRUSTED_PROXIES",
            "10.0.0.1/16",
            "trusted_proxies",
            "or networks",
        ),
        (
            "ONSALE_IDLE_TIMEOUT_SECONDS",
            "0",
            "idle_timeout_seconds",
            "from 1 to 600",
        ),
        (
            "ONSALE_SHUTDOWN_GRACE_SECONDS",
            "601",
            "shutdown_grace_seconds",
            "from 1 to 600",
        ),
        ("ONSALE_LOG_LEVEL", "info,=bogus=", "log_level", "debug"),
        ("ONSALE_LOG_FORMAT", "xml", "log_format", "json"),
        ("ONSALE_DRILLS", "maybe", "drills", "false"),
    ] {
        refused(&["config", "check"], &[(name, value)], 78, &[name, key, mend]);
    }
}

#[test]
fn settings_of_traces_are_checked_in_every_build() {
    for (name, value, key, mend) in [
        (
            "ONSALE_OTLP_ENDPOINT",
            "collector:4318",
            "otlp_endpoint",
            "http://",
        ),
        (
            "ONSALE_TRACE_SAMPLE_RATIO",
            "2",
            "trace_sample_ratio",
            "from 0 to 1",
        ),
    ] {
        refused(&["config", "check"], &[(name, value)], 78, &[name, key, mend]);
    }
}

#[test]
fn a_share_can_be_written_as_a_number_in_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let config = file(directory.path(), "trace_sample_ratio = 0.25\n");
    let output = onsale(&["config", "check", "--json", "--config", &config], &[]);
    assert_eq!(in_force(&output, "trace_sample_ratio").0, "0.25");
}

#[test]
fn the_version_is_told() {
    let told = stdout(&onsale(&["--version"], &[]));
    let version = concat!("onsale ", env!("CARGO_PKG_VERSION"));
    assert!(told.starts_with(version), "{told}");
}

#[test]
fn what_serve_needs_has_no_default() {
    refused(&["serve"], &[], 78, &["DATABASE_URL"]);
    let database = ("DATABASE_URL", "postgres://localhost/none");
    refused(
        &["serve"],
        &[database],
        78,
        &["ONSALE_TOKEN_SECRET", "openssl rand"],
    );
    refused(&["token"], &[], 78, &["ONSALE_TOKEN_SECRET"]);
}

#[test]
fn secrets_stay_out_of_messages_and_listings() {
    let environment = [
        ("DATABASE_URL", "postgres://u:hunter2@localhost/x"),
        ("ONSALE_TOKEN_SECRET", SECRET),
    ];
    for arguments in [&["config", "check"][..], &["config", "check", "--json"]] {
        let output = onsale(arguments, &environment);
        assert!(output.status.success());
        assert!(!stdout(&output).contains("hunter2"));
        assert!(!stdout(&output).contains(SECRET));
    }
    let output = onsale(&["config", "check"], &[("DATABASE_URL", "mysql://u:hunter2@h/x")]);
    assert!(!stderr(&output).contains("hunter2"));
}

#[test]
fn flags_beat_environment_beats_file_beats_default() {
    let directory = tempfile::tempdir().unwrap();
    let config = file(
        directory.path(),
        "journal = \"local\"\ndatabase_connections_max = 3\n",
    );
    let check = |arguments: &[&str], environment: &[(&str, &str)]| {
        let arguments = [&["config", "check", "--json"], arguments].concat();
        in_force(&onsale(&arguments, environment), "journal")
    };
    assert_eq!(check(&[], &[]), ("postgres".to_owned(), "default".to_owned()));
    let from_file = check(&["--config", &config], &[]);
    assert_eq!(from_file, ("local".to_owned(), format!("file {config}")));
    assert_eq!(check(&[], &[("ONSALE_CONFIG", &config)]), from_file);
    let environment = [("ONSALE_JOURNAL", "postgres")];
    let (value, source) = check(&["--config", &config], &environment);
    assert_eq!(
        (value.as_str(), source.as_str()),
        ("postgres", "environment ONSALE_JOURNAL")
    );
    let (value, source) = check(&["--config", &config, "--journal", "local"], &environment);
    assert_eq!((value.as_str(), source.as_str()), ("local", "flag --journal"));
    let (value, _) = check(&["--config", &config], &[("ONSALE_JOURNAL", "")]);
    assert_eq!(value, "local", "an empty variable is unset");
}

#[test]
fn files_with_unknown_keys_or_values_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    for (text, named) in [
        ("jurnal = \"local\"\n", "jurnal"),
        ("[server]\nlisten = \"x\"\n", "server"),
        ("listen = [1]\n", "listen"),
        ("a = \n", "line 1"),
    ] {
        let config = file(directory.path(), text);
        refused(
            &["config", "check", "--config", &config],
            &[],
            78,
            &[&config, named],
        );
    }
    refused(
        &["config", "check", "--config", "/none"],
        &[],
        78,
        &["/none", "cannot read"],
    );
}

#[test]
fn secrets_come_from_files_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret");
    std::fs::write(&path, format!("{SECRET}\n")).unwrap();
    let path = path.display().to_string();
    let named = ("ONSALE_TOKEN_SECRET_FILE", path.as_str());
    let output = onsale(&["config", "check", "--json"], &[named]);
    assert_eq!(in_force(&output, "token_secret").1, format!("secret file {path}"));
    let both = [named, ("ONSALE_TOKEN_SECRET", SECRET)];
    refused(
        &["config", "check"],
        &both,
        78,
        &["ONSALE_TOKEN_SECRET_FILE", "both"],
    );
    let missing = [("ONSALE_TOKEN_SECRET_FILE", "/none")];
    refused(
        &["config", "check"],
        &missing,
        78,
        &["ONSALE_TOKEN_SECRET_FILE", "/none"],
    );
}

#[test]
fn a_token_is_printed_alone_or_as_json() {
    let environment = [("ONSALE_TOKEN_SECRET", SECRET)];
    let output = onsale(&["token"], &environment);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&output).trim().split('.').count(), 3);
    let output = onsale(&["token", "--ttl", "3600", "--load-test", "--json"], &environment);
    let object: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(object["expires_in"], 3600);
}

#[test]
fn many_tokens_are_printed_a_line_each() {
    let environment = [("ONSALE_TOKEN_SECRET", SECRET)];
    let output = onsale(&["token", "--count", "3"], &environment);
    assert!(output.status.success(), "{}", stderr(&output));
    let printed = stdout(&output);
    let tokens: std::collections::HashSet<_> = printed.lines().collect();
    assert_eq!(tokens.len(), 3, "{printed}");
    let subject = [
        "token",
        "--count",
        "2",
        "--subject",
        "01890a5d-ac96-774b-bcce-b302099a8057",
    ];
    refused(&subject, &environment, 2, &["--count", "--subject"]);
}

#[test]
fn healthcheck_of_nobody_exits_1() {
    let arguments = [
        "healthcheck",
        "--internal-listen",
        "127.0.0.1:1",
        "--timeout",
        "2",
    ];
    refused(&arguments, &[], 1, &["127.0.0.1:1"]);
}

#[test]
fn doctor_names_what_is_missing() {
    let output = onsale(&["doctor", "--json"], &[]);
    assert_eq!(output.status.code(), Some(1));
    let object: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(object["ok"], false);
    assert!(stdout(&output).contains("ONSALE_TOKEN_SECRET"));
}

#[test]
fn every_help_shows_an_example() {
    for command in [
        "serve",
        "migrate",
        "demo",
        "audit",
        "token",
        "doctor",
        "healthcheck",
        "completions",
        "man",
    ] {
        let output = onsale(&[command, "--help"], &[]);
        assert!(output.status.success(), "{command}");
        assert!(
            stdout(&output).contains("Examples:"),
            "{command} shows no example"
        );
    }
}

#[cfg(not(feature = "embedded"))]
#[test]
fn a_demo_without_any_postgres_says_how_to_get_one() {
    refused(&["demo"], &[], 78, &["DATABASE_URL", "cargo demo"]);
}
