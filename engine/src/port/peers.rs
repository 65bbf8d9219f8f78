//! Other processes of the deployment, of which each owns some of the events.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use onsale_domain::{Availability, Command, EventId};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::error::EngineError;
use crate::handle::Receipt;
use crate::look::{Found, Look};

/// Who owns an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// For an operator to read.
    pub name: String,
    /// Where it answers other processes, as `http://HOST:PORT`; `None` where it answers none.
    pub address: Option<String>,
}

impl Owner {
    /// An owner that nobody can ask.
    pub fn silent(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            address: None,
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// What one process asks another about an event that the other owns.
///
/// Its encoding is a protocol between processes of two releases: the server's test of it says what to do on a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PeerQuestion {
    /// Have a command decided and made durable.
    Execute(Command),
    /// Look something up.
    Look(Look),
    /// The counts and the definition.
    Availability,
    /// Wait until Postgres has everything of the event that is committed now.
    WaitProjected,
}

impl PeerQuestion {
    /// Whether it ends what somebody has begun, or is staff's: such a question is not turned away before all places are
    /// taken. What begins something and what is only read leave some free.
    pub const fn finishes(&self) -> bool {
        match self {
            Self::Execute(Command::PlaceHold(_))
            | Self::Look(_)
            | Self::Availability
            | Self::WaitProjected => false,
            Self::Execute(_) => true,
        }
    }

    /// Whether a second copy of the same message could do what the first did not. All other commands carry an id, a key,
    /// a digest or a version by which a repeat is known, for longer than a message is accepted.
    pub const fn must_come_once(&self) -> bool {
        match self {
            // A repeat gives the hold more time, or pauses again a sale that was resumed meanwhile.
            Self::Execute(Command::ExtendHold { .. } | Command::ChangeStatus { .. }) => true,
            Self::Execute(
                Command::CreateEvent { .. }
                | Command::EditEvent { .. }
                | Command::SetQuota { .. }
                | Command::SetTicketType { .. }
                | Command::PlaceHold(_)
                | Command::ReleaseHold { .. }
                | Command::ConfirmHold(_)
                | Command::CancelOrder { .. }
                | Command::StartPayment(_)
                | Command::ReclaimHold(_)
                | Command::RefundTickets(_)
                | Command::TransferTicket(_)
                | Command::ScanTicket(_)
                | Command::Advance,
            )
            | Self::Look(_)
            | Self::Availability
            | Self::WaitProjected => false,
        }
    }
}

/// What the owner answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PeerAnswer {
    /// To [`PeerQuestion::Execute`]. What it says is durable.
    Receipt(Receipt),
    /// To [`PeerQuestion::Look`].
    Found(Box<Found>),
    /// To [`PeerQuestion::Availability`].
    Availability(Arc<Availability>),
    /// To [`PeerQuestion::WaitProjected`].
    Projected,
}

/// Why a peer gave no answer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PeerError {
    /// It was not reached, or does not take what we say. Nothing changed.
    #[error("not reached: {0}")]
    NotReached(String),
    /// As many questions are under way as may be, here or there. Nothing changed.
    #[error("too many questions are under way")]
    Overloaded,
    /// It was asked, and no answer came that can be trusted.
    #[error("the answer was lost")]
    Lost,
}

/// Asks other processes. Implementations: over HTTP in the server, and in memory for tests.
pub trait Peers: Send + Sync + 'static {
    /// Asks the process at an address about an event, waiting no longer than `patience`.
    ///
    /// The inner result is what [`Engine::answer_peer`](crate::Engine::answer_peer) said there.
    fn ask<'a>(
        &'a self,
        address: &'a str,
        event_id: EventId,
        question: &'a PeerQuestion,
        patience: Duration,
    ) -> BoxFuture<'a, Result<Result<PeerAnswer, EngineError>, PeerError>>;
}
