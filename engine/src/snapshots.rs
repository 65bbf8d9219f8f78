//! Snapshots are made from the journal, not from the live state: the actor is never held up, and every snapshot is
//! a rehearsal of recovery.

use std::sync::Arc;

use onsale_domain::EventId;
use tokio::sync::mpsc;

use crate::port::Journal;
use crate::replay::replay;

/// Makes the snapshots that are asked for, one at a time, until nobody can ask any more.
pub(crate) async fn run(journal: Arc<dyn Journal>, mut asked: mpsc::Receiver<EventId>) {
    while let Some(event_id) = asked.recv().await {
        match replay(&*journal, event_id).await {
            Ok(replayer) => match replayer.snapshot() {
                Ok(snapshot) => {
                    if let Err(error) = journal.save_snapshot(snapshot).await {
                        tracing::warn!(%event_id, %error, "could not save a snapshot");
                    }
                }
                Err(error) => tracing::error!(%event_id, %error, "could not encode a snapshot"),
            },
            Err(error) => {
                tracing::error!(%event_id, %error, "could not read the event back for a snapshot");
            }
        }
    }
}
