//! Rate limits: so many requests a second from one client, for each kind of traffic.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::request::Parts;
use governor::clock::Clock as _;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How often quiet clients are forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(10);

/// Kinds of traffic with limits of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Traffic {
    /// Reading the catalog.
    Read,
    /// Holds, purchases and orders.
    Sale,
    /// Staff.
    Staff,
}

/// A rate, and how far a client may run ahead of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests a second.
    pub per_second: NonZeroU32,
    /// Requests at once.
    pub burst: NonZeroU32,
}

impl Rate {
    /// A rate; `None` where either number is zero, which means no limit.
    pub fn of(per_second: u32, burst: u32) -> Option<Self> {
        Some(Self {
            per_second: NonZeroU32::new(per_second)?,
            burst: NonZeroU32::new(burst)?,
        })
    }
}

/// The limits of one client. `None`: no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimitConfig {
    /// Reading the catalog, by account, else by address.
    pub read: Option<Rate>,
    /// Holds, purchases and orders, by account.
    pub sale: Option<Rate>,
    /// Staff, by account.
    pub staff: Option<Rate>,
}

impl Default for RateLimitConfig {
    fn default() -> Self {
        Self {
            read: Rate::of(200, 400),
            sale: Rate::of(50, 100),
            staff: Rate::of(100, 200),
        }
    }
}

/// Whom a limit counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ClientKey {
    /// An account.
    Subject(Uuid),
    /// An IPv4 address, or an IPv6 network of 64 bits: whoever has one of its addresses has them all.
    Network(IpAddr),
}

impl ClientKey {
    /// The client's network.
    pub(crate) fn of_request(parts: &Parts, trusted_proxies: &[IpAddr]) -> Self {
        Self::network_of(client_ip(parts, trusted_proxies))
    }

    fn network_of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::Network(address),
            IpAddr::V6(address) => {
                let network = u128::from(address) & !u128::from(u64::MAX);
                Self::Network(IpAddr::V6(Ipv6Addr::from(network)))
            }
        }
    }
}

/// The client's address: the last hop that is not one of our own proxies.
pub(crate) fn client_ip(parts: &Parts, trusted_proxies: &[IpAddr]) -> IpAddr {
    let peer = parts
        .extensions
        .get::<Peer>()
        .map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |peer| {
            peer.0.ip().to_canonical()
        });
    if !trusted_proxies.contains(&peer) {
        return peer;
    }
    let hops = parts
        .headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect::<Vec<_>>();
    let client = hops
        .into_iter()
        .rev()
        .map_while(|hop| hop.trim().parse::<IpAddr>().ok())
        .map(|hop| hop.to_canonical())
        .find(|hop| !trusted_proxies.contains(hop));
    client.unwrap_or(peer)
}

/// The address at the other end of the connection; the server puts it on every request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

type Limiter = Option<DefaultKeyedRateLimiter<ClientKey>>;

/// The limits and what each client has spent of them.
pub(crate) struct RateLimits {
    read: Limiter,
    sale: Limiter,
    staff: Limiter,
}

impl RateLimits {
    pub(crate) fn new(config: &RateLimitConfig) -> Self {
        Self {
            read: limiter(config.read),
            sale: limiter(config.sale),
            staff: limiter(config.staff),
        }
    }

    /// Spends one request. Errors: the seconds to wait, at least one.
    pub(crate) fn check(&self, traffic: Traffic, key: ClientKey) -> Result<(), u64> {
        let limiter = match traffic {
            Traffic::Read => &self.read,
            Traffic::Sale => &self.sale,
            Traffic::Staff => &self.staff,
        };
        let Some(limiter) = limiter else {
            return Ok(());
        };
        limiter.check_key(&key).map_err(|denied| {
            let wait = denied.wait_time_from(limiter.clock().now());
            wait.as_secs().saturating_add(1)
        })
    }

    pub(crate) async fn upkeep(&self, shutdown: CancellationToken) {
        while shutdown
            .run_until_cancelled(tokio::time::sleep(SWEEP_EVERY))
            .await
            .is_some()
        {
            for limiter in [&self.read, &self.sale, &self.staff].into_iter().flatten() {
                limiter.retain_recent();
                limiter.shrink_to_fit();
            }
        }
    }
}

fn limiter(rate: Option<Rate>) -> Limiter {
    rate.map(|rate| RateLimiter::keyed(Quota::per_second(rate.per_second).allow_burst(rate.burst)))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn key(peer: &str, forwarded: Option<&str>) -> ClientKey {
        let mut request = Request::builder();
        if let Some(forwarded) = forwarded {
            request = request.header("x-forwarded-for", forwarded);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        parts
            .extensions
            .insert(Peer(SocketAddr::new(peer.parse().unwrap(), 1)));
        ClientKey::of_request(&parts, &["10.0.0.1".parse().unwrap()])
    }

    fn network(address: &str) -> ClientKey {
        ClientKey::Network(address.parse().unwrap())
    }

    #[test]
    fn clients_are_known_by_network() {
        assert_eq!(key("192.0.2.7", None), network("192.0.2.7"));
        assert_eq!(key("2001:db8:1:2:3:4:5:6", None), network("2001:db8:1:2::"));
        assert_eq!(key("::ffff:192.0.2.7", None), network("192.0.2.7"));
    }

    #[test]
    fn forwarded_headers_count_only_from_trusted_hops() {
        assert_eq!(key("192.0.2.7", Some("203.0.113.9")), network("192.0.2.7"));
        assert_eq!(key("10.0.0.1", Some("203.0.113.9")), network("203.0.113.9"));
        // What the client itself wrote stands further left.
        assert_eq!(
            key("10.0.0.1", Some("198.51.100.1, 203.0.113.9, 10.0.0.1")),
            network("203.0.113.9")
        );
        assert_eq!(key("10.0.0.1", Some("junk, 203.0.113.9")), network("203.0.113.9"));
        assert_eq!(key("10.0.0.1", Some("junk")), network("10.0.0.1"));
    }

    #[test]
    fn a_client_that_runs_ahead_must_wait_and_others_need_not() {
        let limits = RateLimits::new(&RateLimitConfig {
            read: Rate::of(1, 2),
            sale: None,
            staff: None,
        });
        let (one, other) = (network("192.0.2.7"), network("192.0.2.8"));
        assert!(limits.check(Traffic::Read, one).is_ok());
        assert!(limits.check(Traffic::Read, one).is_ok());
        assert!(
            limits
                .check(Traffic::Read, one)
                .is_err_and(|seconds| seconds >= 1)
        );
        assert!(limits.check(Traffic::Read, other).is_ok());
        assert!(limits.check(Traffic::Sale, one).is_ok());
    }
}
