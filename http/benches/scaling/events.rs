//! Events in memory: what an idle one costs, what it leaves behind when it goes, and what others cost a hold.

use std::sync::Arc;
use std::time::{Duration, Instant};

use onsale_engine::port::Clock;
use onsale_engine::{Engine, EngineConfig};

use crate::filling::{Order, fill, open_sales};
use crate::forgetful::{Forgetful, Watermarks};
use crate::serving::support::TestClock;
use crate::usage::{cpu_seconds, resident_bytes};
use crate::{in_a_process, point, serving, sizes};

const SIZES: [usize; 6] = [1, 10, 100, 1_000, 10_000, 100_000];
/// Fewer events than these are lost in the noise of the process's memory.
const FOR_MEMORY_MIN: usize = 1_000;
const HOLDS: usize = 600_000;
const WARM_UP: usize = 5_000;
const IDLE_AFTER_MS: i64 = 2_000;

pub fn run(quick: bool) {
    let holds = if quick { HOLDS / 2 } else { HOLDS }.to_string();
    for size in sizes(&SIZES, quick, 10_000) {
        in_a_process("events", &["beside", &size.to_string(), &holds]);
        if size >= FOR_MEMORY_MIN {
            in_a_process("events", &["leaving", &size.to_string(), &holds]);
        }
    }
}

/// Arguments: what, the size, and how many holds.
pub fn at(arguments: &[String]) {
    let [what, size, holds] = arguments else {
        panic!("{arguments:?}")
    };
    let (size, holds) = (size.parse().unwrap(), holds.parse().unwrap());
    serving::runtime().block_on(async {
        // Code and buffers are as they will be.
        beside(10, WARM_UP, false).await;
        if what == "beside" {
            beside(size, holds, true).await;
        } else {
            leaving(size).await;
        }
    });
}

/// The clock stands still: nothing ends and nothing leaves.
fn clock() -> TestClock {
    let clock = TestClock::default();
    clock.advance_ms(1_800_000_000_000);
    clock
}

async fn engine(clock: &TestClock) -> Engine {
    let config = EngineConfig {
        idle_after_ms: IDLE_AFTER_MS,
        ..EngineConfig::default()
    };
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    let (journal, sink) = (Arc::new(Forgetful::default()), Arc::new(Watermarks::default()));
    Engine::start(config, journal, sink, clock).await.unwrap()
}

/// Holds of each event before its holds are measured.
const HOLDS_BEFORE: usize = 2;

/// Holds of one event beside the others, and holds of all in turn.
async fn beside(size: usize, holds: usize, told: bool) {
    let clock = clock();
    let engine = engine(&clock).await;
    let before = resident_bytes();
    let sales = open_sales(&engine, size, 10_000_000).await;
    let loaded = resident_bytes().saturating_sub(before) as f64 / size as f64;
    let hot = Arc::new(vec![sales[size / 2]]);
    // As full at every size, so that only the number of events differs.
    fill(&engine, &hot, 0, holds / 10, Order::EventByEvent).await;
    let one = fill(&engine, &hot, holds / 10, holds, Order::EventByEvent).await;
    // Each event has some holds before, since the first of an event make its tables.
    let others = Arc::new(
        sales
            .iter()
            .copied()
            .filter(|sale| sale.event_id != hot[0].event_id)
            .collect(),
    );
    let each = holds / size.max(2) + HOLDS_BEFORE;
    if told {
        point("events-cpu", "all of one event", size, one.cpu_us());
        if size >= FOR_MEMORY_MIN {
            point("events-memory", "idle, loaded", size, loaded);
            fill(&engine, &others, 0, HOLDS_BEFORE, Order::InTurn).await;
            let spread = fill(&engine, &others, HOLDS_BEFORE, each, Order::InTurn).await;
            point("events-cpu", "each of another event", size, spread.cpu_us());
        }
    }
    engine.shutdown(Duration::from_secs(20)).await;
}

/// Lets all events go that nobody uses.
async fn leaving(size: usize) {
    let clock = clock();
    let engine = engine(&clock).await;
    let before = resident_bytes();
    drop(open_sales(&engine, size, 1_000).await);
    clock.advance_ms(2 * IDLE_AFTER_MS);
    let (cpu, started) = (cpu_seconds(), Instant::now());
    while engine.status().active_events > 0 {
        assert!(started.elapsed() < Duration::from_mins(1), "events do not leave");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let cpu = cpu_seconds() - cpu;
    // The allocator gives pages back a little later.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let left = resident_bytes().saturating_sub(before) as f64 / size as f64;
    point("events-memory", "after leaving", size, left.max(1.0));
    point(
        "events-leaving",
        "all at once",
        size,
        cpu.max(0.01) * 1e6 / size as f64,
    );
    engine.shutdown(Duration::from_secs(20)).await;
}
