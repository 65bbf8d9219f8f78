//! Who owns an event of a local journal: always the process that has the journal's directory locked.

use onsale_domain::{EventId, Sequence};
use onsale_engine::port::{Acquired, Epoch, JournalError, Owner};

use super::LocalJournal;
use crate::convert::seq_in;
use crate::{Database, DatabaseError};

/// Postgres' word on an event of this journal.
struct Pinned {
    epoch: Epoch,
    watermark: Sequence,
}

impl LocalJournal {
    pub(super) async fn create_event(&self, event_id: EventId) -> Result<Acquired, JournalError> {
        let acquired = self.database.register_event(event_id, &self.pin(), None).await?;
        self.thread.handle().own(event_id, acquired.epoch).await?;
        Ok(acquired)
    }

    /// Raises the epoch in Postgres, where the event's pin is checked, and here.
    ///
    /// With Postgres away, an event that this process has acquired before gets its epoch from this journal alone.
    /// That is safe: the pin was checked once, it only moves while no process has the directory open, and we have
    /// it locked; so no other process can have become the owner since.
    pub(super) async fn acquire_event(&self, event_id: EventId) -> Result<Acquired, JournalError> {
        let head = self.heads.get(event_id);
        let known = head.map_or(Epoch(0), |head| head.epoch);
        let epoch = match raise(&self.database, event_id, &self.pin(), known).await {
            Ok(Some(pinned)) => {
                let last_seq = head.map_or(0, |head| head.last_seq);
                if pinned.watermark > last_seq {
                    return Err(JournalError::Damaged(format!(
                        "{}: event {event_id} ends at {last_seq}, but was projected up to {}",
                        self.directory.display(),
                        pinned.watermark
                    )));
                }
                pinned.epoch
            }
            Ok(None) => return Err(why_not(&self.database, event_id).await),
            Err(error @ DatabaseError::Unavailable(_)) => match head {
                Some(head) if head.acquired => {
                    tracing::warn!(%error, %event_id, "acquired without Postgres");
                    Epoch(head.epoch.0 + 1)
                }
                Some(_) | None => return Err(error.into()),
            },
            Err(error) => return Err(error.into()),
        };
        self.thread.handle().own(event_id, epoch).await?;
        Ok(Acquired { epoch })
    }

    /// Value of `event_owner.journal` for events of this journal.
    fn pin(&self) -> String {
        format!("local:{}", self.id)
    }
}

/// `None`: the event does not exist, or is pinned elsewhere.
async fn raise(
    database: &Database,
    event_id: EventId,
    pin: &str,
    known: Epoch,
) -> Result<Option<Pinned>, DatabaseError> {
    let row = sqlx::query!(
        r#"UPDATE event_owner AS owner SET epoch = GREATEST(owner.epoch, $3) + 1
           WHERE owner.event_id = $1 AND owner.journal = $2
           RETURNING owner.epoch, COALESCE((
               SELECT watermark.seq FROM watermarks AS watermark WHERE watermark.event_id = $1
           ), 0) AS "watermark!""#,
        event_id.0,
        pin,
        known.0
    )
    .fetch_optional(database.pool())
    .await?;
    Ok(row.map(|row| Pinned {
        epoch: Epoch(row.epoch),
        watermark: seq_in(row.watermark),
    }))
}

async fn why_not(database: &Database, event_id: EventId) -> JournalError {
    let journal = sqlx::query_scalar!("SELECT journal FROM event_owner WHERE event_id = $1", event_id.0)
        .fetch_optional(database.pool())
        .await;
    match journal {
        Ok(Some(journal)) => JournalError::OwnedElsewhere {
            owner: Owner::silent(format!("journal {journal}")),
        },
        Ok(None) => JournalError::NotFound,
        Err(error) => DatabaseError::from(error).into(),
    }
}
