//! The chores of the workspace: run every test with what it needs, check that the code is tidy, refresh the
//! offline query data.
//!
//! Whatever is started here (Postgres, Redis, test runners) is private, listens on a free port of 127.0.0.1
//! and is stopped again on success, failure, Ctrl-C and SIGTERM: see [`process`].
//!
//! To add a chore: one file with a `run` function here, one variant of [`cli::Chore`].
#![allow(
    clippy::disallowed_methods,
    reason = "waiting for child processes needs the real clock, and no sale is decided here"
)]

pub mod apt;
pub mod cargo;
pub mod cli;
pub mod compare;
pub mod counts;
pub mod crash;
pub mod dev;
pub mod lint;
pub mod node;
pub mod operations;
pub mod pg;
pub mod poppler;
pub mod postgres;
pub mod private;
pub mod process;
pub mod prometheus;
pub mod python;
pub mod reaper;
pub mod redis;
pub mod scaling;
pub mod sqlx_prepare;
pub mod test;
pub mod tidy;
pub mod workspace;
