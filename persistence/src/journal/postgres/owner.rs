//! Who owns an event.

use onsale_domain::{EventId, Route};
use onsale_engine::port::{Acquired, Epoch, JournalError, Owner};
use uuid::Uuid;

use crate::{Database, DatabaseError};

/// Value of `event_owner.journal` for events of this journal.
pub(super) const JOURNAL: &str = "postgres";

impl Database {
    /// The event of a route, whichever journal it is in.
    pub(crate) async fn event_of_route(&self, route: Route) -> Result<Option<EventId>, JournalError> {
        let event_id = sqlx::query_scalar!(
            "SELECT event_id FROM event_owner WHERE route = $1",
            i64::from(route.0)
        )
        .fetch_optional(self.pool())
        .await
        .map_err(DatabaseError::from)?;
        Ok(event_id.map(EventId))
    }

    /// Registers a new event in a journal, under epoch 1.
    pub(crate) async fn register_event(
        &self,
        event_id: EventId,
        journal: &str,
        node_id: Option<Uuid>,
    ) -> Result<Acquired, JournalError> {
        let inserted = sqlx::query!(
            r#"INSERT INTO event_owner (event_id, route, epoch, journal, node_id)
               VALUES ($1, $2, 1, $3, $4) ON CONFLICT DO NOTHING"#,
            event_id.0,
            i64::from(event_id.route().0),
            journal,
            node_id
        )
        .execute(self.pool())
        .await
        .map_err(DatabaseError::from)?;
        if inserted.rows_affected() == 1 {
            Ok(Acquired { epoch: Epoch(1) })
        } else {
            Err(JournalError::Taken)
        }
    }
}

pub(super) async fn create(
    database: &Database,
    event_id: EventId,
    node_id: Uuid,
) -> Result<Acquired, JournalError> {
    database.register_event(event_id, JOURNAL, Some(node_id)).await
}

/// Raises the epoch, if the owner is this node, nobody, or a node whose lease has lapsed.
pub(super) async fn acquire(
    database: &Database,
    event_id: EventId,
    node_id: Uuid,
) -> Result<Acquired, JournalError> {
    // An owner that goes while it is asked about leaves the event to whoever asks again.
    for _ in 0..2 {
        if let Some(epoch) = raise(database, event_id, node_id).await? {
            return Ok(Acquired { epoch: Epoch(epoch) });
        }
        if let Some(reason) = why_not(database, event_id, node_id).await {
            return Err(reason);
        }
    }
    Err(JournalError::OwnedElsewhere {
        owner: Owner::silent("a node that has just gone"),
    })
}

async fn raise(database: &Database, event_id: EventId, node_id: Uuid) -> Result<Option<i64>, JournalError> {
    let epoch = sqlx::query_scalar!(
        r#"UPDATE event_owner SET epoch = epoch + 1, node_id = $2
           WHERE event_id = $1 AND journal = $3
             AND EXISTS (SELECT 1 FROM nodes WHERE nodes.node_id = $2)
             AND NOT EXISTS (
                 SELECT 1 FROM nodes
                 WHERE nodes.node_id = event_owner.node_id AND nodes.node_id <> $2
                   AND nodes.lease_until > clock_timestamp())
           RETURNING epoch"#,
        event_id.0,
        node_id,
        JOURNAL
    )
    .fetch_optional(database.pool())
    .await
    .map_err(DatabaseError::from)?;
    Ok(epoch)
}

/// Explains a refused acquisition; nothing where the owner has gone meanwhile. It may change in between: the answer is for
/// people, and a retry is safe.
async fn why_not(database: &Database, event_id: EventId, node_id: Uuid) -> Option<JournalError> {
    let found = sqlx::query!(
        r#"SELECT owner.journal, node.name AS "name?", node.address,
                  EXISTS (SELECT 1 FROM nodes WHERE nodes.node_id = $2) AS "registered!"
           FROM event_owner AS owner LEFT JOIN nodes AS node ON node.node_id = owner.node_id
           WHERE owner.event_id = $1"#,
        event_id.0,
        node_id
    )
    .fetch_optional(database.pool())
    .await;
    Some(match found {
        Err(error) => DatabaseError::from(error).into(),
        Ok(None) => JournalError::NotFound,
        Ok(Some(row)) if row.journal != JOURNAL => JournalError::OwnedElsewhere {
            owner: Owner::silent(format!("journal {}", row.journal)),
        },
        Ok(Some(row)) if !row.registered => JournalError::Unavailable(
            "this node is not registered: it was shut down, or another process took its name".to_owned(),
        ),
        Ok(Some(row)) => JournalError::OwnedElsewhere {
            owner: node(&row.name?, row.address),
        },
    })
}

/// Another node that lives and owns the event.
pub(super) async fn other_owner(
    database: &Database,
    event_id: EventId,
    node_id: Uuid,
) -> Result<Option<Owner>, JournalError> {
    let found = sqlx::query!(
        r#"SELECT node.name, node.address
           FROM event_owner AS owner JOIN nodes AS node ON node.node_id = owner.node_id
           WHERE owner.event_id = $1 AND owner.journal = $3
             AND node.node_id <> $2 AND node.lease_until > clock_timestamp()"#,
        event_id.0,
        node_id,
        JOURNAL
    )
    .fetch_optional(database.pool())
    .await
    .map_err(DatabaseError::from)?;
    Ok(found.map(|row| node(&row.name, row.address)))
}

fn node(name: &str, address: Option<String>) -> Owner {
    Owner {
        name: format!("node {name}"),
        address,
    }
}
