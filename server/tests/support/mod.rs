//! What the tests of the whole program share: a database each, the real binary, and a small client.

#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "each test binary uses its own part of it"
)]

mod client;
mod database;
mod device;
mod postgres;
mod process;
mod redis;
mod token;
mod wait;
mod world;

pub use client::{Call, Reply, delete, get, post, put};
pub use database::{TestDatabase, bin_dir};
pub use device::{Device, Light};
pub use postgres::PrivatePostgres;
pub use process::{Journal, Server, free_address, old_onsale_binary, onsale_binary, signal};
pub use redis::PrivateRedis;
pub use token::{Caller, SECRET, TICKET_KEYS};
pub use wait::until;
pub use world::{Event, EventPlan, World};
