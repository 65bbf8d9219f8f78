//! The engine: one actor for each event over the rules of `onsale-domain`, group commit, recovery, write-behind and
//! ownership. It is the only user of the actor library, and it does no I/O of its own: journal, database and clock
//! come in through the traits of [`port`].
//!
//! The life of a command: [`Engine::execute`] → gate (may only reject) → permit → actor decides → commit lane
//! writes → committed view moves → answer → write-behind projects. See `ARCHITECTURE.md`.

mod actor;
mod admission;
pub mod at_hand;
mod cell;
pub mod config;
mod elsewhere;
mod error;
mod forward;
mod handle;
mod inbox;
mod key_filter;
mod lane;
mod lifecycle;
mod look;
pub mod metrics;
mod observe;
pub mod port;
mod projector;
mod registry;
pub mod replay;
mod slot;
mod snapshots;
mod supervisor;
mod timer;
pub mod trace;
mod write_behind;

pub use config::EngineConfig;
pub use error::EngineError;
pub use handle::{Answer, Drill, Engine, Receipt};
pub use look::{Found, HoldView, Look, TICKETS_PER_PAGE_MAX, TicketPage};
pub use observe::EngineStatus;
