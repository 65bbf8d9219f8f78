//! Filling events with holds, each of a buyer and under a key of its own.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use onsale_domain::command::{PlaceHold, RequestedLine};
use onsale_domain::{BuyerId, Command, EventId, HoldId, TicketTypeId};
use onsale_engine::Engine;
use uuid::Uuid;

use crate::serving::Sale;
use crate::serving::support::{binding, open_sale};
use crate::usage::cpu_seconds;

const IN_FLIGHT: usize = 1_024;
/// Events that are created at once.
const CREATED_AT_ONCE: usize = 64;

/// What some holds have cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    pub holds: usize,
    pub cpu_seconds: f64,
    pub slowest: Duration,
}

impl Cost {
    /// Processor time for each hold, with its caller's.
    pub fn cpu_us(&self) -> f64 {
        self.cpu_seconds * 1e6 / self.holds as f64
    }
}

/// In which order holds go to events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// All of one event, then all of the next.
    EventByEvent,
    /// The next hold to the next event.
    InTurn,
}

/// Opens the sales of so many events.
pub async fn open_sales(engine: &Engine, count: usize, capacity: u32) -> Arc<Vec<Sale>> {
    let next = Arc::new(AtomicUsize::new(0));
    let opening: Vec<_> = (0..CREATED_AT_ONCE.min(count))
        .map(|_| {
            let (engine, next) = (engine.clone(), Arc::clone(&next));
            tokio::spawn(async move {
                let mut sales = Vec::new();
                while next.fetch_add(1, Ordering::Relaxed) < count {
                    sales.push(open(&engine, capacity).await);
                }
                sales
            })
        })
        .collect();
    let mut sales = Vec::new();
    for opening in opening {
        sales.extend(opening.await.unwrap());
    }
    Arc::new(sales)
}

pub async fn open(engine: &Engine, capacity: u32) -> Sale {
    // The last four bytes are the event's route. Among a hundred thousand, two at random would be the same, so they are
    // counted up, from where no other process of the same journal began.
    static NEXT_ROUTE: LazyLock<AtomicU32> = LazyLock::new(|| {
        AtomicU32::new(u32::from_be_bytes(
            *Uuid::now_v7().as_bytes().last_chunk().unwrap(),
        ))
    });
    let mut bytes = Uuid::now_v7().into_bytes();
    bytes[12..].copy_from_slice(&NEXT_ROUTE.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    let event_id = EventId(Uuid::from_bytes(bytes));
    Sale {
        event_id,
        ticket_type_id: open_sale(engine, event_id, capacity).await,
    }
}

/// Places the holds `from..to` of each event.
pub async fn fill(engine: &Engine, sales: &Arc<Vec<Sale>>, from: usize, to: usize, order: Order) -> Cost {
    let (each, all) = (to - from, (to - from) * sales.len());
    let next = Arc::new(AtomicUsize::new(0));
    let before = cpu_seconds();
    let filling: Vec<_> = (0..IN_FLIGHT.min(all))
        .map(|_| {
            let (engine, sales, next) = (engine.clone(), Arc::clone(sales), Arc::clone(&next));
            tokio::spawn(async move {
                let mut slowest = Duration::ZERO;
                loop {
                    let turn = next.fetch_add(1, Ordering::Relaxed);
                    if turn >= all {
                        return slowest;
                    }
                    let (event, number) = match order {
                        Order::EventByEvent => (turn / each, from + turn % each),
                        Order::InTurn => (turn % sales.len(), from + turn / sales.len()),
                    };
                    let sale = sales[event];
                    let asked_at = Instant::now();
                    let command = place(sale.ticket_type_id, number);
                    engine.execute(sale.event_id, command).await.unwrap();
                    slowest = slowest.max(asked_at.elapsed());
                }
            })
        })
        .collect();
    let mut slowest = Duration::ZERO;
    for filling in filling {
        slowest = slowest.max(filling.await.unwrap());
    }
    Cost {
        holds: all,
        cpu_seconds: cpu_seconds() - before,
        slowest,
    }
}

pub fn place(ticket_type_id: TicketTypeId, number: usize) -> Command {
    Command::PlaceHold(PlaceHold {
        hold_id: HoldId(Uuid::from_u128(0x0190_0000_0000_7000_8000 << 48 | number as u128)),
        buyer_id: BuyerId(Uuid::from_u128(number as u128)),
        lines: smallvec::smallvec![RequestedLine {
            ticket_type_id,
            quantity: 1
        }],
        payment: None,
        package: None,
        key: Some(binding(number as u64)),
    })
}
