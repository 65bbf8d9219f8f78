//! What a request costs, and where: processor time of each group of threads and of Postgres, for each answer.
//!
//! `cargo xtask pg -- cargo bench -p onsale-http --bench cost`; with `-- hold local` only what these words name.
//! `ONSALE_BENCH_TRACE_RATIO=0.01` before it has one request in a hundred traced.
//!
//! Rounds alternate, and medians are told, because machines are noisy. Tokens, rate limits and metrics are on; the
//! projection runs in one part and writes nowhere in the other, so that the difference is its share. A round ends when
//! everything is projected.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark"
)]

mod cpu;
mod serving;

use std::sync::Arc;
use std::time::Duration;

use cpu::{Group, Used};
use serving::{CONNECTIONS, Client, Projection, Server, median, over_both_journals_with, somebody};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);
const ASKED: [&str; 4] = ["echo", "sold_out", "hold", "purchase"];

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
    let mut rounds = ASKED.map(|_| Vec::new());
    for _ in 0..ROUNDS {
        for (name, rounds) in ASKED.iter().zip(&mut rounds) {
            if is_wanted(name) {
                let client = asked.client(name, server, &tokens);
                rounds.push(round(server, &client));
            }
        }
    }
    print!("  {:10}{:>8}", "", "per s");
    for group in Group::ALL {
        print!("{:>12}", group.name());
    }
    println!("{:>12}", "sum, us");
    for (name, rounds) in ASKED.iter().zip(&rounds).filter(|(_, rounds)| !rounds.is_empty()) {
        let middle = |figure: &dyn Fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
        print!("  {name:10}{:8.0}", middle(&|round| round.per_second));
        for group in Group::ALL {
            print!("{:12.2}", middle(&|round| round.used.of(group) / round.answers));
        }
        println!("{:12.2}", middle(&|round| round.used.sum() / round.answers));
    }
}

struct Round {
    per_second: f64,
    answers: f64,
    used: Used,
}

fn round(server: &Server, client: &Arc<Client>) -> Round {
    let before = Used::so_far();
    let per_second = client.closed_loop(CONNECTIONS, ROUND);
    server.catch_up();
    Round {
        per_second,
        answers: per_second * ROUND.as_secs_f64(),
        used: Used::so_far().since(&before),
    }
}

/// Whether the command line names it, or none of these.
fn is_wanted(name: &str) -> bool {
    let named: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| ASKED.contains(&argument.as_str()))
        .collect();
    named.is_empty() || named.iter().any(|named| named == name)
}
