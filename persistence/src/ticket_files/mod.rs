//! What the files of tickets say, and where they are.

mod face;
mod place;

pub use face::TicketFaceRow;
pub use place::{NewTicketFile, TicketFileRow};
