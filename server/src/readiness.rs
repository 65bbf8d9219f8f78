//! Whether this process may be sent requests: the state behind `/readyz`.

use std::sync::Arc;

use tokio::sync::watch;

/// What the process is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Waiting for Postgres.
    AwaitingDatabase,
    /// The database's schema is older than this release needs.
    AwaitingMigration,
    /// Rebuilding events from their journals.
    Recovering,
    /// Serving.
    Ready,
    /// Told to stop: finishes what it began.
    Draining,
}

impl Phase {
    /// The name in `/readyz?verbose`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::AwaitingDatabase => "awaiting_database",
            Self::AwaitingMigration => "awaiting_migration",
            Self::Recovering => "recovering",
            Self::Ready => "ready",
            Self::Draining => "draining",
        }
    }
}

/// A cloneable view of the phase.
#[derive(Clone, Debug)]
pub(crate) struct Readiness(Arc<watch::Sender<Phase>>);

impl Readiness {
    /// A process that has just started.
    pub(crate) fn starting() -> Self {
        Self(Arc::new(watch::Sender::new(Phase::AwaitingDatabase)))
    }

    /// Moves on. Draining is final.
    pub(crate) fn enter(&self, phase: Phase) {
        let moved = self.0.send_if_modified(|current| {
            let moves = *current != Phase::Draining && *current != phase;
            if moves {
                *current = phase;
            }
            moves
        });
        if moved {
            tracing::info!(phase = phase.as_str(), "phase");
        }
    }

    /// The phase now.
    pub(crate) fn phase(&self) -> Phase {
        *self.0.borrow()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draining_is_final() {
        let readiness = Readiness::starting();
        readiness.enter(Phase::Ready);
        readiness.enter(Phase::Draining);
        readiness.enter(Phase::Ready);
        assert_eq!(readiness.phase(), Phase::Draining);
    }
}
