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

/// What a process needs to ask others and to be asked.
#[derive(Clone, Debug)]
pub(crate) struct PeerSettings {
    secret: SecretString,
    /// Where others reach this process, as far as somebody says.
    address: Option<String>,
}

impl PeerSettings {
    /// Nothing without a secret. An address is checked all the same.
    pub(super) fn read(reader: &Reader<'_>) -> Result<Option<Self>, ConfigurationError> {
        let address = reader.optional(&PEER_ADDRESS).map(address).transpose()?;
        let Some(secret) = reader.optional(&PEER_SECRET) else {
            return Ok(None);
        };
        if secret.len() < SECRET_BYTES_MIN {
            let problem = format!("has {} bytes", secret.len());
            return Err(ConfigurationError::of(&PEER_SECRET, problem));
        }
        Ok(Some(Self {
            secret: secret.into(),
            address,
        }))
    }

    /// What questions and answers are sealed with.
    pub(crate) fn seals(&self) -> Seals {
        Seals::new(self.secret.expose_secret().as_bytes())
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

/// An address as others are told.
pub(crate) fn address_of(ip: IpAddr, port: u16) -> String {
    format!("http://{}", SocketAddr::new(ip, port))
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
