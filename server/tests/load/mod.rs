//! Clients that buy, hold, pay, let go and ask again, and write down what they were told.

#![allow(dead_code, reason = "each test binary uses its own part of it")]

mod check;
mod rush;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) use check::check;
pub(crate) use rush::{Rush, plan};

use crate::support::{Call, Caller, Event, Reply, delete, get, post};

/// How long one key is sent again before the client calls it a failure of the server.
const ANSWER_WITHIN: Duration = Duration::from_secs(50);

/// A small generator (`SplitMix64`): a run can be repeated from its seed, as far as the machine's timing allows.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }
}

/// An order that a client was told it has.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) buyer: Caller,
    pub(crate) tickets: Vec<Uuid>,
    /// When the client had the answer.
    pub(crate) told_at: Instant,
    /// The request, to be sent again.
    pub(crate) call: Call,
}

/// All that clients were told.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) orders: BTreeMap<Uuid, Order>,
    pub(crate) holds: BTreeSet<Uuid>,
    pub(crate) released: BTreeSet<Uuid>,
    pub(crate) declined: u64,
    pub(crate) refused: u64,
    pub(crate) retries: u64,
}

impl Ledger {
    /// An order that a buyer was told of in answer to a call.
    pub(crate) fn note(&mut self, buyer: &Caller, call: Call, order: &Value) {
        let told = Order {
            buyer: buyer.clone(),
            tickets: tickets(order),
            told_at: Instant::now(),
            call,
        };
        assert!(!told.tickets.is_empty(), "{order}");
        let before = self.orders.insert(uuid(&order["id"]), told);
        assert!(before.is_none(), "two keys led to one order: {order}");
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (id, order) in other.orders {
            assert!(
                self.orders.insert(id, order).is_none(),
                "two keys led to order {id}"
            );
        }
        for id in other.holds {
            assert!(self.holds.insert(id), "two keys led to hold {id}");
        }
        self.released.extend(other.released);
        self.declined += other.declined;
        self.refused += other.refused;
        self.retries += other.retries;
    }
}

/// Where the clients are.
pub(crate) struct Shop {
    /// Processes behind one name: a client that is not served by one goes to the next.
    apis: Vec<SocketAddr>,
    events: Vec<Event>,
    closed: AtomicBool,
    acknowledged: AtomicU64,
}

/// One client.
struct Client {
    shop: Arc<Shop>,
    random: Random,
    buyer: Caller,
    ledger: Ledger,
}

impl Shop {
    pub(crate) fn new(api: SocketAddr, events: Vec<Event>) -> Self {
        Self::of(vec![api], events)
    }

    /// One that several processes serve.
    pub(crate) fn of(apis: Vec<SocketAddr>, events: Vec<Event>) -> Self {
        Self {
            apis,
            events,
            closed: AtomicBool::new(false),
            acknowledged: AtomicU64::new(0),
        }
    }

    /// Nothing new is begun from here on; what was begun comes to its end.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Answers with 201 so far.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// A client's life.
    pub(crate) async fn run(self: Arc<Self>, random: Random) -> Ledger {
        let mut client = Client {
            shop: self,
            random,
            buyer: Caller::buyer(),
            ledger: Ledger::default(),
        };
        while !client.shop.closed.load(Ordering::Relaxed) {
            match client.random.below(10) {
                0..=4 => client.purchase("sim_approve").await,
                5 => client.purchase("sim_delay_40").await,
                6 => client.purchase("sim_decline").await,
                _ => client.hold().await,
            }
        }
        client.ledger
    }

    /// Every acknowledged order is there for its buyer, with its tickets, and its key still leads to it.
    pub(crate) async fn read_back(&self, ledger: &Ledger) {
        for (id, order) in &ledger.orders {
            let read = get(format!("/v1/orders/{id}")).by(&order.buyer);
            let read = self.outcome(&read, 0).await.0.expect(200);
            assert_eq!(read["status"], "confirmed", "{read}");
            assert_eq!(tickets(&read), order.tickets, "{read}");
            let (again, _) = self.outcome(&order.call, 0).await;
            assert!(again.replayed(), "{id}");
            let again = again.expect(201);
            assert_eq!(again["id"], id.to_string(), "the key has another answer");
            assert_eq!(tickets(&again), order.tickets, "{again}");
        }
    }

    /// Sends a call, to one process after the other, until its outcome is told; also how often it was sent again.
    /// `spread_ms` keeps clients from coming back in step.
    async fn outcome(&self, call: &Call, spread_ms: u64) -> (Reply, u64) {
        let started = Instant::now();
        let mut apis = self.apis.iter().cycle().skip(usize::try_from(spread_ms).unwrap());
        let mut retries = 0;
        loop {
            let reply = call.try_send(*apis.next().unwrap()).await;
            match &reply {
                Ok(answer) if !is_open(answer) => return (answer.clone(), retries),
                _ => {}
            }
            assert!(
                started.elapsed() < ANSWER_WITHIN,
                "no outcome: {call:?}: {reply:?}"
            );
            retries += 1;
            tokio::time::sleep(Duration::from_millis(20 + spread_ms)).await;
        }
    }
}

impl Client {
    async fn purchase(&mut self, payment_method: &str) {
        let (event, lines) = self.choice();
        let body = json!({"lines": lines, "payment_method": payment_method});
        let call = post(format!("/v1/events/{event}/purchases")).json(&body);
        self.ordered(call).await;
    }

    async fn hold(&mut self) {
        let (event, lines) = self.choice();
        let call = post(format!("/v1/events/{event}/holds")).json(&json!({"lines": lines}));
        let call = self.keyed(call);
        let Some(hold) = self.acknowledged(&call).await else {
            return;
        };
        let id = uuid(&hold["id"]);
        self.ledger.holds.insert(id);
        match self.random.below(4) {
            0 => {}
            1 => {
                let reply = self
                    .answer(&delete(format!("/v1/holds/{id}")).by(&self.buyer))
                    .await;
                if reply.status == 200 && reply.text("status") == "released" {
                    self.ledger.released.insert(id);
                }
            }
            _ => {
                let method = if self.random.below(5) == 0 {
                    "sim_decline"
                } else {
                    "sim_approve"
                };
                let body = json!({"payment_method": method});
                self.ordered(post(format!("/v1/holds/{id}/checkout")).json(&body))
                    .await;
            }
        }
    }

    /// An event, and one to three of one of its ticket types.
    fn choice(&mut self) -> (Uuid, Value) {
        let event = usize::try_from(self.random.below(2)).unwrap();
        let event = &self.shop.events[event];
        let kind = usize::try_from(self.random.below(3)).unwrap();
        let lines = json!([{"ticket_type_id": event.types[kind], "quantity": 1 + self.random.below(3)}]);
        (event.id, lines)
    }

    fn keyed(&self, call: Call) -> Call {
        call.by(&self.buyer).key(Uuid::now_v7().to_string())
    }

    async fn ordered(&mut self, call: Call) {
        let call = self.keyed(call);
        if let Some(order) = self.acknowledged(&call).await {
            self.ledger.note(&self.buyer, call, &order);
        }
    }

    /// The body of a 201, and the same again where the client asks again.
    async fn acknowledged(&mut self, call: &Call) -> Option<Value> {
        let reply = self.answer(call).await;
        match reply.status {
            201 => {}
            402 => {
                self.ledger.declined += 1;
                return None;
            }
            409 | 410 => {
                self.ledger.refused += 1;
                return None;
            }
            _ => panic!("{}: {}", reply.status, String::from_utf8_lossy(&reply.raw)),
        }
        self.shop.acknowledged.fetch_add(1, Ordering::Relaxed);
        if self.random.below(4) == 0 {
            let again = self.answer(call).await;
            assert_eq!(again.status, 201, "{}", String::from_utf8_lossy(&again.raw));
            assert_eq!(again.raw, reply.raw, "a key got two answers");
        }
        Some(reply.json())
    }

    async fn answer(&mut self, call: &Call) -> Reply {
        let spread = self.random.below(60);
        let (reply, retries) = self.shop.outcome(call, spread).await;
        self.ledger.retries += retries;
        reply
    }
}

/// Whether the answer leaves open what became of the request.
fn is_open(reply: &Reply) -> bool {
    reply.status == 503 || reply.status == 409 && reply.code() == "idempotency_in_flight"
}

fn tickets(order: &Value) -> Vec<Uuid> {
    let tickets = order["tickets"].as_array().expect("tickets");
    let mut ids: Vec<_> = tickets.iter().map(|ticket| uuid(&ticket["id"])).collect();
    ids.sort_unstable();
    ids
}

fn uuid(value: &Value) -> Uuid {
    value.as_str().and_then(|id| id.parse().ok()).expect("an id")
}
