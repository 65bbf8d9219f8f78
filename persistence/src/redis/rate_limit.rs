//! Rates that all processes of a deployment count together, in one script, so that two processes that ask at once
//! cannot both have the last request. The keys of one call must live on one server: a Redis Cluster will not do.

use std::sync::LazyLock;
use std::time::Duration;

use super::{BACKGROUND_BUDGET, REQUEST_BUDGET, Redis, RedisError};

/// Text and SHA-1 of the script.
static SCRIPT: LazyLock<redis::Script> = LazyLock::new(|| redis::Script::new(include_str!("rate_limit.lua")));

/// What one caller may spend, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedRate {
    /// Whose, and of what; part of a key, so it must not hold anything that logs must not.
    pub name: String,
    /// The time in which one request comes back.
    pub interval: Duration,
    /// Requests at once.
    pub burst: u32,
    /// Requests to spend.
    pub cost: u32,
}

/// What is left of a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// How long to wait for one request; zero: no need to.
    pub wait: Duration,
    /// How long until everything will have come back.
    pub whole_in: Duration,
}

/// The rates in Redis. Cloning it is cheap.
#[derive(Clone)]
pub struct SharedRates {
    redis: Redis,
    request_budget: Duration,
}

/// How the script treats who has too little.
#[derive(Clone, Copy)]
enum Mode {
    Ask,
    Tell,
}

impl SharedRates {
    /// The rates below this handle's prefix.
    pub const fn new(redis: Redis) -> Self {
        Self {
            redis,
            request_budget: REQUEST_BUDGET,
        }
    }

    /// The same rates, which [`Self::ask`] waits for so long; a second at the most.
    #[must_use]
    pub const fn within(mut self, request_budget: Duration) -> Self {
        self.request_budget = request_budget;
        self
    }

    /// Spends from each of these or, where one has too little, from none. In their order.
    ///
    /// Errors: Redis did not decide within the budget of a request.
    pub async fn ask(&self, rates: &[SharedRate]) -> Result<Vec<Spent>, RedisError> {
        self.run(Mode::Ask, rates, self.request_budget).await
    }

    /// Adds what was spent already. In their order: how long each caller must wait now.
    ///
    /// Errors: Redis did not answer within the budget of the background; it is not known what was added.
    pub async fn tell(&self, rates: &[SharedRate]) -> Result<Vec<Spent>, RedisError> {
        self.run(Mode::Tell, rates, BACKGROUND_BUDGET).await
    }

    async fn run(
        &self,
        mode: Mode,
        rates: &[SharedRate],
        budget: Duration,
    ) -> Result<Vec<Spent>, RedisError> {
        let by_digest = self.command("EVALSHA", SCRIPT.get_hash(), mode, rates);
        let answer: Vec<u64> = match self.redis.call(budget, &by_digest).await {
            // A Redis that was restarted or flushed does not know the script.
            Err(RedisError::UnknownScript) => {
                let by_text = self.command("EVAL", include_str!("rate_limit.lua"), mode, rates);
                self.redis.call(budget, &by_text).await?
            }
            answer => answer?,
        };
        let (pairs, rest) = answer.as_chunks::<2>();
        if pairs.len() != rates.len() || !rest.is_empty() {
            return Err(RedisError::Refused(
                "the script answered something else".to_owned(),
            ));
        }
        Ok(pairs
            .iter()
            .map(|&[wait, whole_in]| Spent {
                wait: Duration::from_micros(wait),
                whole_in: Duration::from_micros(whole_in),
            })
            .collect())
    }

    fn command(&self, verb: &str, script: &str, mode: Mode, rates: &[SharedRate]) -> redis::Cmd {
        let mut command = redis::cmd(verb);
        command.arg(script).arg(rates.len());
        for rate in rates {
            command.arg(self.redis.key(&format!("rate:{}", rate.name)));
        }
        command.arg(match mode {
            Mode::Ask => "ask",
            Mode::Tell => "tell",
        });
        for rate in rates {
            let interval = u64::try_from(rate.interval.as_micros()).unwrap_or(u64::MAX);
            command.arg(interval).arg(rate.burst).arg(rate.cost);
        }
        command
    }
}
