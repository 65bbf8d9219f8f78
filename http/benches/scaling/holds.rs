//! Holds in one event: what one costs in time and memory as the event fills.

use std::sync::Arc;
use std::time::Duration;

use onsale_engine::{Engine, EngineConfig};

use crate::filling::{Order, fill, open_sales};
use crate::forgetful::{Forgetful, Watermarks};
use crate::serving::support::TestClock;
use crate::usage::resident_bytes;
use crate::{in_a_process, point, serving, sizes};

const SIZES: [usize; 5] = [1_000, 10_000, 100_000, 1_000_000, 10_000_000];
/// Fewer holds than these are too short for the clock of processor time: more events are filled then.
const HOLDS_MIN: usize = 600_000;
const WARM_UP: usize = 5_000;

pub fn run(quick: bool) {
    for size in sizes(&SIZES, quick, 1_000_000) {
        let holds_min = if quick { HOLDS_MIN / 2 } else { HOLDS_MIN };
        in_a_process(
            "holds",
            &[&size.to_string(), &(holds_min / size).max(1).to_string()],
        );
    }
}

/// Arguments: the size, and how many events have it.
pub fn at(arguments: &[String]) {
    let [size, events] = arguments else {
        panic!("{arguments:?}")
    };
    serving::runtime().block_on(async {
        // Code and buffers are as they will be.
        measure(WARM_UP, 1, false).await;
        measure(size.parse().unwrap(), events.parse().unwrap(), true).await;
    });
}

/// The time is that of the last nine tenths of each size, so that a later size does not hide behind an earlier one.
async fn measure(size: usize, events: usize, told: bool) {
    let config = EngineConfig {
        snapshot_every_records: u64::MAX,
        ..EngineConfig::default()
    };
    let (journal, sink) = (Forgetful::default(), Watermarks::default());
    let clock = TestClock::default();
    clock.advance_ms(1_800_000_000_000);
    let slow = tokio::spawn(run_slowly(clock.clone()));
    let engine = Engine::start(config, Arc::new(journal), Arc::new(sink), Arc::new(clock))
        .await
        .unwrap();
    let sales = open_sales(&engine, events, 10_000_000).await;
    let empty = resident_bytes();
    fill(&engine, &sales, 0, size / 10, Order::EventByEvent).await;
    let cost = fill(&engine, &sales, size / 10, size, Order::EventByEvent).await;
    let bytes = resident_bytes().saturating_sub(empty) as f64 / (size * events) as f64;
    if told {
        point("holds-cpu", "one event", size, cost.cpu_us());
        point("holds-memory", "one event", size, bytes);
        point(
            "holds-slowest",
            "one event",
            size,
            cost.slowest.as_secs_f64() * 1e3,
        );
    }
    engine.shutdown(Duration::from_secs(20)).await;
    slow.abort();
}

/// A tenth of the time passes: no hold of a large size ends while the event is filled.
async fn run_slowly(clock: TestClock) {
    loop {
        tokio::time::sleep(Duration::from_millis(10)).await;
        clock.advance_ms(1);
    }
}
