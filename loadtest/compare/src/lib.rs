//! Onsale beside the usual ways to sell tickets, and beside the limit of the machine, in one run.
//!
//! Every contender is a process of its own behind the same accept loop, with the same allocator, JSON and token check:
//! `peer` holds what Onsale is compared with, `host` starts and watches the processes, `load` asks them for tickets,
//! `rows` counts what they kept. `rounds` measures, `crash` kills, `tell` says what came of it.
//!
//! To add a peer: a file under `peer/` that implements [`peer::Reserve`], a variant of [`peer::Kind`] and one of
//! [`Contender`].
#![allow(
    clippy::disallowed_methods,
    reason = "a stopwatch needs the real clock, and no sale of Onsale is decided here"
)]

pub mod cli;
mod clock;
mod contender;
pub mod crash;
mod figures;
pub mod host;
pub mod load;
pub mod peer;
pub mod plan;
pub mod rounds;
pub mod rows;
mod run;
mod tell;

pub use contender::{Contender, Operation, RedisSettings, Sale, Series};
pub use figures::{Crash, Figures, Verdict};
