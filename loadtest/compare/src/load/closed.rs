//! The closed loop: each connection asks again as soon as it is answered. It finds the ceiling.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::gathered::CONFLICT;
use super::{Connection, Gathered, Target};

/// Pause before a client whose connection broke tries again.
const RECONNECT: Duration = Duration::from_millis(10);

/// When the clients stop.
#[derive(Clone, Debug)]
pub enum Stop {
    /// After so long. A connection that breaks is an error.
    After(Duration),
    /// When nothing is left, or it is too late. Connections that break are opened again, since servers are killed
    /// meanwhile; `acknowledged` is counted as it grows.
    SoldOut {
        /// When it is too late. Not before somebody sets it.
        deadline: Arc<OnceLock<Instant>>,
        /// Successful answers so far.
        acknowledged: Arc<AtomicU64>,
    },
}

/// Asks on as many connections. All of them are open before the first request.
pub async fn closed_loop(target: &Arc<Target>, connections: usize, stop: Stop) -> anyhow::Result<Gathered> {
    let start = Arc::new(Barrier::new(connections));
    let mut clients = JoinSet::new();
    for _ in 0..connections {
        let (target, start, stop) = (Arc::clone(target), Arc::clone(&start), stop.clone());
        clients.spawn(async move {
            let connection = target.connect().await;
            start.wait().await;
            let client = Client {
                target,
                request: String::new(),
                told: Gathered::default(),
            };
            client.run(connection?, stop).await
        });
    }
    let mut told = Gathered::default();
    while let Some(client) = clients.join_next().await {
        told.add(client.context("a client panicked")??);
    }
    Ok(told)
}

struct Client {
    target: Arc<Target>,
    request: String,
    told: Gathered,
}

impl Client {
    async fn run(mut self, connection: Connection, stop: Stop) -> anyhow::Result<Gathered> {
        let started = Instant::now();
        match stop {
            Stop::After(time) => self.ask_for(connection, started, time).await?,
            Stop::SoldOut {
                deadline,
                acknowledged,
            } => {
                self.ask_until_sold_out(connection, &deadline, &acknowledged)
                    .await;
            }
        }
        self.told.lasted = started.elapsed();
        Ok(self.told)
    }

    async fn ask_for(
        &mut self,
        mut connection: Connection,
        started: Instant,
        time: Duration,
    ) -> anyhow::Result<()> {
        let mut sent = started;
        while sent.duration_since(started) < time {
            let status = self
                .target
                .ask(&mut connection, &mut self.request, &mut self.told)
                .await?;
            let answered = Instant::now();
            if self.target.acknowledges(status) {
                self.told.latencies.record(answered.duration_since(sent));
            }
            sent = answered;
        }
        Ok(())
    }

    async fn ask_until_sold_out(
        &mut self,
        connection: Connection,
        deadline: &OnceLock<Instant>,
        acknowledged: &AtomicU64,
    ) {
        let mut connection = Some(connection);
        while deadline.get().is_none_or(|deadline| Instant::now() < *deadline) {
            let Some(open) = &mut connection else {
                tokio::time::sleep(RECONNECT).await;
                connection = self.target.connect().await.ok();
                continue;
            };
            let before = self.told.acknowledged;
            match self.target.ask(open, &mut self.request, &mut self.told).await {
                Ok(CONFLICT) => return,
                Ok(200 | 201) => {
                    acknowledged.fetch_add(self.told.acknowledged - before, Ordering::Relaxed);
                }
                // Overloaded, or its storage is away: give it a moment.
                Ok(_) => tokio::time::sleep(RECONNECT).await,
                Err(_) => connection = None,
            }
        }
    }
}
