//! What a ticket is outside of the journal: the signed code that a scanner reads, and the files that a buyer keeps.
//!
//! Everything here is made of committed records and can be made again: a code and a file say what the record says.

mod calendar;
mod draw;
mod face;
mod keys;
mod pass;
mod pdf;
mod text;

pub use calendar::calendar_file;
pub use face::TicketFace;
pub use keys::TicketKeys;
pub use pass::{PassError, TicketPass, VerifiedPass};
pub use pdf::{PdfError, pdf_file};

#[cfg(test)]
mod tests;
