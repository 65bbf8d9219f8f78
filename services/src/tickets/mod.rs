//! What a ticket is outside of the journal: the signed code that a scanner reads, and the files that a buyer keeps.
//!
//! Everything here is made of committed records and can be made again: a code and a file say what the record says.

mod calendar;
mod draw;
mod face;
mod files;
mod keys;
mod owned;
mod pass;
mod pdf;
mod text;
mod token;

pub use calendar::calendar_file;
pub use face::{FaceTax, TicketFace};
pub use files::{TicketFile, TicketFiles};
pub use keys::TicketKeys;
pub use owned::{OwnedTicket, TicketFileLink};
pub use pass::{PassError, TicketPass, VerifiedPass};
pub use pdf::{PdfError, pdf_file};

use std::sync::Arc;

use onsale_persistence::ObjectStore;

use crate::workers::Workers;

/// Tickets that may wait to be rendered: more than the background work asks for at once.
const WAITING_MAX: usize = 64;

/// What tickets are signed, rendered and kept with.
pub(crate) struct Ticketing {
    pub(crate) keys: TicketKeys,
    pub(crate) objects: Arc<dyn ObjectStore>,
    /// Where they are rendered: behind whoever buys.
    workers: Workers,
}

impl Ticketing {
    pub(crate) fn new(keys: TicketKeys, objects: Arc<dyn ObjectStore>) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            keys,
            objects,
            workers: Workers::new("rendering", (processors / 2).max(1), WAITING_MAX),
        }
    }
}

#[cfg(test)]
mod tests;
