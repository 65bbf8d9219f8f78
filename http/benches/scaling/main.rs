//! How cost grows: with holds in an event, events, connections, records, holds that end at once, readers.
//!
//! `cargo xtask scaling` runs all of it and draws the page. One curve by itself, its points as JSON on stdout:
//! `cargo xtask pg -- cargo bench -p onsale-http --bench scaling -- recovery quick`
//!
//! Where memory is measured, each size has a process of its own, so that none finds what another left. Costs are processor time
//! and memory of the server's process; clients over HTTP are another process (this program, called as `client`).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "a benchmark"
)]

mod client;
mod connections;
mod events;
mod expiry;
mod filling;
mod forgetful;
mod holds;
mod readers;
mod recovery;
#[path = "../serving/mod.rs"]
mod serving;
mod start;
mod usage;

use std::process::{Command, Stdio};

use onsale_persistence::{Database, DatabaseConfig};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A curve, or some of one subject. True: smaller sizes and shorter rounds.
type Measure = fn(bool);

const CURVES: [(&str, Measure); 7] = [
    ("holds", holds::run),
    ("events", events::run),
    ("start", start::run),
    ("connections", connections::run),
    ("recovery", recovery::run),
    ("expiry", expiry::run),
    ("readers", readers::run),
];

fn main() {
    // cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    match arguments.first().map(String::as_str) {
        Some("client") => return client::run(&arguments[1..]),
        Some("at") => return at(&arguments[1], &arguments[2..]),
        _ => {}
    }
    let quick = arguments.iter().any(|argument| argument == "quick");
    let curve = arguments
        .first()
        .and_then(|name| CURVES.iter().find(|(known, _)| known == name));
    match curve {
        Some((_, measure)) => measure(quick),
        // `cargo bench` of everything: all of it takes minutes, and one process would not do.
        None => println!(
            "name one of {:?}, or use `cargo xtask scaling`",
            CURVES.map(|(name, _)| name)
        ),
    }
}

/// One size, in the process that is for it.
fn at(curve: &str, arguments: &[String]) {
    match curve {
        "holds" => holds::at(arguments),
        "events" => events::at(arguments),
        _ => recovery::at(arguments),
    }
}

/// Has this program do one size, and waits for it. Its points pass through; returns what else it said.
fn in_a_process(curve: &str, arguments: &[&str]) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap());
    let child = child.args(["at", curve]).args(arguments).stderr(Stdio::inherit());
    let output = child.output().unwrap();
    assert!(
        output.status.success(),
        "{curve} {arguments:?}: {}",
        output.status
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let (points, said): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with('{'));
    for point in points {
        println!("{point}");
    }
    said.concat()
}

/// Tells a point.
fn point(chart: &str, series: &str, x: usize, y: f64) {
    println!(r#"{{"chart":"{chart}","series":"{series}","x":{x},"y":{y}}}"#);
}

async fn database() -> Database {
    let url = std::env::var("DATABASE_URL").unwrap_or_else(|_| panic!("run it under `cargo xtask pg --`"));
    let database = Database::connect(&DatabaseConfig::new(url)).await.unwrap();
    database.migrate().await.unwrap();
    database
}

/// The sizes up to the greatest one of this run.
fn sizes(all: &[usize], quick: bool, quick_max: usize) -> Vec<usize> {
    all.iter()
        .copied()
        .filter(|size| !quick || *size <= quick_max)
        .collect()
}
