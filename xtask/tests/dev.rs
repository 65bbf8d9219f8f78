//! `cargo xtask dev` for real: a ticket is bought and fetched from S3, Prometheus sees the server, and Ctrl-C leaves
//! nothing running. The programs are those that the tests were built with.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// Creating a cluster, migrating and starting everything.
const UP_WITHIN: Duration = Duration::from_secs(90);
/// Everything is told to stop, one after the other.
const DOWN_WITHIN: Duration = Duration::from_secs(30);

/// What a shell may have set: each would be refused beside what is given here, or lead elsewhere.
const OF_ANOTHER: [&str; 5] = [
    "DATABASE_URL_FILE",
    "REDIS_URL_FILE",
    "ONSALE_TOKEN_SECRET_FILE",
    "ONSALE_S3_SECRET_ACCESS_KEY_FILE",
    "ONSALE_CONFIG",
];

/// A run, ended with the test however that ends.
struct Dev {
    child: Child,
    /// What it printed, by the first column.
    rows: BTreeMap<String, String>,
}

impl Dev {
    fn start(directory: &Path, arguments: &[&str]) -> Self {
        let xtask = Path::new(env!("CARGO_BIN_EXE_xtask"));
        let programs = xtask.parent().unwrap();
        for program in ["onsale", "examples/s3_server"] {
            let built = programs.join(program).is_file();
            assert!(
                built,
                "{program} is not built: run the tests of the whole workspace"
            );
        }
        let printed = directory.join("printed");
        let child = Command::new(xtask)
            .args(["dev", "--programs"])
            .arg(programs)
            .arg("--directory")
            .arg(directory.join("dev"))
            .args(arguments)
            // Of another deployment, which this one is started without.
            .envs(OF_ANOTHER.map(|name| (name, "/nowhere")))
            .stdin(Stdio::null())
            .stdout(File::create(&printed).unwrap())
            .stderr(File::create(directory.join("errors")).unwrap())
            // As a shell would, so that the signal is for it alone.
            .process_group(0)
            .spawn()
            .unwrap();
        let mut dev = Self {
            child,
            rows: BTreeMap::new(),
        };
        let started = Instant::now();
        while dev.rows.len() < 10 {
            let errors = || std::fs::read_to_string(directory.join("errors")).unwrap_or_default();
            assert_eq!(dev.child.try_wait().unwrap(), None, "it ended: {}", errors());
            assert!(started.elapsed() < UP_WITHIN, "not up: {}", errors());
            sleep(Duration::from_millis(100));
            let text = std::fs::read_to_string(&printed).unwrap();
            let rows = text.lines().filter_map(|line| {
                let (name, value) = line.strip_prefix("  ")?.split_once("  ")?;
                Some((name.trim().to_owned(), value.trim().to_owned()))
            });
            dev.rows = rows.collect();
        }
        dev
    }

    /// A row of the table.
    fn row(&self, name: &str) -> &str {
        self.rows
            .get(name)
            .unwrap_or_else(|| panic!("no {name}: {:?}", self.rows))
    }

    /// Its descendants, whom nobody else may have started.
    fn descendants(&self) -> Vec<u32> {
        let mut found = vec![self.child.id()];
        let mut next = 0;
        while let Some(&parent) = found.get(next) {
            found.extend(children_of(parent));
            next += 1;
        }
        found.split_off(1)
    }

    /// Ctrl-C.
    fn interrupt(&mut self) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < DOWN_WITHIN, "still running");
            sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // It stops what it started; SIGKILL would not let it.
            let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
            let _ = self.child.wait();
        }
    }
}

fn children_of(parent: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{parent}/task"));
    let lists = tasks
        .into_iter()
        .flatten()
        .flatten()
        .map(|task| std::fs::read_to_string(task.path().join("children")).unwrap_or_default());
    lists
        .flat_map(|list| {
            list.split_whitespace()
                .map(|pid| pid.parse().unwrap())
                .collect::<Vec<u32>>()
        })
        .collect()
}

fn is_gone(pid: u32) -> bool {
    !Path::new(&format!("/proc/{pid}")).exists()
}

/// One request; status and body.
fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> (u16, Vec<u8>) {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut head = format!("{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    let length = body.len();
    write!(
        stream,
        "{head}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer[end + 4..].to_vec())
}

/// Somebody who asks the API.
struct Caller {
    api: String,
    authorization: String,
}

impl Caller {
    fn of(api: &str, path: &str, body: &Value) -> Self {
        let (status, answer) = send("POST", &format!("{api}{path}"), &[], &body.to_string());
        assert!(status < 300, "{path}: {}", String::from_utf8_lossy(&answer));
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        Self {
            api: api.to_owned(),
            authorization: format!("Bearer {}", answer["access_token"].as_str().unwrap()),
        }
    }

    fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> (u16, Value) {
        let headers = [&[("Authorization", self.authorization.as_str())], headers].concat();
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let (status, answer) = send(method, &format!("{}{path}", self.api), &headers, &body);
        (status, serde_json::from_slice(&answer).unwrap_or_default())
    }

    #[track_caller]
    fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Value {
        let (status, answer) = self.call("POST", path, headers, body);
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }
}

/// Puts an event on sale; the paths of its purchases, and a ticket type.
fn on_sale(admin: &Caller) -> (String, Value) {
    let organization = admin.post("/admin/organizations", &[], &json!({"name": "Night Shift"}));
    let event = json!({
        "organization_id": organization["id"], "name": "One night only", "description": "", "venue": "The Hall",
        "starts_at": "2090-06-01T18:00:00Z", "time_zone": "Europe/Berlin",
        "sales_window": {"opens_at": "2020-01-01T00:00:00Z", "closes_at": "2090-06-01T18:00:00Z"},
        "currency": "EUR", "hold_duration_seconds": 600, "hold_lifetime_seconds_max": 1800,
    });
    let event = admin.post("/admin/events", &[], &event);
    let event = event["id"].as_str().unwrap().to_owned();
    let path = format!("/admin/events/{event}");
    let quota = json!({"name": "Floor", "capacity": 100});
    let quotas = admin.post(&format!("{path}/quotas"), &[("If-Match", "\"1\"")], &quota);
    let ticket_type = json!({
        "name": "Standing", "quota_id": quotas["quotas"][0]["id"], "price": {"amount": 4500, "currency": "EUR"},
    });
    let types = admin.post(
        &format!("{path}/ticket-types"),
        &[("If-Match", "\"2\"")],
        &ticket_type,
    );
    admin.post(&format!("{path}/publish"), &[("If-Match", "\"3\"")], &Value::Null);
    (format!("/events/{event}"), types["ticket_types"][0]["id"].clone())
}

/// Buys a ticket and fetches its file by the link.
fn bought_and_fetched(dev: &Dev, admin: &Caller) -> Vec<u8> {
    let api = dev.row("API");
    let (event, ticket_type) = on_sale(admin);
    let person = json!({"email": "ben@example.org", "password": "seven herons at low tide", "name": "Ben"});
    let buyer = Caller::of(api, "/auth/register", &person);
    let purchase = json!({
        "lines": [{"ticket_type_id": ticket_type, "quantity": 1}], "payment_method": "sim_approve",
    });
    let started = Instant::now();
    // The sales window opens a moment after the event is published.
    let order = loop {
        let key = [("Idempotency-Key", "one")];
        let (status, order) = buyer.call("POST", &format!("{event}/purchases"), &key, &purchase);
        if status == 201 {
            break order;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "{status} {order}");
        sleep(Duration::from_millis(200));
    };
    let ticket = order["tickets"][0]["id"].as_str().unwrap();
    let link = loop {
        let path = format!("/tickets/{ticket}/file?format=pdf");
        let (status, link) = buyer.call("GET", &path, &[], &Value::Null);
        if status == 200 {
            break link["url"].as_str().unwrap().to_owned();
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{status} {link}");
        sleep(Duration::from_millis(200));
    };
    assert!(link.starts_with(dev.row("S3")), "{link}");
    let (status, file) = send("GET", &link, &[], "");
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&file));
    file
}

fn admin(dev: &Dev) -> Caller {
    let (email, password) = dev.row("admin").split_once("  ").unwrap();
    Caller::of(
        dev.row("API"),
        "/auth/login",
        &json!({"email": email, "password": password.trim()}),
    )
}

#[test]
fn everything_runs_sells_a_ticket_and_stops_without_a_trace() {
    // Root lends Postgres to another user, who must get through.
    let directory = tempfile::tempdir().unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o711);
    std::fs::set_permissions(directory.path(), open).unwrap();
    let mut dev = Dev::start(directory.path(), &[]);
    let file = bought_and_fetched(&dev, &admin(&dev));
    assert!(file.starts_with(b"%PDF-"));

    let query = format!("{}/api/v1/query?query=up", dev.row("Prometheus"));
    let started = Instant::now();
    loop {
        let (_, body) = send("GET", &query, &[], "");
        let body: Value = serde_json::from_slice(&body).unwrap();
        if body["data"]["result"][0]["value"][1] == "1" {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{body}");
        sleep(Duration::from_millis(500));
    }

    let running = dev.descendants();
    assert!(running.len() >= 5, "{running:?}");
    assert!(dev.interrupt().success());
    let left: Vec<_> = running.into_iter().filter(|pid| !is_gone(*pid)).collect();
    assert_eq!(left, [0_u32; 0], "left running");

    // What was stored is there again, for the same admin.
    let mut dev = Dev::start(directory.path(), &[]);
    let (status, events) = admin(&dev).call("GET", "/admin/events", &[], &Value::Null);
    assert_eq!(
        (status, events["data"][0]["name"].as_str()),
        (200, Some("One night only")),
        "{events}"
    );
    assert!(dev.interrupt().success());
}

#[test]
fn a_port_that_is_taken_is_told_and_nothing_is_left() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let directory = tempfile::tempdir().unwrap();
    let xtask = Path::new(env!("CARGO_BIN_EXE_xtask"));
    let output = Command::new(xtask)
        .args(["dev", "--port", &port, "--programs"])
        .arg(xtask.parent().unwrap())
        .arg("--directory")
        .arg(directory.path().join("dev"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && told.contains(&format!("port {port} is taken")),
        "{told}"
    );
}
