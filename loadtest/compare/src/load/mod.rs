//! Clients that cost little, because they share the processors with what they measure.

mod closed;
mod connection;
mod gathered;
mod open;
mod target;

pub use closed::{Stop, closed_loop};
pub use connection::Connection;
pub use gathered::{Gathered, Ticket, per_second};
pub use open::open_loop;
pub use target::{Buyers, Target};
