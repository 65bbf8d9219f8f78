//! What deploys the server (Dockerfile, compose, infra/) against what the server knows: a setting that is renamed, or an image
//! that is moved in one place only, must not wait for the next roll-out to be noticed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Variables that are not settings of the server: what the build is told, the file of settings, and what load scripts read.
const OTHERS: [&str; 3] = ["ONSALE_REVISION", "ONSALE_CONFIG", "ONSALE_LOAD_"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every text file that deploys something, by its path from the root.
fn deployment() -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> = ["Dockerfile", "docker-compose.yml", ".env.example"]
        .map(|path| (path.to_owned(), read(path)))
        .into();
    let mut pending = vec![root().join("infra")];
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with(".terraform") {
                pending.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                let name = path.strip_prefix(root()).unwrap().display().to_string();
                files.insert(name, text);
            }
        }
    }
    assert!(files.len() > 10, "where is infra/?");
    files
}

/// Words of letters, digits and underscores.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}

/// Every variable that the server reads, as docs/CONFIGURATION.md has it; another test holds that against the register.
fn settings() -> BTreeSet<String> {
    let document = read("docs/CONFIGURATION.md");
    let rows = document.lines().filter(|line| line.starts_with("| `"));
    let variables: BTreeSet<String> = rows
        .filter_map(|row| row.split(" | ").nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect();
    assert!(variables.contains("ONSALE_LISTEN") && variables.contains("DATABASE_URL_FILE"));
    variables
}

fn looks_like_a_setting(word: &str) -> bool {
    let is_ours = word.starts_with("ONSALE_") && word.len() > "ONSALE_".len();
    is_ours || ["DATABASE_URL", "REDIS_URL"].contains(&word.trim_end_matches("_FILE"))
}

#[test]
fn every_variable_that_a_deployment_sets_is_a_setting() {
    let settings = settings();
    for (path, text) in deployment() {
        for word in words(&text).filter(|word| looks_like_a_setting(word)) {
            let is_other = OTHERS.iter().any(|other| word.starts_with(other));
            assert!(
                is_other || settings.contains(word),
                "{path}: {word} is no setting of docs/CONFIGURATION.md"
            );
        }
    }
}

#[test]
fn the_example_names_every_variable_that_compose_reads_and_no_other() {
    let compose = read("docker-compose.yml");
    let read_by_compose: BTreeSet<&str> = compose
        .split("${")
        .skip(1)
        .filter_map(|rest| words(rest).next())
        .chain(["COMPOSE_PROFILES"])
        .collect();
    let example = read(".env.example");
    let named: BTreeSet<&str> = example
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(named, read_by_compose);
}

#[test]
fn the_image_is_built_with_the_toolchain_of_the_workspace() {
    let toolchain = read("rust-toolchain.toml");
    let channel = toolchain
        .lines()
        .find_map(|line| line.strip_prefix("channel = "))
        .unwrap();
    let channel = channel.trim_matches('"');
    let dockerfile = read("Dockerfile");
    assert!(dockerfile.contains(&format!("FROM rust:{channel}-")), "{channel}");
    assert!(
        dockerfile.contains(&format!("RUSTUP_TOOLCHAIN={channel} ")),
        "{channel}"
    );
}

/// `name:tag` and digest of every image that is named with a digest, with the file that names it.
fn pinned() -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for (path, text) in deployment() {
        for line in text.lines() {
            let Some((before, after)) = line.split_once("@sha256:") else {
                continue;
            };
            let name = before.rsplit([' ', '\t', '"', '`']).next().unwrap_or_default();
            let digest: String = after.chars().take_while(char::is_ascii_hexdigit).collect();
            // Zeroes, and a registry that cannot be, stand for an image that somebody has yet to build; a pattern or a
            // text has no digits there.
            let is_example = name.starts_with("registry.example/") || !digest.contains(|digit| digit != '0');
            if !digest.is_empty() && !is_example {
                found.push((path.clone(), name.to_owned(), digest));
            }
        }
    }
    found
}

#[test]
fn every_image_is_named_by_its_digest_and_one_tag_has_one_digest() {
    let listed = read("infra/IMAGES.md");
    let mut digests: BTreeMap<String, String> = BTreeMap::new();
    for (path, name, digest) in pinned() {
        assert_eq!(digest.len(), 64, "{path}: {name}");
        assert!(
            listed.contains(&format!("`{name}`")) && listed.contains(&format!("`{}…`", &digest[..8])),
            "{path}: {name} with {digest} is not in infra/IMAGES.md"
        );
        let before = digests.insert(name.clone(), digest.clone());
        assert!(before.is_none_or(|before| before == digest), "{path}: {name}");
    }
    for (path, text) in deployment() {
        let extension = Path::new(&path)
            .extension()
            .and_then(|extension| extension.to_str());
        let yaml = matches!(extension, Some("yml" | "yaml"));
        let images = text.lines().map(str::trim).filter(|_| yaml);
        for image in images.filter_map(|line| line.strip_prefix("image: ")) {
            assert!(
                image.contains("@sha256:") || image == "onsale:local",
                "{path}: {image} has no digest"
            );
        }
    }
    assert!(digests.len() >= 10, "{digests:?}");
}

/// The number behind the first place where `before` stands.
fn number(text: &str, before: &str) -> u32 {
    let (_, after) = text.split_once(before).unwrap_or_else(|| panic!("no {before}"));
    let digits: String = after
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().unwrap()
}

#[test]
fn whoever_stops_the_server_waits_longer_than_it_takes_to_stop() {
    let compose = read("docker-compose.yml");
    let server = compose.split("\n  server:\n").nth(1).unwrap();
    let grace = number(server, "ONSALE_SHUTDOWN_GRACE_SECONDS: ");
    assert!(number(server, "stop_grace_period: ") > grace);

    let pod = read("infra/kubernetes/base/deployment.yaml");
    let patience = number(&pod, "terminationGracePeriodSeconds: ");
    let pause = number(&pod, "preStop:");
    for overlay in ["production", "local"] {
        let settings = read(&format!("infra/kubernetes/{overlay}/config.env"));
        let grace = number(&settings, "ONSALE_SHUTDOWN_GRACE_SECONDS=");
        assert!(
            patience > pause + grace,
            "{overlay}: {patience} s for {pause} s and {grace} s"
        );
    }
}
