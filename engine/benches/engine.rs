//! The engine without a disk: decisions, group commit and answers over a journal in memory. It shows what the actor,
//! the lanes and the handle cost by themselves; `server/benches` measures the same with real journals.
//!
//! `cargo bench -p onsale-engine`; with `-- memory` only what holds and tickets cost in memory
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::alloc::System;
use std::time::Instant;

use onsale_domain::{Command, EventId, HoldId, UnixMillis, codec};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use support::{Fixture, open_sale};
use uuid::Uuid;

const IN_FLIGHT: usize = 1_024;
const HOLDS: usize = 250_000;
const ROUNDS: usize = 9;
const IDLE_EVENTS: usize = 2_000;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    if !std::env::args().any(|argument| argument == "memory") {
        speed();
    }
    println!("open hold with its key: {} bytes", open_hold_bytes());
    println!("order of one ticket with its key: {} bytes", order_bytes(1));
    println!("order of four tickets with its key: {} bytes", order_bytes(4));
}

fn speed() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let idle_bytes = idle_event_bytes().await;
        println!("loaded idle event: {idle_bytes} bytes");
        let mut rates = Vec::new();
        let mut commits = 0;
        let allocations = ALLOCATOR.stats().allocations;
        let cpu_seconds = cpu_seconds_used();
        for _ in 0..ROUNDS {
            let fixture = Fixture::on_sale(10_000_000).await;
            let started = Instant::now();
            hold(&fixture).await;
            rates.push(HOLDS as f64 / started.elapsed().as_secs_f64());
            commits += fixture.journal.commits.load(std::sync::atomic::Ordering::Relaxed);
        }
        let holds = (ROUNDS * HOLDS) as f64;
        rates.sort_by(f64::total_cmp);
        println!(
            "holds: {:.0} per second with {IN_FLIGHT} in flight (best of {ROUNDS} rounds {:.0})",
            rates[ROUNDS / 2],
            rates[ROUNDS - 1]
        );
        println!(
            "  CPU: {:.2} us each, with the caller's",
            (cpu_seconds_used() - cpu_seconds) * 1e6 / holds
        );
        println!("  holds in a commit: {:.0}", holds / f64::from(commits));
        let allocations = ALLOCATOR.stats().allocations - allocations;
        println!(
            "  allocations: {:.1} each, with the caller's",
            allocations as f64 / holds
        );
    });
}

async fn hold(fixture: &Fixture) {
    let handles: Vec<_> = (0..IN_FLIGHT)
        .map(|task| {
            let (engine, event_id) = (fixture.engine.clone(), fixture.event_id);
            let (_, template) = fixture.place(1, Some(0));
            tokio::spawn(async move {
                for number in 0..HOLDS / IN_FLIGHT {
                    let command = numbered(&template, task * HOLDS + number);
                    engine.execute(event_id, command).await.unwrap();
                }
            })
        })
        .collect();
    for handle in handles {
        handle.await.unwrap();
    }
}

/// The template with a hold id, a buyer and a key of its own.
fn numbered(template: &Command, number: usize) -> Command {
    let mut command = template.clone();
    if let Command::PlaceHold(hold) = &mut command {
        hold.hold_id = HoldId(Uuid::from_u128(0x0190_0000_0000_7000_8000 << 48 | number as u128));
        hold.buyer_id.0 = Uuid::from_u128(0x0190_0000_0000_7000_9000 << 48 | number as u128);
        hold.key = Some(support::binding(number as u64));
    }
    command
}

/// Bytes of the state for each open hold, each with a key and a buyer of its own, at a million of them: just past
/// the doubling of the tables, where they are emptiest.
fn open_hold_bytes() -> usize {
    const OPEN: usize = 1_000_000;
    let (mut inventory, template) = inventory_on_sale(1);
    let before = resident_bytes();
    for number in 0..OPEN {
        inventory.apply(&numbered(&template, number), at(number)).unwrap();
    }
    (resident_bytes() - before) / OPEN
}

/// The same for confirmed orders, each of a buyer and under a key of its own.
fn order_bytes(tickets: usize) -> usize {
    const ORDERS: usize = 500_000;
    let (mut inventory, template) = inventory_on_sale(tickets as i64);
    let before = resident_bytes();
    for number in 0..ORDERS {
        let command = numbered(&template, number);
        inventory.apply(&command, at(number)).unwrap();
        let Command::PlaceHold(hold) = command else {
            unreachable!()
        };
        let mut confirm = support::confirm(hold.hold_id, tickets);
        if let Command::ConfirmHold(confirm) = &mut confirm {
            confirm.buyer_id = hold.buyer_id;
            confirm.key = hold.key;
        }
        inventory.apply(&confirm, at(number)).unwrap();
    }
    (resident_bytes() - before) / ORDERS
}

fn at(number: usize) -> UnixMillis {
    UnixMillis(1_800_000_000_000 + number as i64)
}

/// The state of an event on sale, and a hold of so many tickets.
fn inventory_on_sale(tickets: i64) -> (onsale_domain::Inventory, Command) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let fixture = runtime.block_on(Fixture::on_sale(10_000_000));
    let entries = fixture.journal.events.lock().unwrap()[&fixture.event_id]
        .entries
        .clone();
    let mut inventory = onsale_domain::Inventory::default();
    for entry in entries {
        for record in codec::decode_records(&entry.payload).unwrap() {
            inventory.replay(&record).unwrap();
        }
    }
    let (_, template) = fixture.place(tickets, Some(0));
    (inventory, template)
}

async fn idle_event_bytes() -> usize {
    let fixture = Fixture::on_sale(10).await;
    let live = || ALLOCATOR.stats().bytes_allocated - ALLOCATOR.stats().bytes_deallocated;
    let before = live();
    for _ in 0..IDLE_EVENTS {
        open_sale(&fixture.engine, EventId(Uuid::now_v7()), 1_000).await;
    }
    (live() - before) / IDLE_EVENTS
}

/// Memory that is really there: the untouched end of a grown array is not.
fn resident_bytes() -> usize {
    const PAGE_BYTES: usize = 4_096;
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * PAGE_BYTES
}

/// User and system time of this process.
fn cpu_seconds_used() -> f64 {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    fields[11..13]
        .iter()
        .map(|ticks| ticks.parse::<f64>().unwrap())
        .sum::<f64>()
        / TICKS_PER_SECOND
}
