//! The embedded Postgres under its own kind of trouble: one connection, and clients that die.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::embedded::Embedded;

const URL: &str = "ONSALE_TEST_EMBEDDED_URL";

/// The least of a Postgres client: it can stop in places where a good client never does.
struct Client(TcpStream);

impl Client {
    fn connect(url: &str) -> Self {
        let address = url.strip_prefix("postgresql://postgres@").unwrap();
        let stream = TcpStream::connect(address.split_once('/').unwrap().0).unwrap();
        // A slot that is not free shows as no answer.
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut client = Self(stream);
        let mut startup = 0x0003_0000_u32.to_be_bytes().to_vec();
        startup.extend(b"user\0postgres\0database\0template1\0\0");
        client.send(&startup);
        client.answer();
        client
    }

    fn send(&mut self, body: &[u8]) {
        let length = u32::try_from(body.len() + 4).unwrap();
        self.0.write_all(&length.to_be_bytes()).unwrap();
        self.0.write_all(body).unwrap();
    }

    fn ask(&mut self, sql: &str) {
        self.0.write_all(b"Q").unwrap();
        self.send(&[sql.as_bytes(), b"\0"].concat());
    }

    /// The next message: its kind and its body.
    fn message(&mut self) -> (u8, Vec<u8>) {
        let mut head = [0_u8; 5];
        self.0.read_exact(&mut head).expect("an answer in time");
        let length = u32::from_be_bytes(head[1..].try_into().unwrap());
        let mut body = vec![0; usize::try_from(length).unwrap() - 4];
        self.0.read_exact(&mut body).unwrap();
        assert_ne!(head[0], b'E', "{}", String::from_utf8_lossy(&body));
        (head[0], body)
    }

    /// Reads until the server waits again. The first column of the last row, if there was one.
    fn answer(&mut self) -> Option<String> {
        let mut column = None;
        loop {
            match self.message() {
                (b'Z', _) => return column,
                // Number of columns, length of the first, the first.
                (b'D', row) => {
                    let length = u32::from_be_bytes(row[2..6].try_into().unwrap());
                    let end = 6 + usize::try_from(length).unwrap();
                    column = Some(String::from_utf8(row[6..end].to_vec()).unwrap());
                }
                _ => {}
            }
        }
    }

    fn run(&mut self, sql: &str) -> Option<String> {
        self.ask(sql);
        self.answer()
    }

    fn close(mut self) {
        self.0.write_all(b"X\0\0\0\x04").unwrap();
    }
}

fn count(url: &str) -> i64 {
    let mut client = Client::connect(url);
    let rows = client.run("SELECT count(*) FROM kept").unwrap();
    client.close();
    rows.parse().unwrap()
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
#[test]
#[ignore = "the other test starts it"]
fn client() {
    let mut client = Client::connect(&std::env::var(URL).unwrap());
    client.run("INSERT INTO kept VALUES (1)");
    client.run("BEGIN");
    client.run("INSERT INTO kept VALUES (2)");
    println!("holding");
    if std::env::var("ONSALE_TEST_STEP").unwrap() == "answer under way" {
        // Far more than the sockets hold, and nobody reads it.
        client.ask("SELECT repeat('x', 1000) FROM generate_series(1, 200000)");
        client.message();
    }
    std::thread::sleep(Duration::from_secs(60));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_one_connection_is_free_again_after_every_kind_of_end() {
    let directory = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let embedded = Embedded::start(&directory.path().join("postgres")).await.unwrap();
    let url = embedded.url();
    eprintln!("embedded Postgres started in {:?}", started.elapsed());
    tokio::task::spawn_blocking(move || one_client_after_another(&url))
        .await
        .unwrap();
}

fn one_client_after_another(url: &str) {
    let began = Instant::now();
    let mut first = Client::connect(url);
    eprintln!("first connection in {:?}", began.elapsed());
    first.run("CREATE TABLE kept (number int)");
    let waiting = std::thread::spawn({
        let url = url.to_owned();
        move || count(&url)
    });
    std::thread::sleep(Duration::from_millis(300));
    assert!(!waiting.is_finished(), "there is one connection");
    first.close();
    assert_eq!(waiting.join().unwrap(), 0);

    for (kills, step) in (1..).zip([
        "idle in a transaction",
        "answer under way",
        "idle in a transaction",
    ]) {
        kill_a_client(url, step);
        let began = Instant::now();
        assert_eq!(count(url), kills, "only what was committed is kept ({step})");
        eprintln!("free again {:?} after kill -9 ({step})", began.elapsed());
    }

    let mut client = Client::connect(url);
    let began = Instant::now();
    for _ in 0..20 {
        client.run("INSERT INTO kept SELECT number FROM generate_series(1, 5000) AS number");
    }
    eprintln!("100000 rows in {:?}", began.elapsed());
    client.close();
}
