//! How the processes of a deployment ask each other.

use std::net::{IpAddr, SocketAddr};

use hyper::Uri;
use secrecy::{ExposeSecret as _, SecretString};

use super::ConfigurationError;
use super::parse::Reader;
use super::setting::{PEER_ADDRESS, PEER_SECRET};
use crate::peers::Seals;

/// Shortest secret, in bytes.
const SECRET_BYTES_MIN: usize = 32;
/// Most secrets. A question that is under none of them is hashed with each.
const SECRETS_MAX: usize = 4;

/// What a process needs to ask others and to be asked.
#[derive(Clone, Debug)]
pub(crate) struct PeerSettings {
    /// Seals.
    secret: SecretString,
    /// Known beside it, while one secret takes another's place.
    others: Vec<SecretString>,
    /// Where others reach this process, as far as somebody says.
    address: Option<String>,
}

impl PeerSettings {
    /// Nothing without a secret. An address is checked all the same.
    pub(super) fn read(reader: &Reader<'_>) -> Result<Option<Self>, ConfigurationError> {
        let address = reader.optional(&PEER_ADDRESS).map(address).transpose()?;
        let Some(lines) = reader.optional(&PEER_SECRET) else {
            return Ok(None);
        };
        let mut secrets = secrets(lines)?.into_iter();
        Ok(secrets.next().map(|secret| Self {
            secret,
            others: secrets.collect(),
            address,
        }))
    }

    /// What questions and answers are sealed with.
    pub(crate) fn seals(&self) -> Seals {
        let others = self.others.iter().map(|secret| secret.expose_secret().as_bytes());
        Seals::new(self.secret.expose_secret().as_bytes(), others)
    }

    /// Where others reach this process, without asking the network; `None`: at its own address, whichever that is.
    pub(crate) fn address(&self, internal_listen: SocketAddr) -> Option<String> {
        match &self.address {
            Some(address) => Some(address.clone()),
            None if internal_listen.ip().is_unspecified() => None,
            None => Some(address_of(internal_listen.ip(), internal_listen.port())),
        }
    }
}

/// Whether an address, as [`PeerSettings::address`] gives it, leads nowhere but to the machine that asks.
pub(crate) fn is_loopback(address: &str) -> bool {
    let uri: Option<Uri> = address.parse().ok();
    let Some(host) = uri.as_ref().and_then(Uri::host) else {
        return false;
    };
    let ip: Result<IpAddr, _> = host.trim_start_matches('[').trim_end_matches(']').parse();
    ip.map_or(host == "localhost", |ip: IpAddr| ip.to_canonical().is_loopback())
}

/// An address as others are told.
pub(crate) fn address_of(ip: IpAddr, port: u16) -> String {
    format!("http://{}", SocketAddr::new(ip, port))
}

/// One secret a line; there is a line that is not empty.
fn secrets(lines: &str) -> Result<Vec<SecretString>, ConfigurationError> {
    let lines: Vec<_> = lines
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    if lines.len() > SECRETS_MAX {
        let problem = format!("has {} lines, and {SECRETS_MAX} are the most", lines.len());
        return Err(ConfigurationError::of(&PEER_SECRET, problem));
    }
    for (number, line) in (1..).zip(&lines) {
        if line.len() < SECRET_BYTES_MIN {
            let problem = format!("has {} bytes in secret {number}", line.len());
            return Err(ConfigurationError::of(&PEER_SECRET, problem));
        }
    }
    Ok(lines.into_iter().map(SecretString::from).collect())
}

fn address(text: &str) -> Result<String, ConfigurationError> {
    let uri: Option<Uri> = text.parse().ok();
    let is_usable = uri.is_some_and(|uri| {
        uri.scheme_str() == Some("http")
            && uri.port_u16().is_some()
            && uri.host().is_some_and(|host| !host.is_empty())
            && uri.path() == "/"
            && uri.query().is_none()
            && !text.contains('@')
    });
    if is_usable {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err(ConfigurationError::of(
            &PEER_ADDRESS,
            format!("`{text}` is not usable"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a secret of thirty-two bytes or so";

    #[test]
    fn each_line_is_a_secret_that_is_long_enough() {
        let count = |lines: &str| secrets(lines).map(|secrets| secrets.len());
        assert_eq!(count(SECRET), Ok(1));
        assert_eq!(count(&format!("{SECRET}\r\n\n{SECRET}, another\n")), Ok(2));
        assert_eq!(count(&[SECRET; SECRETS_MAX].join("\n")), Ok(SECRETS_MAX));
        assert!(count(&[SECRET; SECRETS_MAX + 1].join("\n")).is_err());
        let problem = count(&format!("{SECRET}\nshort")).unwrap_err().what();
        assert!(problem.contains("5 bytes in secret 2"), "{problem}");
    }

    #[test]
    fn an_address_that_only_this_machine_reaches_is_known() {
        for here in [
            "http://127.0.0.1:9464",
            "http://127.1.2.3:9464",
            "http://[::1]:9464",
            "http://[::ffff:127.0.0.1]:9464",
            "http://localhost:9464",
        ] {
            assert!(is_loopback(here), "{here}");
        }
        for elsewhere in [
            "http://10.0.1.7:9464",
            "http://[fd00::7]:9464",
            "http://onsale-2:9464",
        ] {
            assert!(!is_loopback(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn an_address_has_a_host_and_a_port_and_nothing_else() {
        for good in [
            "http://10.0.1.7:9464",
            "http://10.0.1.7:9464/",
            "http://[fd00::7]:9464",
            "http://onsale-2.onsale:9464",
        ] {
            assert_eq!(address(good).as_deref(), Ok(good.trim_end_matches('/')));
        }
        for bad in [
            "10.0.1.7:9464",
            "https://10.0.1.7:9464",
            "http://10.0.1.7",
            "http://:9464",
            "http://10.0.1.7:9464/peer",
            "http://10.0.1.7:9464?x",
            "http://me@10.0.1.7:9464",
            "http://",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
