//! Calls that production code must not make, each with what to call instead.

use super::Workspace;
use super::rust::{self, Hide};
use crate::workspace::SourceFile;

/// A banned call.
struct Ban {
    call: &'static str,
    instead: &'static str,
    /// Paths (or their beginnings) that may make it all the same.
    allowed: &'static [&'static str],
}

/// The clock itself, and the crates in which nothing is decided about a sale.
const CLOCKS: &[&str] = &["engine/src/port/clock.rs", "loadtest/", "server/", "xtask/"];
/// And a stopwatch, like the engine's own: durations of metrics decide nothing.
const STOPWATCHES: &[&str] = &[
    "engine/src/port/clock.rs",
    // Where a span lies in its trace.
    "engine/src/trace/open.rs",
    "http/src/edge/mod.rs",
    // How fresh what other processes told is: a stopwatch, that no use case decides by.
    "persistence/src/redis/changes.rs",
    "services/src/access/shared.rs",
    "services/src/access/sync.rs",
    "services/src/jobs/lane.rs",
    // How long a provider has not answered.
    "services/src/payments/resilient/",
    "loadtest/",
    "server/",
    "xtask/",
];
const CLOCK: &str = "take the time as a parameter, or ask the engine's clock (engine/src/port/clock.rs)";

const BANS: &[Ban] = &[
    Ban {
        call: "SystemTime::now",
        instead: CLOCK,
        allowed: CLOCKS,
    },
    Ban {
        call: "Instant::now",
        instead: CLOCK,
        allowed: STOPWATCHES,
    },
    Ban {
        call: "pool().begin(",
        instead: "use Database::begin, which nobody can drop halfway",
        allowed: &[],
    },
    Ban {
        call: "unbounded_channel",
        instead: "use tokio::sync::mpsc::channel with a bound",
        allowed: &[],
    },
    Ban {
        call: "todo!",
        instead: "write it, or return an error that says what is missing",
        allowed: &[],
    },
    Ban {
        call: "unimplemented!",
        instead: "write it, or return an error that says what is missing",
        allowed: &[],
    },
    Ban {
        call: "dbg!",
        instead: "use tracing::debug!",
        allowed: &[],
    },
    Ban {
        call: "println!",
        instead: "return it, or use tracing::info!",
        allowed: &["loadtest/", "server/", "xtask/"],
    },
];

/// Every banned call in the workspace.
pub fn check(workspace: &Workspace) -> Vec<String> {
    workspace
        .files
        .iter()
        .filter(|file| !rust::is_test(&file.path))
        .flat_map(violations)
        .collect()
}

fn violations(file: &SourceFile) -> Vec<String> {
    if file.has_extension("sql") {
        return select_star(file, &without_sql_comments(&file.text));
    }
    if !file.has_extension("rs") {
        return Vec::new();
    }
    let production = rust::production_part(&file.text);
    let code = rust::mask(production, Hide::CommentsAndStrings);
    let mut messages = banned_calls(file, &code);
    messages.extend(formatted_sql(file, &code));
    // This crate holds no SQL but its own rules.
    if !file.path.starts_with("xtask/") {
        messages.extend(select_star(file, &rust::mask(production, Hide::Comments)));
    }
    messages
}

fn banned_calls(file: &SourceFile, code: &str) -> Vec<String> {
    let mut messages = Vec::new();
    for ban in BANS
        .iter()
        .filter(|ban| !ban.allowed.iter().any(|path| file.path.starts_with(path)))
    {
        for (at, _) in code.match_indices(ban.call) {
            // `eprintln!` is not `println!`, and `unbounded_channels` no call of ours.
            let before = code[..at].chars().next_back();
            let after = code[at + ban.call.len()..].chars().next();
            if !before.is_some_and(is_name) && !after.is_some_and(is_name) {
                messages.push(message(file, code, at, ban.call, ban.instead));
            }
        }
    }
    messages
}

/// `sqlx::query(&format!(...))`, the way to an SQL injection.
fn formatted_sql(file: &SourceFile, code: &str) -> Vec<String> {
    let starts = code.match_indices("sqlx::query").filter(|(at, call)| {
        let rest = &code[at + call.len()..];
        let argument = rest.split_once('(').map_or("", |(_, argument)| argument);
        argument
            .trim_start()
            .trim_start_matches('&')
            .trim_start()
            .starts_with("format!")
    });
    let instead = "use sqlx::query! with bound parameters, unnest for lists";
    starts
        .map(|(at, _)| message(file, code, at, "sqlx::query with format!", instead))
        .collect()
}

/// After DDL a cached plan of `SELECT *` fails, and a new column changes what old code reads.
fn select_star(file: &SourceFile, text: &str) -> Vec<String> {
    let upper = text.to_ascii_uppercase();
    let starts = upper.match_indices("SELECT").filter(|(at, word)| {
        let rest = &upper[at + word.len()..];
        let starts_word = !upper[..*at].chars().next_back().is_some_and(is_name);
        starts_word && rest.trim_start().starts_with('*')
    });
    starts
        .map(|(at, _)| message(file, text, at, "SELECT *", "name the columns"))
        .collect()
}

fn without_sql_comments(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| line.split_once("--").map_or(line, |(before, _)| before));
    lines.collect::<Vec<_>>().join("\n")
}

fn message(file: &SourceFile, text: &str, at: usize, what: &str, instead: &str) -> String {
    let line = text[..at].matches('\n').count() + 1;
    format!("{}:{line}: {what} is banned: {instead}", file.path)
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str, expected: &[&str]) {
        let file = SourceFile {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        let found = violations(&file);
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (message, start) in found.iter().zip(expected) {
            assert!(
                message.starts_with(start),
                "{message} does not start with {start}"
            );
        }
    }

    #[test]
    fn calls_are_found_with_their_line() {
        let text = "fn f() {\n    let t = std::time::Instant::now();\n    todo!()\n}\n";
        check(
            "engine/src/lane.rs",
            text,
            &[
                "engine/src/lane.rs:2: Instant::now",
                "engine/src/lane.rs:3: todo!",
            ],
        );
    }

    #[test]
    fn the_clock_may_be_read_where_it_lives() {
        check("engine/src/port/clock.rs", "fn now() { SystemTime::now() }", &[]);
        check(
            "server/src/load.rs",
            "fn now() { Instant::now(); println!() }",
            &[],
        );
        check("http/src/edge/mod.rs", "fn f() { Instant::now() }", &[]);
        check(
            "http/src/edge/mod.rs",
            "fn f() { SystemTime::now() }",
            &["http/src/edge/mod.rs:1: SystemTime::now"],
        );
    }

    #[test]
    fn comments_strings_tests_and_longer_names_do_not_count() {
        check(
            "domain/src/a.rs",
            "// todo!()\nfn f() { g(\"todo!\"); eprintln!() }",
            &[],
        );
        check(
            "domain/src/a.rs",
            "fn f() {}\n#[cfg(test)]\nmod tests { fn g() { dbg!(1) } }",
            &[],
        );
    }

    #[test]
    fn sql_is_neither_formatted_nor_starred() {
        let text = "sqlx::query_as::<_, Row>(\n    &format!(\"a {b}\"))";
        check(
            "persistence/src/a.rs",
            text,
            &["persistence/src/a.rs:1: sqlx::query with format!"],
        );
        check(
            "persistence/src/a.rs",
            "query!(\"select\n * from orders\")",
            &["persistence/src/a.rs:1: SELECT *"],
        );
        check(
            "persistence/src/a.rs",
            "query!(\"SELECT count(*) FROM orders\")",
            &[],
        );
        check(
            "migrations/1_a.sql",
            "-- SELECT *\nCREATE VIEW a AS SELECT * FROM b;",
            &["migrations/1_a.sql:2:"],
        );
    }
}
