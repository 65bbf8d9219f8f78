//! Threads for long computations that nobody who buys should feel.
//!
//! Threads of their own and not the runtime's, because they are to have a lower priority, and an ordinary process may
//! lower that of a thread but never raise it again.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};

use tokio::sync::{Semaphore, oneshot};

use crate::ServiceError;

/// How far the threads stand back: each gets a tenth of a processor where others want all of it, and all of an idle one.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;
#[cfg(target_os = "linux")]
const NICENESS_MAX: i32 = 19;

type Job = Box<dyn FnOnce() + Send>;

/// Some threads and their bounded queue. The threads begin with the first work, and end when this is dropped.
pub(super) struct Workers {
    threads: usize,
    /// Work that waits or is at it.
    places: Arc<Semaphore>,
    places_max: usize,
    jobs: OnceLock<mpsc::SyncSender<Job>>,
}

impl Workers {
    /// So many threads, at least one, and so many requests that may wait for one.
    pub(super) fn new(threads: usize, waiting_max: usize) -> Self {
        let threads = threads.max(1);
        Self {
            threads,
            places: Arc::new(Semaphore::new(waiting_max + threads)),
            places_max: waiting_max + threads,
            jobs: OnceLock::new(),
        }
    }

    /// Does some work on one of the threads. A caller who hangs up does not stop it.
    ///
    /// Errors: [`ServiceError::Overloaded`] when too many wait.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ServiceError> {
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| ServiceError::Overloaded)?;
        let (done, result) = oneshot::channel();
        let job = Box::new(move || {
            let output = work();
            drop(place);
            // Nobody may be waiting any more.
            let _ = done.send(output);
        });
        let jobs = self.jobs.get_or_init(|| self.start());
        // Never full: there are as many places in the queue as outside of it.
        jobs.try_send(job).map_err(|_| ServiceError::Overloaded)?;
        result
            .await
            .map_err(|_| ServiceError::Internal("hashing a password panicked"))
    }

    fn start(&self) -> mpsc::SyncSender<Job> {
        let (jobs, queue) = mpsc::sync_channel::<Job>(self.places_max);
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..self.threads {
            let queue = Arc::clone(&queue);
            let thread = std::thread::Builder::new().name("onsale-hashing".to_owned());
            if let Err(error) = thread.spawn(move || work_through(&queue)) {
                tracing::error!(%error, "a thread for hashing passwords could not be started");
            }
        }
        jobs
    }
}

fn work_through(queue: &Mutex<mpsc::Receiver<Job>>) {
    stand_back();
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else {
            return;
        };
        // Its caller learns of a panic by the answer that never comes; the thread goes on.
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).is_err() {
            tracing::error!("hashing a password panicked");
        }
    }
}

/// Lowers the priority of this thread. On Linux alone: elsewhere it would be that of the whole process.
fn stand_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = lower_by(NICENESS) {
        tracing::warn!(%error, "the threads that hash passwords compete with the sale");
    }
}

#[cfg(target_os = "linux")]
fn lower_by(niceness: i32) -> rustix::io::Result<()> {
    let inherited = rustix::process::getpriority_process(None)?;
    rustix::process::setpriority_process(None, (inherited + niceness).min(NICENESS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_finds_too_many_waiting_is_told_so_and_does_not_wait() {
        let workers = Arc::new(Workers::new(1, 3));
        let (let_go, held) = mpsc::sync_channel::<()>(0);
        let held = Mutex::new(Some(held));
        let waiting: Vec<_> = (0..4)
            .map(|_| {
                let held = held.lock().unwrap().take();
                let workers = Arc::clone(&workers);
                tokio::spawn(async move { workers.run(move || held.map(|held| held.recv())).await.is_ok() })
            })
            .collect();
        while workers.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(workers.run(|| ()).await, Err(ServiceError::Overloaded)));
        let_go.send(()).unwrap();
        for waiting in waiting {
            assert!(waiting.await.unwrap());
        }
        assert!(workers.run(|| ()).await.is_ok());
    }

    #[tokio::test]
    async fn a_panic_takes_neither_the_thread_nor_a_place() {
        let workers = Workers::new(1, 0);
        let failed = workers.run(|| assert_eq!(1, 2)).await;
        assert!(matches!(failed, Err(ServiceError::Internal(_))));
        assert_eq!(workers.run(|| 7).await.unwrap(), 7);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn work_stands_back_and_the_rest_of_the_process_does_not() {
        let niceness = || rustix::process::getpriority_process(None).unwrap();
        let before = niceness();
        let workers = Workers::new(1, 0);
        assert_eq!(
            workers.run(niceness).await.unwrap(),
            (before + NICENESS).min(NICENESS_MAX)
        );
        assert_eq!(niceness(), before);
    }
}
