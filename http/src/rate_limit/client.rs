//! Whom a limit counts for.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::request::Parts;
use uuid::Uuid;

use super::ProxyNetwork;

/// Whom a limit counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ClientKey {
    /// An account.
    Subject(Uuid),
    /// An account by the digest of what the caller calls it; there may be none of that name.
    Named([u8; 16]),
    /// An IPv4 address, or an IPv6 network of 64 bits: whoever has one of its addresses has them all.
    Network(IpAddr),
}

impl ClientKey {
    /// The account of this name.
    pub(crate) fn named(name: &[u8]) -> Self {
        let mut digest = [0; 16];
        digest.copy_from_slice(&blake3::hash(name).as_bytes()[..16]);
        Self::Named(digest)
    }

    /// The client's network.
    pub(crate) fn of_request(parts: &Parts, trusted_proxies: &[ProxyNetwork]) -> Self {
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
pub(crate) fn client_ip(parts: &Parts, trusted_proxies: &[ProxyNetwork]) -> IpAddr {
    let peer = parts
        .extensions
        .get::<Peer>()
        .map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |peer| {
            peer.0.ip().to_canonical()
        });
    let is_ours = |address: IpAddr| trusted_proxies.iter().any(|network| network.contains(address));
    if !is_ours(peer) {
        return peer;
    }
    let hops = parts
        .headers
        .get_all("x-forwarded-for")
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .collect::<Vec<_>>();
    let client = hops
        .into_iter()
        .rev()
        // What cannot be read ends the way back: whoever wrote it could have written anything before it.
        .map_while(|hop| std::str::from_utf8(hop).ok()?.trim().parse::<IpAddr>().ok())
        .map(|hop| hop.to_canonical())
        .find(|hop| !is_ours(*hop));
    client.unwrap_or(peer)
}

/// As part of a key that other processes make as well.
impl fmt::Display for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subject(id) => write!(f, "user:{}", id.simple()),
            Self::Named(digest) => write!(f, "named:{:032x}", u128::from_be_bytes(*digest)),
            Self::Network(address) => write!(f, "network:{address}"),
        }
    }
}

/// The address at the other end of the connection; the server puts it on every request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

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
        ClientKey::of_request(
            &parts,
            &["10.0.0.1".parse().unwrap(), "10.20.0.0/16".parse().unwrap()],
        )
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
    fn proxies_of_a_trusted_network_are_known_by_whatever_address_they_have() {
        for proxy in ["10.20.0.7", "10.20.255.1", "::ffff:10.20.3.4"] {
            assert_eq!(key(proxy, Some("203.0.113.9")), network("203.0.113.9"));
            // One proxy behind another.
            assert_eq!(
                key(proxy, Some("198.51.100.1, 203.0.113.9, 10.20.1.1, 10.0.0.1")),
                network("203.0.113.9")
            );
        }
        assert_eq!(key("10.21.0.1", Some("203.0.113.9")), network("10.21.0.1"));
    }

    #[test]
    fn a_line_that_cannot_be_read_hides_nothing() {
        let request = Request::builder()
            .header("x-forwarded-for", "198.51.100.7")
            .header("x-forwarded-for", b"\xff, 203.0.113.9".as_slice());
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        parts.extensions.insert(Peer(SocketAddr::new(proxy, 1)));
        assert_eq!(
            ClientKey::of_request(&parts, &[proxy.into()]),
            network("203.0.113.9")
        );
    }

    #[test]
    fn shared_keys_hold_no_name_and_differ_by_kind() {
        let named = ClientKey::named(b"ada@example.com");
        assert_ne!(named, ClientKey::named(b"bob@example.com"));
        assert!(!named.to_string().contains("ada"));
        assert_eq!(network("2001:db8:1:2::").to_string(), "network:2001:db8:1:2::");
        assert_eq!(
            ClientKey::Subject(Uuid::from_u128(7)).to_string(),
            "user:00000000000000000000000000000007"
        );
    }
}
