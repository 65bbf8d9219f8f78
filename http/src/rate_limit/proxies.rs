//! Which peers are our own reverse proxies.
//!
//! A load balancer in a cloud has several addresses, and they change; what stays is the networks that it lives in. So a
//! proxy is an address or a network.

use std::net::IpAddr;
use std::str::FromStr;

/// An address or a network of reverse proxies: `10.0.0.1`, `10.0.0.0/16`, `2001:db8::/32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyNetwork {
    /// Its first address.
    first: IpAddr,
    /// Leading bits that all its addresses share; never 0.
    prefix: u32,
}

/// A text that names no address and no network of proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANetwork;

impl ProxyNetwork {
    /// Whether this address, which must be canonical, is one of a proxy.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => {
                (bits(self.first) ^ bits(address)) >> (width(address) - self.prefix) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// Exactly one address.
impl From<IpAddr> for ProxyNetwork {
    fn from(address: IpAddr) -> Self {
        let first = address.to_canonical();
        Self {
            first,
            prefix: width(first),
        }
    }
}

impl FromStr for ProxyNetwork {
    type Err = NotANetwork;

    /// Refuses what is likely a slip: a network named by an address within it, one written as IPv4 in IPv6, and the
    /// network of everybody, whose forwarded headers anybody could write.
    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let Some((first, prefix)) = text.split_once('/') else {
            return text.parse::<IpAddr>().map(Self::from).map_err(|_| NotANetwork);
        };
        let first: IpAddr = first.parse().map_err(|_| NotANetwork)?;
        let prefix: u32 = prefix.parse().map_err(|_| NotANetwork)?;
        let is_sound = first == first.to_canonical()
            && (1..=width(first)).contains(&prefix)
            && bits(first).trailing_zeros() >= width(first) - prefix;
        is_sound.then_some(Self { first, prefix }).ok_or(NotANetwork)
    }
}

/// The address as a number.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

/// How many bits an address of this kind has.
const fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => u32::BITS,
        IpAddr::V6(_) => u128::BITS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn holds(network: &str, inside: &[&str], outside: &[&str]) {
        let network: ProxyNetwork = network.parse().unwrap();
        for address in inside {
            assert!(network.contains(address.parse().unwrap()), "{address}");
        }
        for address in outside {
            assert!(!network.contains(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_network_holds_its_addresses_and_no_other() {
        holds("10.0.0.1", &["10.0.0.1"], &["10.0.0.0", "10.0.0.2", "::a00:1"]);
        holds("10.0.0.1/32", &["10.0.0.1"], &["10.0.0.0"]);
        holds(
            "10.20.0.0/20",
            &["10.20.0.0", "10.20.15.255"],
            &["10.20.16.0", "10.19.255.255", "2001:db8::1"],
        );
        holds("128.0.0.0/1", &["128.0.0.0", "255.255.255.255"], &["127.0.0.1"]);
        holds(
            "2400:cb00::/32",
            &["2400:cb00::", "2400:cb00:ffff:ffff:ffff:ffff:ffff:ffff"],
            &["2400:cb01::", "10.0.0.1"],
        );
        holds("::/1", &["::1", "7fff::"], &["8000::", "10.0.0.1"]);
    }

    #[test]
    fn an_address_written_as_ipv4_in_ipv6_is_the_ipv4_one() {
        holds("::ffff:10.0.0.1", &["10.0.0.1"], &["10.0.0.2"]);
    }

    #[test]
    fn what_is_likely_a_slip_is_refused() {
        for text in [
            "",
            "proxy.example",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.1/16",
            "0.0.0.0/0",
            "::/0",
            "2001:db8::/129",
            "2001:db8::1/32",
            "::ffff:10.0.0.0/104",
        ] {
            assert_eq!(text.parse::<ProxyNetwork>(), Err(NotANetwork), "{text}");
        }
    }
}
