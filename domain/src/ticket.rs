//! Tickets and the door: how a ticket stands, and what a scan is.

use serde::{Deserialize, Serialize};

use crate::id::{TicketCode, TicketId};

/// Where a ticket stands: valid → used; either → cancelled or refunded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TicketStatus {
    /// Lets its owner in.
    Valid,
    /// Has let somebody in.
    Used,
    /// Its order was cancelled.
    Cancelled,
    /// Its money went back.
    Refunded,
}

impl TicketStatus {
    /// The name in the API and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Used => "used",
            Self::Cancelled => "cancelled",
            Self::Refunded => "refunded",
        }
    }
}

/// Which way somebody goes through a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Direction {
    /// Into the event.
    In,
    /// Out of it, to come back; only where the event allows re-entry.
    Out,
}

impl Direction {
    /// The name in the API and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}

/// Digest of gate and nonce of a scan: a repeat of the scan has the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ScanDigest(pub [u8; 16]);

/// What was shown at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Presented {
    /// The code printed on a ticket.
    Code(TicketCode),
    /// A pass whose signature was checked.
    Pass {
        /// Which ticket.
        ticket_id: TicketId,
        /// The ticket's version when the pass was made.
        version: u32,
    },
}
