//! The embedded Postgres under its own kind of trouble: one connection, and clients that die.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection};

use super::embedded::Embedded;

const URL: &str = "ONSALE_TEST_EMBEDDED_URL";

async fn connect(url: &str) -> PgConnection {
    let connect = PgConnection::connect(url);
    tokio::time::timeout(Duration::from_secs(20), connect)
        .await
        .expect("the slot is not free")
        .unwrap()
}

async fn count(url: &str) -> i64 {
    let mut database = connect(url).await;
    let rows = sqlx::query_scalar("SELECT count(*) FROM kept")
        .fetch_one(&mut database)
        .await
        .unwrap();
    database.close().await.unwrap();
    rows
}

/// Runs the test below in a process of its own and kills it there.
fn kill_a_client(url: &str, step: &str) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "demo::database::tests::client",
            "--ignored",
            "--nocapture",
        ])
        .env(URL, url)
        .env("ONSALE_TEST_STEP", step)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line.contains("holding")));
    std::thread::sleep(Duration::from_millis(200));
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The client that is killed.
#[tokio::test]
#[ignore = "the other test starts it"]
async fn client() {
    let mut database = connect(&std::env::var(URL).unwrap()).await;
    sqlx::query("INSERT INTO kept VALUES (1)")
        .execute(&mut database)
        .await
        .unwrap();
    sqlx::query("BEGIN").execute(&mut database).await.unwrap();
    sqlx::query("INSERT INTO kept VALUES (2)")
        .execute(&mut database)
        .await
        .unwrap();
    println!("holding");
    if std::env::var("ONSALE_TEST_STEP").unwrap() == "answer under way" {
        // Far more than the sockets hold, and nobody reads it.
        use futures::StreamExt as _;
        let mut rows =
            sqlx::query("SELECT repeat('x', 1000) FROM generate_series(1, 200000)").fetch(&mut database);
        rows.next().await.unwrap().unwrap();
        std::thread::sleep(Duration::from_secs(60));
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_one_connection_is_free_again_after_every_kind_of_end() {
    let directory = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let embedded = Embedded::start(&directory.path().join("postgres")).await.unwrap();
    let url = embedded.url();
    eprintln!("embedded Postgres started in {:?}", started.elapsed());

    let began = Instant::now();
    let mut first = connect(&url).await;
    eprintln!("first connection in {:?}", began.elapsed());
    sqlx::query("CREATE TABLE kept (number int)")
        .execute(&mut first)
        .await
        .unwrap();
    let waiting = tokio::spawn({
        let url = url.clone();
        async move { count(&url).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!waiting.is_finished(), "there is one connection");
    first.close().await.unwrap();
    assert_eq!(waiting.await.unwrap(), 0);

    for (kills, step) in (1..).zip([
        "idle in a transaction",
        "answer under way",
        "idle in a transaction",
    ]) {
        let killed = url.clone();
        tokio::task::spawn_blocking(move || kill_a_client(&killed, step))
            .await
            .unwrap();
        let began = Instant::now();
        assert_eq!(
            count(&url).await,
            kills,
            "only what was committed is kept ({step})"
        );
        eprintln!("free again {:?} after kill -9 ({step})", began.elapsed());
    }

    let mut database = connect(&url).await;
    let numbers: Vec<i32> = (0..5_000).collect();
    let began = Instant::now();
    for _ in 0..20 {
        sqlx::query("INSERT INTO kept SELECT number FROM unnest($1::int[]) AS number")
            .bind(&numbers)
            .execute(&mut database)
            .await
            .unwrap();
    }
    eprintln!("100000 rows in {:?}", began.elapsed());
    database.close().await.unwrap();
}
