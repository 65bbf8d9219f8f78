//! Which payments to try next, and when: pure, so that it can be tried without a gateway.
//!
//! A payment that cannot be settled must neither keep others from their turn nor slow them down. So the outbox is
//! gone through page by page, on from where the last one ended and then from the start again, and each payment that
//! failed waits by itself, longer each time.

use std::collections::HashMap;
use std::time::Duration;

use onsale_domain::{OrderId, UnixMillis};

/// Payments of one page.
pub(super) const PAGE: usize = 500;
/// Wait after a page of nothing to do.
const IDLE: Duration = Duration::from_millis(200);
/// First wait of a payment that failed; doubled for each further failure.
const RETRY_MS_MIN: i64 = 200;
/// Longest wait of a payment that failed.
const RETRY_MS_MAX: i64 = 30_000;
/// Payments that may wait by themselves. Beyond, they are tried at every pass.
const WAITING_MAX: usize = 50_000;

#[derive(Clone, Copy, Debug)]
struct Failure {
    times: u32,
    again_at: UnixMillis,
}

/// Where the worker is in the outbox, and what waits.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    cursor: Option<OrderId>,
    failures: HashMap<OrderId, Failure>,
    /// Pages since the last payment that was settled, or since the last wait.
    pages_in_vain: u32,
}

impl Schedule {
    /// Where the next page begins.
    pub(super) fn cursor(&self) -> Option<OrderId> {
        self.cursor
    }

    /// Whether a payment is to be tried now.
    pub(super) fn is_due(&self, order_id: OrderId, now: UnixMillis) -> bool {
        self.failures
            .get(&order_id)
            .is_none_or(|failure| failure.again_at <= now)
    }

    /// Notes what came of a payment that was tried.
    pub(super) fn tried(&mut self, order_id: OrderId, settled: bool, now: UnixMillis) {
        if settled {
            self.failures.remove(&order_id);
            return;
        }
        if self.failures.len() >= WAITING_MAX && !self.failures.contains_key(&order_id) {
            return;
        }
        let failure = self.failures.entry(order_id).or_insert(Failure {
            times: 0,
            again_at: now,
        });
        let wait_ms = (RETRY_MS_MIN << failure.times.min(10)).min(RETRY_MS_MAX);
        failure.times += 1;
        failure.again_at = now.plus_ms(wait_ms);
    }

    /// Moves on after a page of so many payments, the last of which is `last`, and says how long to wait before the
    /// next: not at all while there is work or more of the outbox, and after a pass in vain by how much there was to
    /// read.
    pub(super) fn turn(
        &mut self,
        (rows, last): (usize, Option<OrderId>),
        settled: usize,
        now: UnixMillis,
    ) -> Duration {
        self.pages_in_vain = if settled > 0 { 0 } else { self.pages_in_vain + 1 };
        if rows >= PAGE {
            self.cursor = last;
            return Duration::ZERO;
        }
        self.cursor = None;
        // What is no longer in the outbox would have been tried again by now.
        let stale = now.plus_ms(-2 * RETRY_MS_MAX);
        self.failures.retain(|_, failure| failure.again_at > stale);
        IDLE * std::mem::take(&mut self.pages_in_vain)
    }

    /// How long to wait when the outbox cannot be read.
    pub(super) fn unreadable(&mut self) -> Duration {
        self.cursor = None;
        self.pages_in_vain = (self.pages_in_vain + 1).min(25);
        IDLE * self.pages_in_vain
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use uuid::Uuid;

    use super::*;

    /// An outbox, a gateway that fails for some purchases, and how often it was called for those.
    struct World {
        outbox: BTreeSet<OrderId>,
        fails: fn(OrderId) -> bool,
        calls_in_vain: usize,
        now: UnixMillis,
        schedule: Schedule,
    }

    fn order(number: u128) -> OrderId {
        OrderId(Uuid::from_u128(number))
    }

    fn world(orders: std::ops::Range<u128>, fails: fn(OrderId) -> bool) -> World {
        World {
            outbox: orders.map(order).collect(),
            fails,
            calls_in_vain: 0,
            now: UnixMillis(1_795_000_000_000),
            schedule: Schedule::default(),
        }
    }

    impl World {
        /// One page; gives how long to wait, which time then does.
        fn round(&mut self) -> Duration {
            let after = self.schedule.cursor().unwrap_or(order(0));
            let page: Vec<_> = self
                .outbox
                .iter()
                .filter(|id| **id > after)
                .take(PAGE)
                .copied()
                .collect();
            let mut settled = 0;
            for id in &page {
                if !self.schedule.is_due(*id, self.now) {
                    continue;
                }
                let fails = (self.fails)(*id);
                if fails {
                    self.calls_in_vain += 1;
                } else {
                    self.outbox.remove(id);
                    settled += 1;
                }
                self.schedule.tried(*id, !fails, self.now);
            }
            let wait = self
                .schedule
                .turn((page.len(), page.last().copied()), settled, self.now);
            let wait_ms = i64::try_from(wait.as_millis()).unwrap();
            self.now = self.now.plus_ms(wait_ms);
            wait
        }
    }

    #[test]
    fn pages_of_payments_that_never_settle_do_not_starve_the_rest() {
        // Three full pages of them before the first that can be settled.
        let mut world = world(1..2_001, |id| id <= order(1_700));
        for _ in 0..5 {
            world.round();
        }
        assert_eq!(
            world.outbox.len(),
            1_700,
            "only those are left that cannot be settled"
        );
    }

    #[test]
    fn one_that_never_settles_does_not_slow_those_that_come_later() {
        let mut world = world(1..2, |id| id == order(1));
        for number in 2..200 {
            for _ in 0..20 {
                world.round();
            }
            world.outbox.insert(order(number));
            let came_at = world.now;
            while world.outbox.len() > 1 {
                world.round();
            }
            assert!(
                world.now.0 - came_at.0 <= 200,
                "waited {} ms",
                world.now.0 - came_at.0
            );
        }
        // And it is not called for without end either: the longest wait rules.
        let seconds = (world.now.0 - 1_795_000_000_000) / 1_000;
        assert!(i64::try_from(world.calls_in_vain).unwrap() <= 10 + seconds / 30);
    }

    #[test]
    fn a_gateway_that_comes_back_finds_everything_again() {
        let mut world = world(1..1_201, |_| true);
        for _ in 0..50 {
            world.round();
        }
        assert_eq!(world.outbox.len(), 1_200);
        world.fails = |_| false;
        let back_at = world.now;
        while !world.outbox.is_empty() {
            world.round();
        }
        assert!(world.now.0 - back_at.0 <= RETRY_MS_MAX + 1_000);
        world.round();
        assert!(world.schedule.failures.is_empty());
    }

    #[test]
    fn an_empty_outbox_is_asked_now_and_then() {
        let mut world = world(1..1, |_| false);
        assert_eq!(world.round(), IDLE);
        assert_eq!(world.round(), IDLE);
        world.outbox.insert(order(1));
        assert_eq!(world.round(), Duration::ZERO, "after work comes more work");
        assert_eq!(world.round(), IDLE);
    }
}
