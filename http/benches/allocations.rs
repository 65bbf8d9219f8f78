//! How often a request allocates, and how much: the server's part, the engine's, the journal's and the projection's,
//! with a load generator that allocates nothing. The counts hardly depend on the machine.
//!
//! `cargo xtask pg -- cargo bench -p onsale-http --bench allocations`
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark"
)]

mod serving;

use std::alloc::System;
use std::sync::Arc;
use std::time::Duration;

use serving::{CONNECTIONS, Projection, Server, over_both_journals_with, somebody};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

const ROUND: Duration = Duration::from_secs(2);

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    over_both_journals_with(
        &[Projection::On, Projection::Off],
        serving::echo,
        |serving, server| {
            let asked = serving.block_on(serving::Asked::prepare(server));
            measure(server, &asked);
        },
    );
}

fn measure(server: &Server, asked: &serving::Asked) {
    let tokens = Arc::new(server.tokens_of(CONNECTIONS, somebody));
    for name in ["echo", "sold_out", "hold", "purchase"] {
        // Once more before it counts: what the first request of a kind sets up is no request's.
        let client = asked.client(name, server, &tokens);
        client.closed_loop(CONNECTIONS, ROUND / 4);
        server.catch_up();
        let before = ALLOCATOR.stats();
        let answers = client.closed_loop(CONNECTIONS, ROUND) * ROUND.as_secs_f64();
        server.catch_up();
        let after = ALLOCATOR.stats();
        let each = |after: usize, before: usize| (after - before) as f64 / answers;
        println!(
            "  {name:10}{:8.1} allocations, {:.1} reallocations, {:.0} bytes",
            each(after.allocations, before.allocations),
            each(after.reallocations, before.reallocations),
            each(after.bytes_allocated, before.bytes_allocated),
        );
    }
}
