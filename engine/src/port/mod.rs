//! What the engine needs from outside, as traits with at least two implementations each.

pub mod clock;
pub mod journal;
pub mod peers;
pub mod projection;

pub use clock::{Clock, SystemClock};
pub use journal::{
    Acquired, Appended, Chain, Epoch, Journal, JournalEntry, JournalError, JournalWriter, Snapshot,
};
pub use peers::{Owner, PeerAnswer, PeerError, PeerQuestion, Peers};
pub use projection::{ProjectionError, ProjectionSink};
