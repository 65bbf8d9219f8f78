//! Confirmed purchases over HTTP (hold, simulated charge, confirmation: two commits), as a ratio to a bare JSON echo
//! route of the same server in the same run.
//!
//! `cargo xtask pg -- cargo bench -p onsale-http --bench purchases`
//!
//! Tokens, rate limits and metrics are on; the projection runs; the load generator shares the cores. Rounds alternate,
//! and the median of each contender's rounds is compared, because machines are noisy.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark"
)]

mod serving;

use std::sync::Arc;
use std::time::Duration;

use serving::{CONNECTIONS, Client, median, over_both_journals, somebody};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(3);

fn main() {
    over_both_journals(serving::echo, |serving, server| {
        let sale = serving.block_on(server.priced_sale(10_000_000));
        let tokens = Arc::new(server.tokens_of(CONNECTIONS, somebody));
        let [mut echo, mut bought] = [const { Vec::new() }; 2];
        for _ in 0..ROUNDS {
            let client = Client::new(server.address, "/echo", sale.ticket_type_id, 200, &tokens);
            echo.push(client.closed_loop(CONNECTIONS, ROUND));
            let client = Client::buying(server.address, &sale, &tokens);
            bought.push(client.closed_loop(CONNECTIONS, ROUND));
            let behind = server.catch_up();
            println!("  (projected {:.1} s after the round)", behind.as_secs_f64());
        }
        let [echo, bought] = [echo, bought].map(median);
        println!("  echo      {echo:8.0}/s");
        println!("  purchases {bought:8.0}/s, {:.2} of the echo", bought / echo);
    });
}
