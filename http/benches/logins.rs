//! How long holds take at half of the server's ceiling, without and with 100 clients who log in again and again.
//!
//! `cargo xtask pg -- cargo bench -p onsale-http --bench logins`
//!
//! Holds are asked for at set instants, whether or not earlier ones were answered, and their time counts from these
//! instants. Rounds alternate, and medians of the rounds' percentiles are compared. The limit on logins is off.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark"
)]

mod serving;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::Router;
use onsale_domain::EmailAddress;
use onsale_services::Registration;
use serving::{CONNECTIONS, Client, Connection, Server, median, over_both_journals, somebody};
use tokio::sync::mpsc;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PEOPLE: usize = 100;
const PASSWORD: &str = "a quiet harbour at dusk";
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);
const CEILING_ROUNDS: usize = 3;
/// How much finer than a tokio timer requests are paced.
const PACE: Duration = Duration::from_micros(100);
/// Requests that one connection may be behind.
const BEHIND_MAX: usize = 4_096;

fn main() {
    over_both_journals(Router::new, |serving, server| {
        let people = serving.block_on(people(server));
        let tokens = Arc::new(server.tokens_of(CONNECTIONS, somebody));
        // An event for each round, so that none begins with a larger inventory than another.
        let client = || {
            let sale = serving.block_on(server.sale(10_000_000));
            Client::new(server.address, &sale.path(), sale.ticket_type_id, 201, &tokens)
        };
        let ceiling = median(
            (0..CEILING_ROUNDS)
                .map(|_| client().closed_loop(CONNECTIONS, ROUND))
                .collect(),
        );
        let rate = ceiling / 2.0;
        println!("  {rate:.0} holds/s, half of {ceiling:.0}/s");
        compare(server, &people, || paced(&client(), rate));
    });
}

/// Mail addresses of new accounts.
async fn people(server: &Server) -> Vec<String> {
    let mut people = Vec::new();
    for _ in 0..PEOPLE {
        let email = format!("{}@example.org", somebody().0.simple());
        let registration = Registration {
            email: EmailAddress::parse(&email).unwrap(),
            password: PASSWORD.to_owned().into(),
            name: "Ada".to_owned(),
        };
        server.services.register(registration).await.unwrap();
        people.push(email);
    }
    people
}

fn compare(server: &Server, people: &[String], round: impl Fn() -> Vec<u32>) {
    let [mut calm, mut stormy] = [const { [const { Vec::new() }; 2] }; 2];
    let note = |figures: &mut [Vec<f64>; 2], name: &str| {
        let mut latencies_us = round();
        latencies_us.sort_unstable();
        let at = |hundredths: usize| f64::from(latencies_us[latencies_us.len() * hundredths / 100]) / 1_000.0;
        println!("  {name:7} p50 {:7.2} ms, p99 {:7.2} ms", at(50), at(99));
        figures[0].push(at(50));
        figures[1].push(at(99));
        server.catch_up();
    };
    for _ in 0..ROUNDS {
        note(&mut calm, "calm");
        let storm = Storm::start(server, people);
        note(&mut stormy, "storm");
        println!("          {:.0} logins/s", storm.end());
    }
    for (name, calm, stormy) in calm
        .into_iter()
        .zip(stormy)
        .zip(["p50", "p99"])
        .map(|((calm, stormy), name)| (name, median(calm), median(stormy)))
    {
        println!(
            "  {name} {calm:.2} ms, with logins {stormy:.2} ms: {:.2} of it",
            stormy / calm
        );
    }
}

/// Asks at a steady rate on all connections; how long each answer took, in microseconds, from when its request was due.
fn paced(client: &Arc<Client>, rate: f64) -> Vec<u32> {
    serving::runtime().block_on(async {
        let mut dues = Vec::new();
        let mut answering = Vec::new();
        for _ in 0..CONNECTIONS {
            let (due, times) = mpsc::channel(BEHIND_MAX);
            dues.push(due);
            let connection = client.connect().await;
            answering.push(tokio::spawn(answer_times(Arc::clone(client), connection, times)));
        }
        let pacing = std::thread::spawn(move || pace(&dues, rate));
        let mut latencies_us = Vec::new();
        for answering in answering {
            latencies_us.extend(answering.await.unwrap());
        }
        pacing.join().unwrap();
        latencies_us
    })
}

/// Tells each connection in turn when its next request is due.
fn pace(dues: &[mpsc::Sender<Instant>], rate: f64) {
    let started = Instant::now();
    let mut told = 0_u32;
    loop {
        let elapsed = started.elapsed();
        if elapsed >= ROUND {
            return;
        }
        while f64::from(told) / rate <= elapsed.as_secs_f64() {
            let due = started + Duration::from_secs_f64(f64::from(told) / rate);
            dues[told as usize % dues.len()].try_send(due).unwrap();
            told += 1;
        }
        std::thread::sleep(PACE);
    }
}

async fn answer_times(
    client: Arc<Client>,
    mut connection: Connection,
    mut dues: mpsc::Receiver<Instant>,
) -> Vec<u32> {
    let mut request = String::new();
    let mut latencies_us = Vec::new();
    while let Some(due) = dues.recv().await {
        client.ask(&mut connection, &mut request).await;
        latencies_us.push(u32::try_from(due.elapsed().as_micros()).unwrap());
    }
    latencies_us
}

/// People who log in again as soon as they are in, from a thread of their own.
struct Storm {
    is_over: Arc<AtomicBool>,
    started: Instant,
    raging: JoinHandle<u32>,
}

impl Storm {
    fn start(server: &Server, people: &[String]) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let requests: Vec<String> = people.iter().map(|email| login(email)).collect();
        let (address, until) = (server.address, Arc::clone(&is_over));
        let raging = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let people = requests.into_iter().map(async |request| {
                    let mut connection = Connection::open(address).await;
                    let mut logins = 0;
                    while !until.load(Ordering::Relaxed) {
                        connection.exchange(&request, 200).await;
                        logins += 1;
                    }
                    logins
                });
                futures::future::join_all(people).await.into_iter().sum()
            })
        });
        // Until everybody waits for the first answer.
        std::thread::sleep(Duration::from_millis(200));
        Self {
            is_over,
            started: Instant::now(),
            raging,
        }
    }

    /// Logins a second.
    fn end(self) -> f64 {
        self.is_over.store(true, Ordering::Relaxed);
        let logins = self.raging.join().unwrap();
        f64::from(logins) / self.started.elapsed().as_secs_f64()
    }
}

fn login(email: &str) -> String {
    let body = format!("{{\"email\":\"{email}\",\"password\":\"{PASSWORD}\"}}");
    format!(
        "POST /v1/auth/login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}
