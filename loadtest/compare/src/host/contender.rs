//! A contender that runs, with everything it needs.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tempfile::TempDir;
use tokio::time::sleep;
use uuid::Uuid;

use super::database::Database;
use super::onsale::{Admin, Onsale};
use super::process::{Process, Ready};
use super::{PostgresUsage, Programs, TOKEN_SECRET, free_address, redis, staff};
use crate::contender::{Contender, Operation, Sale};
use crate::load::Connection;
use crate::peer::{self, Kind};
use crate::rows::Rows;

/// Longest wait until everything acknowledged is in Postgres.
const DRAIN_WITHIN: Duration = Duration::from_mins(2);
const DRAIN_POLL: Duration = Duration::from_millis(10);
/// What a ticket costs where it is paid for.
const PRICE: u32 = 4_500;
/// Events that one member of staff makes: more of them share the work, since there is a limit to what one may ask.
const EVENTS_EACH: usize = 125;

/// A contender, its database and what else it needs. [`Host::stop`] takes all of it down.
pub struct Host {
    // Dropped in this order: processes must not outlive what they keep things in.
    server: Server,
    redis: Option<Process>,
    database: Database,
    contender: Contender,
    _directory: TempDir,
}

enum Server {
    Peer { process: Process, address: SocketAddr },
    Onsale { onsale: Onsale, admins: Vec<Admin> },
}

/// Processor time since the processes began, and the server's most memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct Used {
    /// The server's processor time.
    pub server: Duration,
    /// The server's most memory.
    pub memory_bytes_max: u64,
    /// All of Postgres, where it is on this machine.
    pub postgres: Duration,
    /// Redis, where there is one.
    pub redis: Duration,
}

impl Host {
    /// Starts a contender on a database of its own. `pool`: connections of a peer to what decides for it.
    pub async fn start(programs: &Programs, contender: Contender, pool: u32) -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new().prefix("onsale-compare-").tempdir()?;
        let database = Database::create(&programs.cluster_url).await?;
        let url = database.url()?;
        let mut redis_url = String::new();
        let mut redis = None;
        if let Contender::RedisStream(settings) = contender {
            let (mut process, url) = redis::prepare(settings, directory.path())?;
            process.start().await?;
            redis = Some(process);
            redis_url = url;
        }
        let server = if let Some(kind) = contender.peer() {
            peer::create_tables(&url).await?;
            let address = free_address()?;
            let arguments = arguments(kind, address, pool);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let environment = vec![
                ("DATABASE_URL", url),
                ("REDIS_URL", redis_url),
                ("ONSALE_TOKEN_SECRET", TOKEN_SECRET.to_owned()),
            ];
            let log = directory.path().join("peer.log");
            let mut process = Process::new(
                &programs.compare,
                &arguments,
                environment,
                Ready::Http(address),
                log,
            );
            process.start().await?;
            Server::Peer { process, address }
        } else {
            let mut onsale = Onsale::prepare(programs, contender, &url, directory.path())?;
            onsale.start().await?;
            Server::Onsale {
                onsale,
                admins: Vec::new(),
            }
        };
        Ok(Self {
            server,
            redis,
            database,
            contender,
            _directory: directory,
        })
    }

    /// Who it is.
    pub const fn contender(&self) -> Contender {
        self.contender
    }

    /// Where clients ask.
    pub const fn address(&self) -> SocketAddr {
        match &self.server {
            Server::Peer { address, .. } => *address,
            Server::Onsale { onsale, .. } => onsale.api,
        }
    }

    /// Puts new events on sale, with one ticket type of this capacity each.
    pub async fn open_sales(
        &mut self,
        count: usize,
        capacity: u32,
        operation: Operation,
    ) -> anyhow::Result<Vec<Sale>> {
        match &mut self.server {
            Server::Peer { .. } => {
                let new = || Sale {
                    event_id: Uuid::now_v7(),
                    ticket_type_id: Uuid::now_v7(),
                };
                let sales: Vec<Sale> = std::iter::repeat_with(new).take(count).collect();
                if self.contender != Contender::Echo {
                    self.stock(&sales, capacity).await?;
                }
                Ok(sales)
            }
            Server::Onsale { onsale, admins } => {
                let price = if operation == Operation::Purchase {
                    PRICE
                } else {
                    0
                };
                let enough = count.div_ceil(EVENTS_EACH).max(1);
                while admins.len() < enough {
                    admins.push(onsale.admin().await?);
                }
                staff::open_sales(onsale.api, &admins[..enough], count, capacity, price).await
            }
        }
    }

    async fn stock(&self, sales: &[Sale], capacity: u32) -> anyhow::Result<()> {
        let event_ids: Vec<Uuid> = sales.iter().map(|sale| sale.event_id).collect();
        let ticket_type_ids: Vec<Uuid> = sales.iter().map(|sale| sale.ticket_type_id).collect();
        sqlx::query(
            "INSERT INTO stock (event_id, ticket_type_id, capacity, available)
             SELECT event_id, ticket_type_id, $3, $3
             FROM unnest($1::uuid[], $2::uuid[]) AS sale (event_id, ticket_type_id)",
        )
        .bind(event_ids)
        .bind(ticket_type_ids)
        .bind(i32::try_from(capacity)?)
        .execute(&self.database.pool)
        .await?;
        Ok(())
    }

    /// What it has kept of this operation.
    pub fn rows(&self, operation: Operation) -> Rows {
        Rows::of(self.database.pool.clone(), self.contender, operation)
    }

    /// Waits until everything acknowledged is in Postgres; how long that took.
    pub async fn drained(&self) -> anyhow::Result<Duration> {
        let started = Instant::now();
        while self.behind().await? != Some(0) {
            ensure!(started.elapsed() < DRAIN_WITHIN, "it does not come to rest");
            sleep(DRAIN_POLL).await;
        }
        Ok(started.elapsed())
    }

    async fn behind(&self) -> anyhow::Result<Option<u64>> {
        match (&self.server, self.contender) {
            (Server::Onsale { onsale, .. }, _) => onsale.behind().await,
            (Server::Peer { address, .. }, Contender::RedisStream(_)) => {
                let mut connection = Connection::open(*address).await?;
                let status = connection
                    .ask("GET /behind HTTP/1.1\r\nhost: localhost\r\n\r\n")
                    .await?;
                let told = std::str::from_utf8(connection.body())?;
                Ok((status == 200).then(|| told.parse()).transpose()?)
            }
            (Server::Peer { .. }, _) => Ok(Some(0)),
        }
    }

    /// What its processes have used so far.
    pub fn used(&self) -> anyhow::Result<Used> {
        let server = self.process().usage()?;
        let redis = self.redis.as_ref().map(Process::usage).transpose()?;
        Ok(Used {
            server: server.processor,
            memory_bytes_max: server.memory_bytes_max,
            postgres: self
                .database
                .usage
                .map(PostgresUsage::processor)
                .unwrap_or_default(),
            redis: redis.unwrap_or_default().processor,
        })
    }

    /// Has Postgres write what it has in memory, so that it does not while somebody is measured. Needs the right to.
    pub async fn checkpoint(&self) -> anyhow::Result<()> {
        sqlx::query("CHECKPOINT").execute(&self.database.pool).await?;
        Ok(())
    }

    /// Leaves out the background work that Onsale has asked itself for: files of tickets, mail, and the capture of the
    /// money of purchases. So it does not run while others are measured, and no figure has its cost.
    pub async fn forget_jobs(&self) -> anyhow::Result<()> {
        if matches!(self.server, Server::Onsale { .. }) {
            sqlx::query("DELETE FROM jobs")
                .execute(&self.database.pool)
                .await?;
        }
        Ok(())
    }

    /// kill -9 of the server, and of Redis at the same time where asked for.
    pub async fn kill(&mut self, redis_too: bool) -> anyhow::Result<()> {
        if redis_too {
            self.redis.as_mut().context("there is no Redis")?.kill().await?;
        }
        self.process_mut().kill().await
    }

    /// Starts again what was killed.
    pub async fn restart(&mut self, redis_too: bool) -> anyhow::Result<()> {
        if redis_too {
            self.redis.as_mut().context("there is no Redis")?.start().await?;
        }
        self.process_mut().start().await
    }

    /// Takes everything down, the database with it.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.process_mut().stop().await?;
        if let Some(mut redis) = self.redis.take() {
            redis.kill().await?;
        }
        self.database.drop().await
    }

    const fn process(&self) -> &Process {
        match &self.server {
            Server::Peer { process, .. } => process,
            Server::Onsale { onsale, .. } => &onsale.process,
        }
    }

    const fn process_mut(&mut self) -> &mut Process {
        match &mut self.server {
            Server::Peer { process, .. } => process,
            Server::Onsale { onsale, .. } => &mut onsale.process,
        }
    }
}

fn arguments(kind: Kind, address: SocketAddr, pool: u32) -> [String; 6] {
    let name = clap::ValueEnum::to_possible_value(&kind).map(|value| value.get_name().to_owned());
    [
        "serve".to_owned(),
        name.unwrap_or_default(),
        "--listen".to_owned(),
        address.to_string(),
        "--pool".to_owned(),
        pool.to_string(),
    ]
}
