//! The open loop: requests are due at a fixed rate, whether earlier ones are answered or not, and each one's latency
//! counts from when it was due. So a server that stalls is charged for everybody who waited.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::sync::{Barrier, Semaphore};
use tokio::task::JoinSet;

use super::{Connection, Gathered, Target};

/// Requests become due together, so many times a second: finer, the schedule would cost more than the requests.
const GROUPS_PER_SECOND: u32 = 4_000;
/// A round that takes so many times as long as planned is ended: the server does not keep up.
const LATE_MAX: u32 = 3;

/// When the requests of a round are due.
struct Schedule {
    per_second: f64,
    requests: u64,
    /// Requests that may be sent now; filled by the pacer.
    due: Semaphore,
    next: AtomicU64,
    /// Set before anything is due.
    started: OnceLock<Instant>,
}

impl Schedule {
    /// The group that a request is due with: the first by whose time as many requests should have been sent.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "fewer than 2^52 requests in a round"
    )]
    fn group_of(&self, request: u64) -> u64 {
        (request as f64 / self.per_second * f64::from(GROUPS_PER_SECOND)).ceil() as u64
    }

    /// From the start of the round.
    fn due_after(&self, request: u64) -> Duration {
        Duration::from_secs(1) / GROUPS_PER_SECOND * u32::try_from(self.group_of(request)).unwrap_or(u32::MAX)
    }

    /// Lets requests go when they are due. A thread, because timers of the runtime are a millisecond coarse.
    fn pace(&self, connections: usize) {
        let started = *self.started.get_or_init(Instant::now);
        let mut request = 0;
        while request < self.requests {
            let due_after = self.due_after(request);
            if let Some(early) = due_after.checked_sub(started.elapsed()) {
                std::thread::sleep(early);
            }
            let first = request;
            while request < self.requests && self.due_after(request) == due_after {
                request += 1;
            }
            self.due
                .add_permits(usize::try_from(request - first).unwrap_or_default());
        }
        // Everybody comes once more and finds that there is nothing left to send.
        self.due.add_permits(connections);
    }
}

/// Asks so many times a second for a time, on as many connections.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rates and times of a round are small and positive"
)]
pub async fn open_loop(
    target: &Arc<Target>,
    connections: usize,
    per_second: f64,
    time: Duration,
) -> anyhow::Result<Gathered> {
    ensure!(per_second > 0.0, "a rate must be positive");
    let schedule = Arc::new(Schedule {
        per_second,
        requests: (per_second * time.as_secs_f64()) as u64,
        due: Semaphore::new(0),
        next: AtomicU64::new(0),
        started: OnceLock::new(),
    });
    let ready = Arc::new(Barrier::new(connections + 1));
    let mut clients = JoinSet::new();
    for _ in 0..connections {
        let (target, schedule, ready) = (Arc::clone(target), Arc::clone(&schedule), Arc::clone(&ready));
        clients.spawn(async move {
            let connection = target.connect().await;
            ready.wait().await;
            ask(&target, &schedule, connection?).await
        });
    }
    ready.wait().await;
    let pacer = {
        let schedule = Arc::clone(&schedule);
        std::thread::spawn(move || schedule.pace(connections))
    };
    let mut told = Gathered::default();
    let gathering = async {
        while let Some(client) = clients.join_next().await {
            told.add(client.context("a client panicked")??);
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(time * LATE_MAX, gathering)
        .await
        .context("the server does not keep up with half of what it did before")??;
    ensure!(pacer.join().is_ok(), "the pacer panicked");
    Ok(told)
}

async fn ask(target: &Target, schedule: &Schedule, mut connection: Connection) -> anyhow::Result<Gathered> {
    let mut told = Gathered::default();
    let mut request = String::new();
    loop {
        schedule.due.acquire().await?.forget();
        let started = *schedule.started.get_or_init(Instant::now);
        let number = schedule.next.fetch_add(1, Ordering::Relaxed);
        if number >= schedule.requests {
            told.lasted = started.elapsed();
            return Ok(told);
        }
        let status = target.ask(&mut connection, &mut request, &mut told).await?;
        if target.acknowledges(status) {
            let late = started.elapsed().saturating_sub(schedule.due_after(number));
            told.latencies.record(late);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_due_at_the_rate_and_never_before_their_time() {
        let schedule = Schedule {
            per_second: 10_000.0,
            requests: 10_000,
            due: Semaphore::new(0),
            next: AtomicU64::new(0),
            started: OnceLock::new(),
        };
        assert_eq!(schedule.due_after(0), Duration::ZERO);
        for request in [1, 2, 777, 9_999] {
            let exact = Duration::from_micros(100 * request);
            let due = schedule.due_after(request);
            assert!(
                due >= exact && due < exact + Duration::from_micros(251),
                "{request}: {due:?}"
            );
        }
    }
}
