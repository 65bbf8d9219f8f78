//! Whether Redis can carry what processes tell each other.

use onsale_persistence::{RedisError, RedisFacts, RedisProbe};
use secrecy::ExposeSecret as _;

use super::Check;
use super::clock::Clocks;
use crate::configuration::Settings;

const NAME: &str = "redis";
/// Streams are read with what came in this major version.
const VERSION_MAJOR_MIN: u32 = 6;

/// Everything about Redis; one check alone where there is none.
pub(super) async fn redis(settings: &Settings, clocks: &Clocks) -> Vec<Check> {
    let Some(url) = &settings.redis_url else {
        return vec![Check::ok(NAME, "none is configured: run one process only")];
    };
    match looked(url.expose_secret(), clocks).await {
        Ok(checks) => checks,
        Err(error) => {
            let mend = "Check that Redis runs, that REDIS_URL names it, and that name and password are right";
            vec![Check::failed(NAME, error.to_string(), mend)]
        }
    }
}

async fn looked(url: &str, clocks: &Clocks) -> Result<Vec<Check>, RedisError> {
    let mut probe = RedisProbe::open(url).await?;
    let facts = probe.facts().await?;
    Ok(vec![
        version(&facts),
        memory(&facts),
        clocks.compare("Redis", probe.clock()).await?,
    ])
}

fn version(facts: &RedisFacts) -> Check {
    let detail = format!("answers, version {}", facts.version);
    let major = facts
        .version
        .split('.')
        .next()
        .and_then(|major| major.parse().ok());
    if facts.is_replica {
        let mend = "Let REDIS_URL name the primary";
        Check::failed(NAME, "this is a replica, which takes no writes", mend)
    } else if major.is_some_and(|major: u32| major < VERSION_MAJOR_MIN) {
        Check::failed(NAME, detail, "Use Redis 6 or later, or a Valkey")
    } else {
        Check::ok(NAME, detail)
    }
}

/// Keys without an end hold what was revoked: throwing those away first comes to forgetting it.
fn memory(facts: &RedisFacts) -> Check {
    const NAME: &str = "redis memory";
    let policy = facts.eviction_policy.as_str();
    if policy.starts_with("allkeys") {
        let mend = "CONFIG SET maxmemory-policy volatile-ttl (or noeviction), and in its configuration file";
        let detail = format!("{policy} throws away what processes have yet to hear of each other");
        return Check::warning(NAME, detail, mend);
    }
    if facts.memory_max > 0 && facts.memory_used / 4 * 5 > facts.memory_max {
        let mend = "Raise maxmemory, or give Onsale a Redis of its own: one that is full takes no changes";
        let detail = format!("{} of {} bytes are used", facts.memory_used, facts.memory_max);
        return Check::warning(NAME, detail, mend);
    }
    Check::ok(NAME, format!("policy {policy}"))
}
