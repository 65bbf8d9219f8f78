//! The journal in Postgres: one fenced statement for each batch.
//!
//! Safety comes from the compare-and-swap of `event_owner (epoch, last_seq)` inside the statement that writes;
//! leases of nodes only say when others may take an event over. So a stalled process may resume at any time: its
//! next write finds a higher epoch and is refused.

mod append;
mod node;
mod owner;
mod store;
mod writer;

use futures::future::BoxFuture;
use onsale_domain::{EventId, Route, Sequence};
use onsale_engine::port::{Acquired, Journal, JournalEntry, JournalError, JournalWriter, Owner, Snapshot};

use uuid::Uuid;

use self::node::Node;
use self::writer::PostgresWriter;
use crate::Database;

/// Each lane has its own connection and commit; more than two compete for the disk's one sync queue.
const LANES: usize = 2;

/// The journal in Postgres, as one node of a deployment sees it. Must be started within a tokio runtime.
#[derive(Debug)]
pub struct PostgresJournal {
    database: Database,
    /// `None`: only for reading.
    node: Option<Node>,
}

impl PostgresJournal {
    /// Registers this process under a name and starts renewing its lease.
    ///
    /// A name belongs to the process that started last under it, so that a restart takes its events over at once.
    /// Give every process of a deployment its own name.
    ///
    /// Errors: [`JournalError::Unavailable`].
    pub async fn start(database: Database, node_name: &str) -> Result<Self, JournalError> {
        Self::start_reachable(database, node_name, None).await
    }

    /// [`PostgresJournal::start`], for a process that others ask about its events at an address, `http://HOST:PORT`.
    pub async fn start_reachable(
        database: Database,
        node_name: &str,
        address: Option<&str>,
    ) -> Result<Self, JournalError> {
        let node = Node::register(database.clone(), node_name, address).await?;
        Ok(Self {
            database,
            node: Some(node),
        })
    }

    /// Opens the journal for reading alone: no node is registered, so no event's owner notices. What would write or
    /// own answers [`JournalError::Unavailable`].
    pub const fn read_only(database: Database) -> Self {
        Self { database, node: None }
    }

    fn node(&self) -> Result<&Node, JournalError> {
        self.node
            .as_ref()
            .ok_or_else(|| JournalError::Unavailable("the journal is open for reading only".to_owned()))
    }

    /// Stops renewing the lease and ends it, so that a successor need not wait. Call it when no event is owned
    /// any more; writes that come later are still safe, because a successor fences them.
    pub async fn shutdown(&self) {
        if let Some(node) = &self.node {
            node.end().await;
        }
    }
}

impl Journal for PostgresJournal {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn lanes(&self) -> usize {
        LANES
    }

    fn writer(&self) -> BoxFuture<'_, Result<Box<dyn JournalWriter>, JournalError>> {
        Box::pin(async {
            self.node()?;
            let writer: Box<dyn JournalWriter> = Box::new(PostgresWriter::open(self.database.clone()).await?);
            Ok(writer)
        })
    }

    fn create(&self, event_id: EventId) -> BoxFuture<'_, Result<Acquired, JournalError>> {
        Box::pin(async move { owner::create(&self.database, event_id, self.node()?.id()).await })
    }

    fn acquire(&self, event_id: EventId) -> BoxFuture<'_, Result<Acquired, JournalError>> {
        Box::pin(async move { owner::acquire(&self.database, event_id, self.node()?.id()).await })
    }

    fn other_owner(&self, event_id: EventId) -> BoxFuture<'_, Result<Option<Owner>, JournalError>> {
        Box::pin(async move { owner::other_owner(&self.database, event_id, self.node()?.id()).await })
    }

    fn resolve(&self, route: Route) -> BoxFuture<'_, Result<Option<EventId>, JournalError>> {
        Box::pin(self.database.event_of_route(route))
    }

    fn read(
        &self,
        event_id: EventId,
        after: Sequence,
        entries_max: usize,
    ) -> BoxFuture<'_, Result<Vec<JournalEntry>, JournalError>> {
        Box::pin(store::read(&self.database, event_id, after, entries_max))
    }

    fn heads(&self) -> BoxFuture<'_, Result<Vec<(EventId, Sequence)>, JournalError>> {
        // Without a node, what no living node owns.
        let node_id = self.node.as_ref().map_or(Uuid::nil(), Node::id);
        Box::pin(store::heads(&self.database, node_id))
    }

    fn load_snapshot(&self, event_id: EventId) -> BoxFuture<'_, Result<Option<Snapshot>, JournalError>> {
        Box::pin(store::load_snapshot(&self.database, event_id))
    }

    fn save_snapshot(&self, snapshot: Snapshot) -> BoxFuture<'_, Result<(), JournalError>> {
        Box::pin(async move {
            self.node()?;
            store::save_snapshot(&self.database, snapshot).await
        })
    }
}
