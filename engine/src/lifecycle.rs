//! Starting and stopping the engine, and letting idle events go.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use onsale_domain::{EventId, Sequence, UnixMillis};
use ractor::Actor;
use tokio::sync::mpsc;

use crate::actor::Message;
use crate::config::{DUE_CHECK_MS, EngineConfig, LANE_QUEUE_MAX, SNAPSHOT_QUEUE_MAX};
use crate::error::EngineError;
use crate::handle::Engine;
use crate::lane::Lane;
use crate::metrics::{Metrics, Tally};
use crate::port::{Clock, Journal, Peers, ProjectionError, ProjectionSink};
use crate::projector::Projector;
use crate::registry::{Parts, Shared};
use crate::snapshots;
use crate::supervisor::Supervisor;
use crate::write_behind::WriteBehind;

/// How long an event that is due, but owned by another process, is left to it before the next look.
const ELSEWHERE_MS: i64 = 15_000;

/// Where the engine is between start and stop.
#[derive(Debug, Default)]
pub(crate) struct Lifecycle {
    recovered: AtomicBool,
    stopping: AtomicBool,
}

impl Lifecycle {
    pub(crate) fn check_open(&self) -> Result<(), EngineError> {
        if self.stopping.load(Ordering::Acquire) {
            Err(EngineError::ShuttingDown)
        } else {
            Ok(())
        }
    }

    pub(crate) fn is_recovered(&self) -> bool {
        self.recovered.load(Ordering::Acquire)
    }
}

impl Engine {
    /// Starts an engine: its lanes, its write-behind driver, and the events that an earlier process left with
    /// unfinished business (unprojected records, live holds). Others start on first use.
    ///
    /// Errors: [`EngineError::Unavailable`] when journal or database cannot be read; trying again is safe.
    pub async fn start(
        config: EngineConfig,
        journal: Arc<dyn Journal>,
        sink: Arc<dyn ProjectionSink>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, EngineError> {
        Self::start_among(config, journal, sink, clock, None).await
    }

    /// [`Engine::start`], for one of several processes on one journal. With `peers`, what is asked here about an event
    /// of another process is asked there; without, it is refused.
    pub async fn start_among(
        config: EngineConfig,
        journal: Arc<dyn Journal>,
        sink: Arc<dyn ProjectionSink>,
        clock: Arc<dyn Clock>,
        peers: Option<Arc<dyn Peers>>,
    ) -> Result<Self, EngineError> {
        let unavailable = |reason: String| EngineError::Unavailable { reason };
        let metrics = Arc::new(Metrics::new(journal.name()));
        let (write_behind, queue) = WriteBehind::new(Arc::clone(&clock));
        let unfinished = find_unfinished(&*journal, &*sink, &write_behind, clock.now()).await?;

        let (snapshots, asked) = mpsc::channel(SNAPSHOT_QUEUE_MAX);
        let mut lanes = Vec::new();
        for _ in 0..journal.lanes().max(1) {
            let (sender, receiver) = mpsc::channel(LANE_QUEUE_MAX);
            let lane = Lane {
                writer: journal.writer().await?,
                write_behind: Arc::clone(&write_behind),
                metrics: Arc::clone(&metrics),
                tally: Tally::new(),
                snapshots: snapshots.clone(),
                snapshot_every_records: config.snapshot_every_records,
            };
            tokio::spawn(lane.run(receiver));
            lanes.push(sender);
        }
        tokio::spawn(snapshots::run(Arc::clone(&journal), Arc::clone(&metrics), asked));
        let projector = Projector {
            write_behind: Arc::downgrade(&write_behind),
            queue,
            journal: Arc::clone(&journal),
            sink: Arc::clone(&sink),
            metrics: Arc::clone(&metrics),
            last_gap: None,
            failures: HashMap::new(),
        };
        tokio::spawn(projector.run());

        let shared_cell = Arc::new(OnceLock::new());
        let (supervisor, _) = Actor::spawn(None, Supervisor, Arc::clone(&shared_cell))
            .await
            .map_err(|error| unavailable(error.to_string()))?;
        let shared = Arc::new(Shared::new(Parts {
            config,
            journal,
            sink,
            clock,
            peers,
            metrics,
            lanes,
            write_behind,
            supervisor,
            snapshots,
        }));
        let _ = shared_cell.set(Arc::downgrade(&shared));
        let engine = Self {
            shared,
            lifecycle: Arc::default(),
        };
        tokio::spawn(tend(
            Arc::downgrade(&engine.shared),
            Arc::clone(&engine.lifecycle),
            unfinished,
        ));
        tokio::spawn(passivate_idle(Arc::downgrade(&engine.shared)));
        Ok(engine)
    }

    /// Stops: refuses new commands, lets those under way be committed and answered, and projects what is left, each
    /// for at most `grace`. What is not projected then is projected by the next process.
    pub async fn shutdown(&self, grace: Duration) {
        self.lifecycle.stopping.store(true, Ordering::Release);
        let drained = tokio::time::timeout(grace, async {
            while self
                .shared
                .all_present()
                .iter()
                .any(|running| running.cell.admission.in_use() > 0)
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        if drained.await.is_err() {
            tracing::warn!("commands were still under way at the end of the grace period");
        }
        for running in self.shared.all_present() {
            running.actor.stop(Some("shutdown".to_owned()));
            let _ = running.actor.wait(Some(grace)).await;
        }
        for lane in 0..self.shared.lanes.len() {
            if tokio::time::timeout(grace, self.shared.flush(lane))
                .await
                .is_err()
            {
                tracing::warn!(
                    lane,
                    "a commit was still under way at the end of the grace period"
                );
            }
        }
        if tokio::time::timeout(grace, self.shared.write_behind.wait_all_projected())
            .await
            .is_err()
        {
            tracing::warn!("the projection was still behind at the end of the grace period");
        }
        self.shared.supervisor.stop(None);
    }
}

/// Events of this process's journal that are not fully projected, noted for the projector, and events that are due.
async fn find_unfinished(
    journal: &dyn Journal,
    sink: &dyn ProjectionSink,
    write_behind: &WriteBehind,
    now: UnixMillis,
) -> Result<BTreeSet<EventId>, EngineError> {
    let unavailable = |error: ProjectionError| EngineError::Unavailable {
        reason: error.to_string(),
    };
    let heads = journal.heads().await?;
    let event_ids: Vec<EventId> = heads.iter().map(|(event_id, _)| *event_id).collect();
    let watermarks = sink.watermarks(&event_ids).await.map_err(unavailable)?;
    let watermarks: HashMap<EventId, Sequence> = watermarks.into_iter().collect();
    let mut unfinished: BTreeSet<EventId> = sink
        .events_due(now)
        .await
        .map_err(unavailable)?
        .into_iter()
        .collect();
    for (event_id, committed) in heads {
        let projected = watermarks.get(&event_id).copied().unwrap_or(0);
        if projected < committed {
            write_behind.note_behind(event_id, projected, committed);
            unfinished.insert(event_id);
        }
    }
    Ok(unfinished)
}

/// Loads what an earlier process left, then looks again and again for events that are due and not in memory: their
/// sales window turned while they were away, or the process that had them is gone.
async fn tend(engine: Weak<Shared>, lifecycle: Arc<Lifecycle>, unfinished: BTreeSet<EventId>) {
    let mut elsewhere: HashMap<EventId, UnixMillis> = HashMap::new();
    let mut due = unfinished;
    loop {
        let Some(shared) = engine.upgrade().filter(|_| lifecycle.check_open().is_ok()) else {
            return;
        };
        let now = shared.clock.now();
        elsewhere.retain(|_, again_at| *again_at > now);
        for event_id in due {
            if elsewhere.contains_key(&event_id) || shared.present(event_id).is_some() {
                continue;
            }
            match shared.running(event_id).await {
                Ok(_) => {}
                Err(EngineError::OwnedElsewhere { .. }) => {
                    elsewhere.insert(event_id, now.plus_ms(ELSEWHERE_MS));
                }
                Err(error) => tracing::warn!(%event_id, %error, "an event that is due could not be loaded"),
            }
        }
        lifecycle.recovered.store(true, Ordering::Release);
        drop(shared);
        due = loop {
            tokio::time::sleep(Duration::from_millis(DUE_CHECK_MS)).await;
            let Some(shared) = engine.upgrade() else { return };
            match shared.sink.events_due(shared.clock.now()).await {
                Ok(due) => break due.into_iter().collect(),
                Err(error) => tracing::debug!(%error, "could not look for events that are due"),
            }
        };
    }
}

/// Asks events that nobody used for long to leave memory.
async fn passivate_idle(shared: Weak<Shared>) {
    loop {
        let Some(pause_ms) = shared
            .upgrade()
            .map(|shared| (shared.config.idle_after_ms / 4).clamp(20, 15_000))
        else {
            return;
        };
        tokio::time::sleep(Duration::from_millis(u64::try_from(pause_ms).unwrap_or(20))).await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        let idle_since_ms = shared.clock.now().0 - shared.config.idle_after_ms;
        for running in shared.all_present() {
            if running.cell.used_at_ms() < idle_since_ms && running.cell.admission.in_use() == 0 {
                let _ = running.actor.send_message(Message::Passivate);
            }
        }
    }
}
