//! The page for operators itself: its queries run, its alerts are those there are.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::load::check;
use crate::support::{Journal, World, bin_dir};
use crate::{a_while, rush, sells};

fn in_repository(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The blocks of a language in the page.
fn blocks(language: &str) -> Vec<String> {
    let page = in_repository("docs/OPERATING.md");
    let begin = format!("```{language}\n");
    let blocks = page.split(&begin).skip(1);
    blocks
        .map(|rest| rest.split_once("```").expect("an end").0.to_owned())
        .collect()
}

/// Runs a script as an operator does, and takes back what it did.
fn psql(url: &str, script: &str, variables: &[(&str, &str)]) -> Result<String, String> {
    let mut command = Command::new(bin_dir().join("psql"));
    command.args(["--no-psqlrc", "--set", "ON_ERROR_STOP=1", url]);
    for (name, value) in variables {
        command.args(["--set", &format!("{name}={value}")]);
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("psql");
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "BEGIN;\n{script}\nROLLBACK;").unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_query_of_the_page_runs_on_a_database_that_was_sold_on() {
    let mut world = World::with(Journal::Postgres, &[]).await;
    let rush = rush(&world, vec![world.api()]).await;
    sells(&rush).await;
    a_while().await;
    let (shop, ledger) = rush.end().await;
    check(&mut world, &shop, &ledger).await;
    let order = ledger.orders.keys().next().unwrap().to_string();
    let event = world
        .database
        .text("SELECT event_id::text FROM events LIMIT 1")
        .await;
    eprintln!("{}", weights(&world).await);
    let variables = [("event", event.as_str()), ("order", order.as_str())];
    let queries = blocks("sql");
    assert!(queries.len() > 10, "{}", queries.len());
    for query in queries {
        let told = psql(&world.database.url(), &query, &variables);
        assert!(told.is_ok(), "{query}\n{told:?}");
        // What must have no rows in a sound deployment says so.
        if query.contains("-- no rows") {
            assert!(
                told.as_ref().is_ok_and(|told| told.contains("(0 rows)")),
                "{query}\n{told:?}"
            );
        }
    }
}

/// What the sizing in the page is taken from: bytes on disk for each order.
async fn weights(world: &World) -> String {
    let of = |tables: &str| {
        format!(
            "SELECT (sum(pg_total_relation_size(name::regclass)) / (SELECT count(*) FROM ticket_orders))::bigint::text
             FROM unnest(string_to_array('{tables}', ' ')) AS name"
        )
    };
    let tables = of("holds ticket_orders order_lines payments tickets ticket_files jobs");
    let mut connection = world.database.connect().await;
    let mut text = async |query: String| -> String {
        sqlx::query_scalar(sqlx::AssertSqlSafe(query))
            .fetch_one(&mut connection)
            .await
            .unwrap()
    };
    format!(
        "bytes for each of {} orders and the holds beside them: tables {}, journal {}",
        text("SELECT count(*)::text FROM ticket_orders".to_owned()).await,
        text(tables).await,
        text(of("journal")).await
    )
}

/// GitHub's name of a heading.
fn anchor(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter_map(|character| match character {
            ' ' => Some('-'),
            '-' | '_' => Some(character),
            other => other.is_alphanumeric().then_some(other),
        })
        .collect()
}

#[test]
fn every_alert_leads_to_a_section_and_no_row_is_of_an_alert_that_is_gone() {
    let rules = in_repository("grafana/prometheus/rules/alerts.yml");
    let alerts: BTreeSet<_> = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
        .collect();
    let page = in_repository("docs/OPERATING.md");
    let rows: Vec<(&str, &str)> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `Onsale")?.split_once("` | "))
        .collect();
    let named: BTreeSet<_> = rows.iter().map(|(name, _)| format!("Onsale{name}")).collect();
    let expected: BTreeSet<_> = alerts.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(named, expected);
    assert_eq!(rows.len(), alerts.len(), "a row for each");
    for (name, rest) in rows {
        assert!(rest.contains("](#"), "Onsale{name} leads nowhere");
    }
}

#[test]
fn every_link_within_the_page_leads_to_a_section() {
    let page = in_repository("docs/OPERATING.md");
    let sections: BTreeSet<_> = page
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| anchor(line.trim_start_matches('#').trim()))
        .collect();
    let links: Vec<_> = page.split("](#").skip(1).collect();
    assert!(links.len() > 30);
    for link in links {
        let (target, _) = link.split_once(')').expect("an end");
        assert!(sections.contains(target), "there is no #{target}");
    }
}

/// Whether this is what tests are called: a file and a name, or a name of more words than settings have.
fn is_a_test(quoted: &str) -> bool {
    let is_name = quoted
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    quoted.contains(".rs::") || is_name && quoted.split('_').count() > 4 && !quoted.starts_with("onsale_")
}

#[test]
fn every_test_that_the_page_names_exists() {
    let page = in_repository("docs/OPERATING.md");
    let mut named = 0;
    for quoted in page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|quoted| is_a_test(quoted))
    {
        let Some((file, test)) = quoted.split_once("::") else {
            panic!("{quoted} is not file::test")
        };
        let source = in_repository(file);
        assert!(source.contains(&format!("fn {test}(")), "{file} has no {test}");
        named += 1;
    }
    assert!(named > 20, "{named}");
}
