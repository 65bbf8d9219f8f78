//! Threads for long computations that nobody who buys should feel.
//!
//! Threads of their own and not the runtime's, because they run only when a processor has nothing else to do, which a
//! thread of the runtime must not.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};

use tokio::sync::{Semaphore, oneshot};

use crate::ServiceError;

type Job = Box<dyn FnOnce() + Send>;

/// Some threads and their bounded queue. The threads begin with the first work, and end when this is dropped.
pub(crate) struct Workers {
    /// What they do, for logs and the names of threads.
    work: &'static str,
    threads: usize,
    /// Work that waits or is at it.
    places: Arc<Semaphore>,
    places_max: usize,
    jobs: OnceLock<mpsc::SyncSender<Job>>,
}

impl Workers {
    /// So many threads, at least one, and so many requests that may wait for one.
    pub(crate) fn new(work: &'static str, threads: usize, waiting_max: usize) -> Self {
        let threads = threads.max(1);
        Self {
            work,
            threads,
            places: Arc::new(Semaphore::new(waiting_max + threads)),
            places_max: waiting_max + threads,
            jobs: OnceLock::new(),
        }
    }

    /// Does some work on one of the threads. A caller who hangs up does not stop it.
    ///
    /// Errors: [`ServiceError::Overloaded`] when too many wait.
    pub(crate) async fn run<T: Send + 'static>(
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
            .map_err(|_| ServiceError::Internal("a long computation panicked"))
    }

    fn start(&self) -> mpsc::SyncSender<Job> {
        let (jobs, queue) = mpsc::sync_channel::<Job>(self.places_max);
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..self.threads {
            let (work, queue) = (self.work, Arc::clone(&queue));
            let thread = std::thread::Builder::new().name(format!("onsale-{}", self.work));
            if let Err(error) = thread.spawn(move || work_through(work, &queue)) {
                tracing::error!(%error, work, "a thread for long computations could not be started");
            }
        }
        jobs
    }
}

fn work_through(work: &'static str, queue: &Mutex<mpsc::Receiver<Job>>) {
    stand_back(work);
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else {
            return;
        };
        // Its caller learns of a panic by the answer that never comes; the thread goes on.
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).is_err() {
            tracing::error!(work, "a long computation panicked");
        }
    }
}

/// Leaves the processors to whoever else wants one. A lower priority would not do: a buyer's request would wait until the
/// scheduler finds that this thread has had its share, which takes milliseconds. Elsewhere than on Linux nothing is done.
fn stand_back(work: &'static str) {
    #[cfg(target_os = "linux")]
    {
        use thread_priority::{
            NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
            thread_native_id,
        };
        let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        if let Err(error) = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle) {
            tracing::warn!(%error, work, "threads for long computations compete with the sale");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_finds_too_many_waiting_is_told_so_and_does_not_wait() {
        let workers = Arc::new(Workers::new("trial", 1, 3));
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
        let workers = Workers::new("trial", 1, 0);
        let failed = workers.run(|| assert_eq!(1, 2)).await;
        assert!(matches!(failed, Err(ServiceError::Internal(_))));
        assert_eq!(workers.run(|| 7).await.unwrap(), 7);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn work_stands_back_and_the_rest_of_the_process_does_not() {
        use thread_priority::{
            NormalThreadSchedulePolicy as Policy, ThreadSchedulePolicy, thread_schedule_policy,
        };
        let workers = Workers::new("trial", 1, 0);
        let of_work = workers.run(thread_schedule_policy).await.unwrap().unwrap();
        assert_eq!(of_work, ThreadSchedulePolicy::Normal(Policy::Idle));
        assert_eq!(
            thread_schedule_policy().unwrap(),
            ThreadSchedulePolicy::Normal(Policy::Other)
        );
    }
}
