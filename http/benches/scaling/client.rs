//! Clients in a process of their own, so that the server's process is measured alone.
//!
//! The measuring process starts this program again as `client KIND ADDRESS COUNT …`, waits for its first line, and
//! then has it run a round for each line that it writes; each round answers with a line.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use onsale_domain::TicketTypeId;
use uuid::Uuid;

use crate::serving::{self, Client, Connection, Sale};

/// Connections that are opened at once.
const OPENED_AT_ONCE: usize = 64;

/// What a round did.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    pub answers: usize,
    pub p99: Duration,
}

/// Clients as the measuring process has them.
pub struct Clients {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl Clients {
    /// Connections that do nothing after their first request.
    pub fn idle(address: SocketAddr, count: usize, path: &str) -> Self {
        Self::start(&["idle", &address.to_string(), &count.to_string(), path], "")
    }

    /// Connections that read.
    pub fn readers(address: SocketAddr, count: usize, path: &str) -> Self {
        Self::start(&["readers", &address.to_string(), &count.to_string(), path], "")
    }

    /// Connections that place holds in a closed loop.
    pub fn buyers(address: SocketAddr, count: usize, sale: Sale, tokens: &[String]) -> Self {
        let ticket_type_id = sale.ticket_type_id.to_string();
        Self::start(
            &[
                "buyers",
                &address.to_string(),
                &count.to_string(),
                &sale.path(),
                &ticket_type_id,
            ],
            &format!("{}\n", tokens.join(" ")),
        )
    }

    fn start(arguments: &[&str], first: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("client")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut to = child.stdin.take().unwrap();
        to.write_all(first.as_bytes()).unwrap();
        let mut clients = Self {
            to: Some(to),
            from: BufReader::new(child.stdout.take().unwrap()),
            child,
        };
        assert_eq!(clients.line(), "ready");
        clients
    }

    /// Begins a round. Each reader asks once in `every`; buyers ask again as soon as they are answered.
    pub fn begin(&mut self, lasting: Duration, every: Duration) {
        let to = self.to.as_mut().unwrap();
        writeln!(to, "{} {}", lasting.as_micros(), every.as_micros()).unwrap();
        to.flush().unwrap();
    }

    /// Waits for the end of the round.
    pub fn end(&mut self) -> Round {
        let line = self.line();
        let (answers, p99_us) = line.split_once(' ').unwrap();
        Round {
            answers: answers.parse().unwrap(),
            p99: Duration::from_micros(p99_us.parse().unwrap()),
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        // The end of its input ends it.
        drop(self.to.take());
        let _ = self.child.wait();
    }
}

/// The other end: what the clients' process does.
pub fn run(arguments: &[String]) {
    let [kind, address, count, path, rest @ ..] = arguments else {
        panic!("see the module's documentation")
    };
    let (address, count) = (address.parse().unwrap(), count.parse().unwrap());
    let mut input = std::io::stdin().lines();
    let runtime = serving::runtime();
    if kind == "buyers" {
        let tokens = input.next().unwrap().unwrap();
        let tokens = Arc::new(tokens.split(' ').map(str::to_owned).collect());
        let ticket_type_id = TicketTypeId(Uuid::parse_str(&rest[0]).unwrap());
        rounds(input, |lasting, _| {
            let client = Client::new(address, path, ticket_type_id, 201, &tokens);
            runtime.block_on(buy(client, count, lasting))
        });
    } else {
        let request = Arc::new(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n"));
        let mut connections = runtime.block_on(open(address, count, &request));
        rounds(input, |lasting, every| {
            let (back, round) =
                runtime.block_on(read(std::mem::take(&mut connections), &request, lasting, every));
            connections = back;
            round
        });
    }
}

fn rounds(
    input: impl Iterator<Item = std::io::Result<String>>,
    mut round: impl FnMut(Duration, Duration) -> Round,
) {
    println!("ready");
    for line in input {
        let line = line.unwrap();
        let (lasting, every) = line.split_once(' ').unwrap();
        let micros = |text: &str| Duration::from_micros(text.parse().unwrap());
        let Round { answers, p99 } = round(micros(lasting), micros(every));
        println!("{answers} {}", p99.as_micros());
    }
}

/// Each has sent a request, so that the server has what it needs for one.
async fn open(address: SocketAddr, count: usize, request: &Arc<String>) -> Vec<Connection> {
    let opening: Vec<_> = (0..OPENED_AT_ONCE.min(count))
        .map(|worker| {
            let request = Arc::clone(request);
            tokio::spawn(async move {
                let mut connections = Vec::new();
                for _ in (worker..count).step_by(OPENED_AT_ONCE) {
                    let mut connection = Connection::open(address).await;
                    connection.exchange(&request, 200).await;
                    connections.push(connection);
                }
                connections
            })
        })
        .collect();
    let mut connections = Vec::new();
    for opening in opening {
        connections.extend(opening.await.unwrap());
    }
    connections
}

/// Asks at fixed times, which are spread over the connections; latencies count from when a request was due.
async fn read(
    connections: Vec<Connection>,
    request: &Arc<String>,
    lasting: Duration,
    every: Duration,
) -> (Vec<Connection>, Round) {
    let started = Instant::now();
    let count = u32::try_from(connections.len()).unwrap();
    let reading: Vec<_> = connections
        .into_iter()
        .zip(0..)
        .map(|(mut connection, number)| {
            let request = Arc::clone(request);
            let mut due = started + every * number / count;
            tokio::spawn(async move {
                let mut latencies = Vec::new();
                while due < started + lasting && started.elapsed() < lasting {
                    tokio::time::sleep_until(due.into()).await;
                    connection.exchange(&request, 200).await;
                    latencies.push(due.elapsed());
                    due += every;
                }
                (connection, latencies)
            })
        })
        .collect();
    let (mut connections, mut latencies) = (Vec::new(), Vec::new());
    for reading in reading {
        let (connection, of_one) = reading.await.unwrap();
        connections.push(connection);
        latencies.extend(of_one);
    }
    (connections, round(latencies))
}

async fn buy(client: Arc<Client>, connections: usize, lasting: Duration) -> Round {
    let until = Instant::now() + lasting;
    let buying: Vec<_> = (0..connections)
        .map(|_| {
            let client = Arc::clone(&client);
            tokio::spawn(async move {
                let (mut connection, mut request) = (client.connect().await, String::new());
                let mut latencies = Vec::new();
                while Instant::now() < until {
                    let asked_at = Instant::now();
                    client.ask(&mut connection, &mut request).await;
                    latencies.push(asked_at.elapsed());
                }
                latencies
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for buying in buying {
        latencies.extend(buying.await.unwrap());
    }
    round(latencies)
}

fn round(mut latencies: Vec<Duration>) -> Round {
    Round {
        answers: latencies.len(),
        p99: p99(&mut latencies),
    }
}

pub fn p99(latencies: &mut [Duration]) -> Duration {
    latencies.sort();
    let at = (latencies.len() * 99).div_ceil(100).saturating_sub(1);
    latencies.get(at).copied().unwrap_or_default()
}
