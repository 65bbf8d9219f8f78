//! What is compared.

use serde::Serialize;
use uuid::Uuid;

use crate::peer::Kind;

/// A way to sell tickets, or the limit of all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Contender {
    /// Gives the JSON back that it got.
    Echo,
    /// Onsale, durable on the machine's disk.
    OnsaleLocal,
    /// Onsale, durable in Postgres.
    OnsalePostgres,
    /// `SELECT … FOR UPDATE`, check, `UPDATE`, `INSERT`, `COMMIT`.
    RowLock,
    /// One statement: `UPDATE … WHERE available >= n` with the `INSERT`.
    ConditionalUpdate,
    /// Lua in Redis decrements and appends to a stream, which is drained to Postgres.
    RedisStream(RedisSettings),
}

/// How durable Redis is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RedisSettings {
    /// `appendonly yes`, `appendfsync always`: an answer follows the sync.
    Always,
    /// `appendonly yes`, `appendfsync everysec`: usual where Redis is to keep something.
    EverySecond,
    /// Snapshots alone, as Redis comes.
    Snapshots,
}

/// What one request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Its own body back.
    Echo,
    /// One ticket set aside; of a peer, one ticket less and one row more.
    Hold,
    /// One ticket held, paid and confirmed in one call.
    Purchase,
}

/// A contender at one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Series {
    /// Who.
    pub contender: Contender,
    /// At what.
    pub operation: Operation,
}

/// What one request may ask for a ticket of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sale {
    /// The event.
    pub event_id: Uuid,
    /// Its only ticket type.
    pub ticket_type_id: Uuid,
}

impl Contender {
    /// The peer behind it; `None` for Onsale.
    pub const fn peer(self) -> Option<Kind> {
        match self {
            Self::Echo => Some(Kind::Echo),
            Self::OnsaleLocal | Self::OnsalePostgres => None,
            Self::RowLock => Some(Kind::RowLock),
            Self::ConditionalUpdate => Some(Kind::ConditionalUpdate),
            Self::RedisStream(_) => Some(Kind::RedisStream),
        }
    }

    /// What tables call it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Echo => "JSON echo",
            Self::OnsaleLocal => "Onsale, local journal",
            Self::OnsalePostgres => "Onsale, postgres journal",
            Self::RowLock => "SELECT FOR UPDATE",
            Self::ConditionalUpdate => "conditional UPDATE",
            Self::RedisStream(RedisSettings::Always) => "Redis Lua + stream, always",
            Self::RedisStream(RedisSettings::EverySecond) => "Redis Lua + stream, everysec",
            Self::RedisStream(RedisSettings::Snapshots) => "Redis Lua + stream, snapshots",
        }
    }
}

impl Series {
    /// Everything that is measured, in the order of the tables.
    pub const ALL: [Self; 8] = [
        Self::of(Contender::Echo, Operation::Echo),
        Self::of(Contender::OnsaleLocal, Operation::Hold),
        Self::of(Contender::OnsalePostgres, Operation::Hold),
        Self::of(Contender::OnsaleLocal, Operation::Purchase),
        Self::of(Contender::OnsalePostgres, Operation::Purchase),
        Self::of(Contender::RowLock, Operation::Hold),
        Self::of(Contender::ConditionalUpdate, Operation::Hold),
        Self::of(Contender::RedisStream(RedisSettings::Always), Operation::Hold),
    ];

    /// A contender at an operation.
    pub const fn of(contender: Contender, operation: Operation) -> Self {
        Self { contender, operation }
    }

    /// What tables call it.
    pub fn label(self) -> String {
        let label = self.contender.label();
        match (self.contender, self.operation) {
            (Contender::OnsaleLocal | Contender::OnsalePostgres, Operation::Hold) => format!("{label}: hold"),
            (_, Operation::Purchase) => format!("{label}: purchase"),
            (_, Operation::Echo | Operation::Hold) => label.to_owned(),
        }
    }
}
