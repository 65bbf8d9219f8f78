//! Holds under 50,000 distinct access tokens in rotation, as a ratio to holds under one token in the same run.
//!
//! `cargo xtask pg -- cargo bench -p onsale-http --bench tokens`
//!
//! Every token is verified once before the measured rounds. A third contender has 50,000 tokens of one account: what it
//! loses is the price of the remembered tokens, the rest that of what is kept for each account. Rounds alternate.
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

use axum::Router;
use serving::{CONNECTIONS, Client, Sale, Server, median, over_both_journals, somebody};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TOKENS: usize = 50_000;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(3);

fn main() {
    over_both_journals(Router::new, |serving, server| {
        compare(server, serving.block_on(server.sale(10_000_000)));
    });
}

fn compare(server: &Server, sale: Sale) {
    let account = somebody();
    let contenders = [
        ("one token", server.tokens_of(1, somebody)),
        (
            "50,000 tokens of one account",
            server.tokens_of(TOKENS, || account),
        ),
        ("50,000 tokens of as many", server.tokens_of(TOKENS, somebody)),
    ]
    .map(|(name, tokens)| (name, Arc::new(tokens)));
    let round = |tokens| {
        let client = Client::new(server.address, &sale.path(), sale.ticket_type_id, 201, tokens);
        let figure = client.closed_loop(CONNECTIONS, ROUND);
        server.catch_up();
        figure
    };
    for (name, tokens) in &contenders {
        println!("  {name:30} {:8.0}/s in the first round", round(tokens));
    }
    let mut figures = [const { Vec::new() }; 3];
    for number in 0..ROUNDS {
        // Who comes first changes, because events grow while they sell.
        for position in 0..contenders.len() {
            let contender = (number + position) % contenders.len();
            figures[contender].push(round(&contenders[contender].1));
        }
    }
    let single = median(figures[0].clone());
    for ((name, _), figures) in contenders.iter().zip(figures) {
        let all: Vec<String> = figures.iter().map(|figure| format!("{figure:.0}")).collect();
        let figure = median(figures);
        println!(
            "  {name:30} {figure:8.0}/s, {:.2} of one token ({})",
            figure / single,
            all.join(", ")
        );
    }
}
