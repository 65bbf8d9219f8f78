//! Manual pages and completions, read by the programs that they are for where these are installed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Every command that has a page.
const PAGES: [&str; 18] = [
    "onsale",
    "onsale-admin",
    "onsale-admin-create",
    "onsale-audit",
    "onsale-completions",
    "onsale-config",
    "onsale-config-check",
    "onsale-demo",
    "onsale-doctor",
    "onsale-healthcheck",
    "onsale-journal",
    "onsale-journal-backup",
    "onsale-man",
    "onsale-migrate",
    "onsale-openapi",
    "onsale-serve",
    "onsale-token",
    "onsale-token-key",
];

fn onsale(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onsale"));
    command.args(arguments).env_clear().output().unwrap()
}

fn stdout(output: Output) -> String {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Whether a program is on this machine.
fn is_here(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

/// Has a program read a text; it must be content, and say nothing.
#[track_caller]
fn read_by(program: &str, arguments: &[&str], text: &str) -> String {
    let mut child = Command::new(program)
        .args(arguments)
        .env("MANWIDTH", "100")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(text.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.is_empty(), "{program}: {told}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn written() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("man1").display().to_string();
    stdout(onsale(&["man", "--directory", &pages]));
    directory
}

fn page(directory: &Path, name: &str) -> String {
    std::fs::read_to_string(directory.join("man1").join(format!("{name}.1"))).unwrap()
}

#[test]
fn every_command_has_a_page_with_all_sections() {
    let directory = written();
    let files = std::fs::read_dir(directory.path().join("man1")).unwrap();
    let mut files: Vec<_> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let mut expected: Vec<_> = PAGES.iter().map(|name| format!("{name}.1")).collect();
    expected.sort();
    assert_eq!(files, expected);
    for name in PAGES {
        let page = page(directory.path(), name);
        for section in [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "OPTIONS",
            "ENVIRONMENT",
            "FILES",
        ] {
            assert!(
                page.contains(&format!(".SH {section}\n")),
                "{name} has no {section}"
            );
        }
        assert!(page.contains(".SH \"EXIT STATUS\"\n"), "{name}");
        assert!(page.contains(r"\-\-config"), "{name} lacks the common flags");
    }
}

#[test]
fn the_first_page_names_every_setting() {
    let page = stdout(onsale(&["man"]));
    let settings = stdout(onsale(&["config", "check", "--json"]));
    let settings: serde_json::Value = serde_json::from_str(&settings).unwrap();
    for (key, setting) in settings.as_object().unwrap() {
        let variable = match key.as_str() {
            "database_url" | "redis_url" => key.to_uppercase(),
            key => format!("ONSALE_{}", key.to_uppercase()),
        };
        let term = if setting["secret"] == true {
            format!("\\fB{variable}\\fR, {variable}_FILE\n")
        } else {
            format!("\\fB{variable}\\fR\n")
        };
        assert!(page.contains(&term), "no `{term}`");
    }
}

#[test]
fn pages_are_read_as_they_are_meant() {
    let directory = written();
    for name in PAGES {
        let page = page(directory.path(), name);
        if is_here("mandoc") {
            read_by("mandoc", &["-T", "lint", "-W", "error"], &page);
        }
        if is_here("groff") {
            let text = read_by("groff", &["-Kutf8", "-man", "-Tutf8", "-ww", "-P-cbou"], &page);
            assert!(text.contains("EXIT STATUS"), "{name}: {text}");
            if let Some((_, examples)) = text.split_once("\nEXAMPLES\n") {
                let mut lines = examples.lines().map(str::trim_start);
                let is_alone = |line: &str| line.starts_with("onsale ") || line.contains(" onsale ");
                assert!(lines.any(is_alone), "{name} runs its examples together: {text}");
            }
        }
    }
}

#[test]
fn shells_understand_their_completions() {
    for (shell, arguments) in [
        ("bash", &["-n"][..]),
        ("zsh", &["-n"]),
        ("fish", &["--no-execute"]),
    ] {
        let script = stdout(onsale(&["completions", shell]));
        for word in ["doctor", "healthcheck", "man", "admin"] {
            assert!(script.contains(word), "{shell} does not complete {word}");
        }
        if is_here(shell) {
            read_by(shell, arguments, &script);
        }
    }
}

/// What bash offers after some words.
#[test]
fn bash_completes_commands_and_flags() {
    let script = stdout(onsale(&["completions", "bash"]));
    for (typed, offered) in [
        ("onsale doc", "doctor"),
        ("onsale serve --journal-", "--journal-directory"),
    ] {
        let (_, last) = typed.rsplit_once(' ').unwrap();
        let words: Vec<_> = typed.split(' ').collect();
        let count = words.len() - 1;
        let asked = format!(
            "{script}\nCOMP_WORDS=({typed}); COMP_CWORD={count}; _onsale onsale '{last}' '{}'\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
            words[count - 1]
        );
        let told = read_by("bash", &["--norc", "-s"], &asked);
        assert!(told.lines().any(|line| line == offered), "{typed}: {told}");
    }
}
