//! Rate limits: so many requests from one client, for each kind of traffic.
//!
//! Without Redis each process counts for itself. With it, [`Traffic`] that can afford to wait is counted there, and
//! callers of the sale who send a lot are counted together in the background (`heavy.rs`). Where Redis fails, what
//! each process has counted decides.

mod allowance;
mod client;
mod heavy;
mod proxies;
mod rate;

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderValue;
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use onsale_domain::UnixMillis;
use onsale_services::{Clock, SharedRate, SharedRates, Spent};
use tokio_util::sync::CancellationToken;

pub(crate) use allowance::{Allowance, Noting, RATELIMIT, RATELIMIT_POLICY, noted, noting};
pub(crate) use client::{ClientKey, Peer, client_ip};
pub use proxies::{NotANetwork, ProxyNetwork};
pub(crate) use rate::Traffic;
pub use rate::{Rate, RateLimitConfig};

use heavy::{Heavy, UNNOTICED_PART};

/// How often quiet clients are forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(10);
/// How often heavy callers are added up with the other processes.
const TELL_EVERY: Duration = Duration::from_millis(250);
/// Callers told of in one call: Redis does nothing else meanwhile.
const TOLD_AT_ONCE: usize = 512;

type Limiter = RateLimiter<ClientKey, DashMapStateStore<ClientKey>, DefaultClock, StateInformationMiddleware>;

/// The limits and what each client has spent of them.
pub(crate) struct RateLimits {
    limits: [Option<Limit>; Traffic::ALL.len()],
    /// Nothing for a process on its own.
    shared: Option<Shared>,
}

/// The limit of one kind of traffic.
struct Limit {
    traffic: Traffic,
    rate: Rate,
    policy: HeaderValue,
    spent: Limiter,
    /// Refuses who is to be counted together with the other processes.
    unnoticed: DefaultKeyedRateLimiter<ClientKey>,
}

struct Shared {
    rates: SharedRates,
    heavy: Heavy,
}

/// What came of a request.
struct Decision {
    remaining: u32,
    whole_in: Duration,
    /// How long to wait, where the request is refused.
    wait: Option<Duration>,
}

impl RateLimits {
    pub(crate) fn new(config: &RateLimitConfig, shared: Option<SharedRates>) -> Self {
        Self {
            limits: Traffic::ALL.map(|traffic| config.of(traffic).and_then(|rate| Limit::new(traffic, rate))),
            shared: shared.map(|rates| Shared {
                rates,
                heavy: Heavy::default(),
            }),
        }
    }

    /// Spends one request and notes what is left for the answer. Errors: the seconds to wait, at least one.
    pub(crate) async fn spend(&self, traffic: Traffic, key: ClientKey, now: UnixMillis) -> Result<(), u64> {
        let Some(limit) = &self.limits[traffic as usize] else {
            return Ok(());
        };
        let decision = match &self.shared {
            None => limit.decide_alone(&key),
            // Boxed, so that the futures of the sale do not grow by it.
            Some(shared) if traffic.waits_for_others() => {
                Box::pin(limit.decide_together(&shared.rates, &key)).await
            }
            Some(shared) => limit.decide_and_count(&shared.heavy, &key, now),
        };
        limit.allowance(&decision).note();
        match decision.wait {
            None => Ok(()),
            Some(wait) => Err(allowance::whole_seconds(wait).max(1)),
        }
    }

    /// Forgets quiet clients and counts heavy ones together with the other processes, until told to stop.
    pub(crate) async fn upkeep(&self, clock: Arc<dyn Clock>, shutdown: CancellationToken) {
        let sweep = async {
            loop {
                tokio::time::sleep(SWEEP_EVERY).await;
                self.limits.iter().flatten().for_each(Limit::forget_quiet);
            }
        };
        let tell = async {
            loop {
                tokio::time::sleep(TELL_EVERY).await;
                if let Some(shared) = &self.shared {
                    self.tell(shared, &*clock).await;
                }
            }
        };
        let both = futures::future::join(sweep, tell);
        // Neither ends by itself, and what is dropped halfway is a count.
        let _ = shutdown.run_until_cancelled(both).await;
    }

    /// Tells what heavy callers have spent here and learns who has spent too much in all.
    async fn tell(&self, shared: &Shared, clock: &dyn Clock) {
        let untold = shared.heavy.take_untold(clock.now());
        for told in untold.chunks(TOLD_AT_ONCE) {
            let rates: Vec<_> = told
                .iter()
                .filter_map(|&((traffic, key), cost)| {
                    let limit = self.limits[traffic as usize].as_ref()?;
                    Some(limit.shared_rate(&key, cost))
                })
                .collect();
            // Without an answer these counts are lost, and each process decides alone.
            let Ok(totals) = shared.rates.tell(&rates).await else {
                return;
            };
            let now = clock.now();
            for (&(caller, _), total) in told.iter().zip(totals) {
                if !total.wait.is_zero() {
                    let wait_ms = i64::try_from(total.wait.as_millis()).unwrap_or(i64::MAX);
                    shared.heavy.refuse_until(caller, now.plus_ms(wait_ms));
                }
            }
        }
    }
}

impl Limit {
    fn new(traffic: Traffic, rate: Rate) -> Option<Self> {
        Some(Self {
            traffic,
            rate,
            policy: allowance::policy(traffic.name(), rate.burst().get(), rate.window())?,
            spent: RateLimiter::keyed(quota(rate)?).with_middleware(),
            unnoticed: RateLimiter::keyed(quota(rate.divided_by(UNNOTICED_PART))?),
        })
    }

    fn decide_alone(&self, key: &ClientKey) -> Decision {
        match self.spent.check_key(key) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let used = self.rate.burst().get().saturating_sub(remaining);
                Decision {
                    remaining,
                    whole_in: self.rate.interval().saturating_mul(used),
                    wait: None,
                }
            }
            Err(refused) => Decision {
                remaining: 0,
                whole_in: self.rate.window(),
                wait: Some(refused.wait_time_from(self.spent.clock().now())),
            },
        }
    }

    /// Waits for Redis, within its budget; where it fails, what was spent here decides.
    async fn decide_together(&self, rates: &SharedRates, key: &ClientKey) -> Decision {
        match rates.ask(&[self.shared_rate(key, 1)]).await.as_deref() {
            Ok([spent]) => self.decision(*spent),
            Ok(_) | Err(_) => self.decide_alone(key),
        }
    }

    fn decide_and_count(&self, heavy: &Heavy, key: &ClientKey, now: UnixMillis) -> Decision {
        let decision = self.decide_alone(key);
        if decision.wait.is_some() || self.unnoticed.check_key(key).is_ok() {
            return decision;
        }
        match heavy.count((self.traffic, *key), now) {
            Ok(()) => decision,
            Err(wait) => Decision {
                remaining: 0,
                whole_in: self.rate.window(),
                wait: Some(wait),
            },
        }
    }

    fn decision(&self, spent: Spent) -> Decision {
        let left = self.rate.window().saturating_sub(spent.whole_in);
        let remaining = left.as_nanos() / self.rate.interval().as_nanos().max(1);
        Decision {
            remaining: u32::try_from(remaining).unwrap_or(u32::MAX),
            whole_in: spent.whole_in,
            wait: (!spent.wait.is_zero()).then_some(spent.wait),
        }
    }

    fn allowance(&self, decision: &Decision) -> Allowance {
        Allowance {
            policy: self.policy.clone(),
            name: self.traffic.name(),
            remaining: decision.remaining,
            whole_in: decision.whole_in,
        }
    }

    fn shared_rate(&self, key: &ClientKey, cost: u32) -> SharedRate {
        SharedRate {
            name: format!("{}:{key}", self.traffic.name()),
            interval: self.rate.interval(),
            burst: self.rate.burst().get(),
            cost,
        }
    }

    fn forget_quiet(&self) {
        self.spent.retain_recent();
        self.spent.shrink_to_fit();
        self.unnoticed.retain_recent();
        self.unnoticed.shrink_to_fit();
    }
}

fn quota(rate: Rate) -> Option<Quota> {
    Some(Quota::with_period(rate.interval())?.allow_burst(rate.burst()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(0);

    fn network(address: &str) -> ClientKey {
        ClientKey::Network(address.parse().unwrap())
    }

    #[tokio::test]
    async fn a_client_that_runs_ahead_must_wait_and_others_need_not() {
        let config = RateLimitConfig {
            read: Rate::per_second(1, 2),
            ..RateLimitConfig::NONE
        };
        let limits = RateLimits::new(&config, None);
        let (one, other) = (network("192.0.2.7"), network("192.0.2.8"));
        for _ in 0..2 {
            assert_eq!(limits.spend(Traffic::Read, one, NOW).await, Ok(()));
        }
        assert_eq!(limits.spend(Traffic::Read, one, NOW).await, Err(1));
        assert_eq!(limits.spend(Traffic::Read, other, NOW).await, Ok(()));
        assert_eq!(limits.spend(Traffic::Sale, one, NOW).await, Ok(()));
    }

    #[tokio::test]
    async fn a_burst_comes_back_one_by_one() {
        let config = RateLimitConfig {
            auth: Rate::per_minute(30),
            ..RateLimitConfig::NONE
        };
        let limits = RateLimits::new(&config, None);
        for _ in 0..30 {
            assert!(
                limits
                    .spend(Traffic::Auth, network("192.0.2.7"), NOW)
                    .await
                    .is_ok()
            );
        }
        assert_eq!(
            limits.spend(Traffic::Auth, network("192.0.2.7"), NOW).await,
            Err(2)
        );
    }
}
