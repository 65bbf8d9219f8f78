//! A hold costs the engine no more than it is bound to: allocations, and the bytes that stay. One test, because the
//! allocator counts the whole process.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    missing_docs,
    reason = "test code"
)]

#[allow(dead_code, unreachable_pub, reason = "each guard uses a part")]
mod bounds;
#[path = "../support/mod.rs"]
mod support;

use std::alloc::System;

use futures::future::join_all;
use onsale_domain::{BuyerId, Command, EventId, HoldId, Inventory, UnixMillis, codec};
use onsale_engine::EngineConfig;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use support::{Fixture, binding, open_sale};
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const BATCHES: usize = 25;
/// Holds of a batch.
const ALONE: usize = 64;
const TOGETHER: usize = 64;
const OPEN_HOLDS: usize = 100_000;
const IDLE_EVENTS: usize = 300;
const LEFT_ROUNDS: usize = 4;

#[test]
fn a_hold_and_an_idle_event_stay_within_their_bounds() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let fixture = Fixture::on_sale(1_000_000).await;
        bounds::ENGINE_ALONE.check(alone(&fixture, 0).await);
        bounds::ENGINE_TOGETHER.check(together(&fixture, 1_000_000).await);
        bounds::IDLE_EVENT_BYTES.check(idle_event_bytes(&fixture).await);
        bounds::LEFT_EVENT_BYTES.check(left_event_bytes().await);
        bounds::OPEN_HOLD_BYTES.check(open_hold_bytes(&fixture));
    });
}

async fn alone(fixture: &Fixture, first: usize) -> f64 {
    let (_, template) = fixture.place(1, Some(0));
    let mut batches = Vec::new();
    for batch in 0..BATCHES {
        let before = allocations();
        for number in 0..ALONE {
            let command = numbered(&template, first + batch * ALONE + number);
            fixture.engine.execute(fixture.event_id, command).await.unwrap();
        }
        batches.push((allocations() - before) as f64 / ALONE as f64);
    }
    bounds::median(batches)
}

async fn together(fixture: &Fixture, first: usize) -> f64 {
    let (_, template) = fixture.place(1, Some(0));
    let mut batches = Vec::new();
    for batch in 0..BATCHES {
        let before = allocations();
        let holds = (0..TOGETHER).map(|number| {
            let command = numbered(&template, first + batch * TOGETHER + number);
            fixture.engine.execute(fixture.event_id, command)
        });
        for placed in join_all(holds).await {
            placed.unwrap();
        }
        batches.push((allocations() - before) as f64 / TOGETHER as f64);
    }
    bounds::median(batches)
}

async fn idle_event_bytes(fixture: &Fixture) -> f64 {
    fixture.engine.wait_all_projected().await.unwrap();
    let before = live_bytes();
    for _ in 0..IDLE_EVENTS {
        open_sale(&fixture.engine, EventId(Uuid::now_v7()), 1_000).await;
    }
    fixture.engine.wait_all_projected().await.unwrap();
    (live_bytes() - before) as f64 / IDLE_EVENTS as f64
}

/// What remains of events that have left memory, without their journal. Those of a first round make the tables and
/// buffers that every engine has once; what the second round adds is the events'.
async fn left_event_bytes() -> f64 {
    let config = EngineConfig {
        idle_after_ms: 1_000,
        ..EngineConfig::default()
    };
    let fixture = Fixture::with(1_000, config).await;
    come_and_leave(&fixture).await;
    let before = live_bytes();
    for _ in 0..LEFT_ROUNDS {
        come_and_leave(&fixture).await;
    }
    live_bytes().saturating_sub(before) as f64 / (LEFT_ROUNDS * IDLE_EVENTS) as f64
}

async fn come_and_leave(fixture: &Fixture) {
    for _ in 0..IDLE_EVENTS {
        open_sale(&fixture.engine, EventId(Uuid::now_v7()), 1_000).await;
    }
    fixture.engine.wait_all_projected().await.unwrap();
    fixture.clock.advance_ms(2_000);
    support::eventually("all have left", async || {
        fixture.engine.status().active_events == 0
    })
    .await;
    fixture.journal.events.lock().unwrap().clear();
    // Snapshots that are being made.
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
}

/// Of the state by itself.
fn open_hold_bytes(fixture: &Fixture) -> f64 {
    let entries = fixture.journal.events.lock().unwrap()[&fixture.event_id]
        .entries
        .clone();
    // Up to the opening of the sale: the holds that were placed since are not wanted here.
    let mut inventory = Inventory::default();
    let records = entries
        .iter()
        .flat_map(|entry| codec::decode_records(&entry.payload).unwrap());
    for record in records.take_while(|record| record.key().is_none()) {
        inventory.replay(&record).unwrap();
    }
    let (_, template) = fixture.place(1, Some(0));
    let before = live_bytes();
    for number in 0..OPEN_HOLDS {
        let now = UnixMillis(1_800_000_000_000 + number as i64 / 10);
        inventory.apply(&numbered(&template, number), now).unwrap();
    }
    (live_bytes() - before) as f64 / OPEN_HOLDS as f64
}

/// The template with a hold id, a buyer and a key of its own.
fn numbered(template: &Command, number: usize) -> Command {
    let mut command = template.clone();
    if let Command::PlaceHold(hold) = &mut command {
        hold.hold_id = HoldId(Uuid::from_u128(0x0190_0000_0000_7000_8000 << 48 | number as u128));
        hold.buyer_id = BuyerId(Uuid::from_u128(number as u128));
        hold.key = Some(binding(number as u64));
    }
    command
}

fn allocations() -> usize {
    let stats = ALLOCATOR.stats();
    stats.allocations + stats.reallocations
}

fn live_bytes() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}
