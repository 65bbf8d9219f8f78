//! Snapshots are made from the journal, not from the live state: the actor is never held up, and every snapshot is
//! a rehearsal of recovery.

use std::sync::Arc;

use onsale_domain::EventId;
use tokio::sync::mpsc;

use crate::metrics::Metrics;
use crate::port::Journal;
use crate::replay::replay;

/// Makes the snapshots that are asked for, one at a time, until nobody can ask any more.
pub(crate) async fn run(
    journal: Arc<dyn Journal>,
    metrics: Arc<Metrics>,
    mut asked: mpsc::Receiver<EventId>,
) {
    while let Some(event_id) = asked.recv().await {
        if save(&*journal, event_id).await {
            metrics.snapshots_saved.increment(1);
        } else {
            metrics.snapshots_failed.increment(1);
        }
    }
}

/// Makes one. Without it, the event's recovery only takes longer.
async fn save(journal: &dyn Journal, event_id: EventId) -> bool {
    let snapshot = match replay(journal, event_id).await {
        Ok(replayer) => replayer.snapshot(),
        Err(error) => {
            tracing::error!(%event_id, %error, "could not read the event back for a snapshot");
            return false;
        }
    };
    match snapshot {
        Ok(snapshot) => match journal.save_snapshot(snapshot).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%event_id, %error, "could not save a snapshot");
                false
            }
        },
        Err(error) => {
            tracing::error!(%event_id, %error, "could not encode a snapshot");
            false
        }
    }
}
