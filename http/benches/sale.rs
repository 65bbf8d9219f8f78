//! Holds and refusals over HTTP, as ratios to a bare JSON echo route of the same server in the same run.
//!
//! `cargo xtask pg -- cargo bench -p onsale-http --bench sale`
//!
//! Tokens, rate limits and metrics are on; the projection runs; the load generator shares the cores. Rounds alternate,
//! and the median of each contender's rounds is compared, because machines are noisy.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark"
)]

mod serving;

use std::sync::Arc;
use std::time::Duration;

use onsale_domain::Command;
use serving::{CONNECTIONS, Client, Sale, Server, median, over_both_journals, somebody, support};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(3);

fn main() {
    over_both_journals(serving::echo, |serving, server| {
        let (open, sold_out) = serving.block_on(sales(server));
        compare(server, open, sold_out);
    });
}

/// An event that never sells out and one that has.
async fn sales(server: &Server) -> (Sale, Sale) {
    let open = server.sale(10_000_000).await;
    let sold_out = server.sale(1).await;
    let hold = support::place(sold_out.ticket_type_id);
    let Command::PlaceHold(place) = &hold else {
        panic!("a hold")
    };
    let confirm = support::confirm(place.hold_id, 1);
    server.engine.execute(sold_out.event_id, hold).await.unwrap();
    server.engine.execute(sold_out.event_id, confirm).await.unwrap();
    (open, sold_out)
}

fn compare(server: &Server, open: Sale, sold_out: Sale) {
    let tokens = Arc::new(server.tokens_of(CONNECTIONS, somebody));
    let round = |path: &str, sale: Sale, status| {
        Client::new(server.address, path, sale.ticket_type_id, status, &tokens)
            .closed_loop(CONNECTIONS, ROUND)
    };
    let [mut echo, mut hold, mut refused] = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        echo.push(round("/echo", open, 200));
        hold.push(round(&open.path(), open, 201));
        let behind = server.catch_up();
        println!("  (projected {:.1} s after the round)", behind.as_secs_f64());
        refused.push(round(&sold_out.path(), sold_out, 409));
    }
    let [echo, hold, refused] = [echo, hold, refused].map(median);
    println!("  echo     {echo:8.0}/s");
    println!("  holds    {hold:8.0}/s, {:.2} of the echo", hold / echo);
    println!("  sold out {refused:8.0}/s, {:.2} of the echo", refused / echo);
}
