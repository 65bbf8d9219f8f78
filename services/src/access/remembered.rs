//! What Postgres or Redis said, kept by this process for at most 15 minutes and until it is told of a change.
//!
//! Somebody may read what was true before a change and come to keep it after the change was told. So every telling is
//! counted, and who kept something looks at the count again: if it has moved, it is forgotten.

use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};

use onsale_domain::UnixMillis;
use quick_cache::sync::Cache;

use crate::ServiceError;

/// How long an answer is kept.
const LIFETIME_MS: i64 = 15 * 60 * 1_000;

/// Answers by key, the least used ones dropped first.
pub(super) struct Remembered<K, V> {
    answers: Cache<K, (V, UnixMillis)>,
    tellings: AtomicU64,
}

impl<K: Hash + Eq + Copy, V: Clone> Remembered<K, V> {
    /// Room for so many.
    pub(super) fn new(answers_max: usize) -> Self {
        Self {
            answers: Cache::new(answers_max),
            tellings: AtomicU64::new(0),
        }
    }

    /// What is kept.
    pub(super) fn get(&self, key: &K, now: UnixMillis) -> Option<V> {
        let (answer, until) = self.answers.get(key)?;
        (now < until).then_some(answer)
    }

    /// What is kept, or what `load` says, asked by one caller for all who want the same. That nothing was found is not
    /// kept.
    pub(super) async fn get_or_load(
        &self,
        key: K,
        now: UnixMillis,
        load: impl Future<Output = Result<Option<V>, ServiceError>>,
    ) -> Result<Option<V>, ServiceError> {
        self.answers.remove_if(&key, |(_, until)| now >= *until);
        match self.answers.get_value_or_guard_async(&key).await {
            Ok((answer, _)) => Ok(Some(answer)),
            Err(guard) => {
                let tellings = self.tellings.load(Ordering::SeqCst);
                let Some(answer) = load.await? else {
                    return Ok(None);
                };
                // Fails where it was forgotten in between, and then nothing must be kept.
                let _ = guard.insert((answer.clone(), now.plus_ms(LIFETIME_MS)));
                if self.tellings.load(Ordering::SeqCst) != tellings {
                    self.answers.remove(&key);
                }
                Ok(Some(answer))
            }
        }
    }

    /// Forgets one.
    pub(super) fn forget(&self, key: &K) {
        self.tellings.fetch_add(1, Ordering::SeqCst);
        self.answers.remove(key);
    }

    /// Forgets all.
    pub(super) fn forget_all(&self) {
        self.tellings.fetch_add(1, Ordering::SeqCst);
        self.answers.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::oneshot;

    use super::*;

    const NOW: UnixMillis = UnixMillis(1_795_000_000_000);

    async fn load(kept: &Remembered<u8, u8>, now: UnixMillis, says: u8) -> u8 {
        let loaded = kept.get_or_load(1, now, async { Ok(Some(says)) }).await;
        loaded.unwrap().unwrap()
    }

    #[tokio::test]
    async fn an_answer_is_kept_until_it_is_old_or_forgotten() {
        let kept = Remembered::new(10);
        assert_eq!(load(&kept, NOW, 1).await, 1);
        assert_eq!(load(&kept, NOW.plus_ms(LIFETIME_MS - 1), 2).await, 1);
        assert_eq!(kept.get(&1, NOW.plus_ms(LIFETIME_MS)), None);
        assert_eq!(load(&kept, NOW.plus_ms(LIFETIME_MS), 3).await, 3);
        kept.forget(&1);
        assert_eq!(load(&kept, NOW, 4).await, 4);
        kept.forget_all();
        assert_eq!(kept.get(&1, NOW), None);
        assert_eq!(kept.get_or_load(1, NOW, async { Ok(None) }).await.unwrap(), None);
        assert_eq!(load(&kept, NOW, 5).await, 5);
    }

    #[tokio::test]
    async fn what_was_read_before_a_change_is_not_kept_after_it() {
        for forget in [
            |kept: &Remembered<u8, u8>| kept.forget(&1),
            |kept: &Remembered<u8, u8>| kept.forget_all(),
        ] {
            let kept = Arc::new(Remembered::new(10));
            let (read, reading) = oneshot::channel();
            let reader = tokio::spawn({
                let kept = Arc::clone(&kept);
                async move { kept.get_or_load(1, NOW, async { Ok(reading.await.ok()) }).await }
            });
            tokio::task::yield_now().await;
            forget(&kept);
            read.send(1).unwrap();
            assert_eq!(reader.await.unwrap().unwrap(), Some(1));
            assert_eq!(kept.get(&1, NOW), None);
        }
    }
}
