//! Check-ins of one event over HTTP, each ticket shown at two gates at the same time.
//!
//! `cargo xtask pg -- cargo bench -p onsale-http --bench door`
//!
//! Tokens, rate limits and metrics are on; the projection runs; the load generator shares the cores. Every ticket must
//! be admitted once, by the clients' own count and by the event's.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark"
)]

mod serving;

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use onsale_domain::command::{ConfirmHold, PlaceHold, RequestedLine};
use onsale_domain::id::TicketCode;
use onsale_domain::{Command, EventId, HoldId, TicketId, UserId};
use serving::{Connection, Sale, Server, over_both_journals, support};
use smallvec::smallvec;
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TICKETS: usize = 20_000;
const TICKETS_PER_ORDER: u16 = 100;
const CONNECTIONS: usize = 64;

fn main() {
    over_both_journals(Router::new, |serving, server| {
        let (sale, codes) = serving.block_on(sold(server));
        let scanner = serving.block_on(server.admin());
        let door = Arc::new(Door::new(server, sale.event_id, codes, scanner));
        let measured = serving::runtime().block_on(Door::measure(&door));
        measured.print();
        let counts = serving
            .block_on(server.engine.door_counts(sale.event_id))
            .unwrap();
        assert_eq!(
            (measured.admitted, counts.inside(), counts.tickets_used),
            (TICKETS, TICKETS as u64, TICKETS as u64),
            "each ticket lets in once"
        );
        println!(
            "  (projected {:.1} s after the round)",
            server.catch_up().as_secs_f64()
        );
    });
}

/// An event with all its tickets sold.
async fn sold(server: &Server) -> (Sale, Vec<TicketCode>) {
    let sale = server.sale(u32::try_from(TICKETS).unwrap()).await;
    let mut codes = Vec::with_capacity(TICKETS);
    while codes.len() < TICKETS {
        let hold_id = HoldId(Uuid::now_v7());
        let place = Command::PlaceHold(PlaceHold {
            hold_id,
            buyer_id: support::BUYER,
            lines: smallvec![RequestedLine {
                ticket_type_id: sale.ticket_type_id,
                quantity: TICKETS_PER_ORDER.into(),
            }],
            payment: None,
            package: None,
            key: None,
        });
        let tickets: Vec<_> = (0..TICKETS_PER_ORDER)
            .map(|_| (TicketId(Uuid::now_v7()), code()))
            .collect();
        codes.extend(tickets.iter().map(|(_, code)| *code));
        let confirm = Command::ConfirmHold(Box::new(ConfirmHold {
            hold_id,
            buyer_id: support::BUYER,
            payment: None,
            tickets,
            package_order_id: None,
            key: None,
        }));
        server.engine.execute(sale.event_id, place).await.unwrap();
        server.engine.execute(sale.event_id, confirm).await.unwrap();
    }
    (sale, codes)
}

fn code() -> TicketCode {
    let mut code = [0; 10];
    code.copy_from_slice(&Uuid::now_v7().as_bytes()[6..]);
    TicketCode(code)
}

/// All gates of an event.
struct Door {
    server: std::net::SocketAddr,
    event_id: EventId,
    codes: Vec<TicketCode>,
    token: String,
    next: AtomicUsize,
}

struct Measured {
    admitted: usize,
    took: Duration,
    /// Of each scan, sorted.
    latencies: Vec<Duration>,
}

impl Door {
    fn new(server: &Server, event_id: EventId, codes: Vec<TicketCode>, scanner: UserId) -> Self {
        Self {
            server: server.address,
            event_id,
            codes,
            token: server.tokens_of(1, || scanner).remove(0),
            next: AtomicUsize::new(0),
        }
    }

    async fn measure(door: &Arc<Self>) -> Measured {
        let began = Instant::now();
        let gates: Vec<_> = (0..CONNECTIONS)
            .map(|_| tokio::spawn(Arc::clone(door).scan_all()))
            .collect();
        let (mut admitted, mut latencies) = (0, Vec::with_capacity(2 * TICKETS));
        for gate in gates {
            let (let_in, took) = gate.await.unwrap();
            admitted += let_in;
            latencies.extend(took);
        }
        let took = began.elapsed();
        latencies.sort_unstable();
        Measured {
            admitted,
            took,
            latencies,
        }
    }

    /// Scans until every ticket was shown twice; how many were let in, and how long each scan took.
    async fn scan_all(self: Arc<Self>) -> (usize, Vec<Duration>) {
        let mut connection = Connection::open(self.server).await;
        let (mut request, mut body) = (String::new(), String::new());
        let (mut admitted, mut latencies) = (0, Vec::new());
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(code) = self.codes.get(number / 2) else {
                return (admitted, latencies);
            };
            body.clear();
            request.clear();
            let (event_id, gate) = (self.event_id, number % CONNECTIONS);
            write!(
                body,
                r#"{{"event_id":"{event_id}","code":"{code}","gate":"Gate {gate}","nonce":"{number}"}}"#
            )
            .unwrap();
            write!(
                request,
                "POST /v1/check-ins HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                self.token,
                body.len()
            )
            .unwrap();
            let asked = Instant::now();
            match connection.ask(&request).await {
                201 => admitted += 1,
                409 => {}
                status => panic!("answered {status}"),
            }
            latencies.push(asked.elapsed());
        }
    }
}

impl Measured {
    fn print(&self) {
        let scans = self.latencies.len();
        let at = |part: usize| self.latencies[(scans - 1) * part / 100].as_secs_f64() * 1_000.0;
        let seconds = self.took.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "these are few")]
        let (scans_each, admitted_each) = (scans as f64 / seconds, self.admitted as f64 / seconds);
        println!(
            "  scans    {scans_each:8.0}/s, p50 {:.2} ms, p99 {:.2} ms",
            at(50),
            at(99)
        );
        println!("  let in   {admitted_each:8.0}/s, {} of {TICKETS}", self.admitted);
    }
}
