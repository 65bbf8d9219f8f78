//! Mail by SMTP.

use std::net::IpAddr;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::{Error, PoolConfig};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;
use url::{Host, Url};

use super::mime::{Letter, MailSender};
use super::{Mail, MailError, Mailer};

/// Longest wait for each answer of the server.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections to the server at once; as many as messages are under way.
const CONNECTIONS_MAX: u32 = 16;
/// How long a connection is kept for the next message.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// Answers about this message that no further try would change: no such mailbox, not allowed, or nobody by that name.
const FINAL_CODES: [u16; 4] = [550, 551, 553, 556];

/// A URL that names no way to send mail. The texts never hold the URL: it has a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SmtpUrlError {
    /// Not a URL with a host.
    #[error("is not such a URL")]
    Unreadable,
    /// Another scheme or a parameter that is not known.
    #[error("has another scheme than smtp and smtps, or a parameter that is not tls=required or tls=none")]
    Unknown,
    /// Mail and password would travel in the clear.
    #[error("goes to another machine without TLS; use smtps://, or say tls=required or tls=none")]
    Plain,
    /// A name without a password, or the other way round.
    #[error("has half of a name and password")]
    HalfCredentials,
    /// TLS cannot be set up for this host.
    #[error("names a host that TLS cannot be used with")]
    Tls,
}

/// How the way to the server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protection {
    /// TLS from the first byte.
    Implicit,
    /// By STARTTLS; without it nothing is sent.
    StartTls,
    /// Not at all.
    None,
}

/// A server to hand messages to, as a URL names it.
#[derive(Clone)]
pub struct SmtpServer {
    /// As a certificate names it: an IPv6 address without brackets.
    name: String,
    port: Option<u16>,
    protection: Protection,
    credentials: Option<Credentials>,
}

impl SmtpServer {
    /// Reads `smtps://name:password@host` (TLS, port 465), `smtp://…?tls=required` (STARTTLS, port 587) or, to the
    /// machine itself or where told by `tls=none`, `smtp://host` (in the clear, port 25).
    pub fn parse(url: &SecretString) -> Result<Self, SmtpUrlError> {
        let url = Url::parse(url.expose_secret()).map_err(|_| SmtpUrlError::Unreadable)?;
        let host = url.host().ok_or(SmtpUrlError::Unreadable)?;
        Ok(Self {
            protection: protection(&url, &host)?,
            name: match host {
                Host::Ipv6(address) => address.to_string(),
                Host::Ipv4(_) | Host::Domain(_) => host.to_string(),
            },
            port: url.port(),
            credentials: credentials(&url)?,
        })
    }
}

impl std::fmt::Debug for SmtpServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpServer")
            .field("name", &self.name)
            .field("protection", &self.protection)
            .finish_non_exhaustive()
    }
}

/// Hands messages to a server that sends them on. Cloning it is cheap.
#[derive(Clone)]
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: MailSender,
}

impl SmtpMailer {
    /// A mailer for a server, whose certificate must be one that the system trusts. Connects when there is something to
    /// send; must be called within a tokio runtime.
    pub fn new(server: &SmtpServer, from: MailSender) -> Result<Self, SmtpUrlError> {
        let parameters = || TlsParameters::new(server.name.clone()).map_err(|_| SmtpUrlError::Tls);
        let (port, tls) = match server.protection {
            Protection::Implicit => (465, Tls::Wrapper(parameters()?)),
            Protection::StartTls => (587, Tls::Required(parameters()?)),
            Protection::None => (25, Tls::None),
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.name)
            .port(server.port.unwrap_or(port))
            .tls(tls)
            .timeout(Some(COMMAND_TIMEOUT))
            .pool_config(PoolConfig::new().max_size(CONNECTIONS_MAX).idle_timeout(IDLE_MAX));
        if let Some(credentials) = &server.credentials {
            transport = transport.credentials(credentials.clone());
        }
        Ok(Self {
            transport: transport.build(),
            from,
        })
    }
}

impl SmtpMailer {
    /// Whether the server lets us in: greeting, TLS, name and password, and a command that does nothing.
    pub async fn probe(&self) -> Result<(), MailError> {
        match self.transport.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(MailError::Failed("the SMTP server refuses NOOP".to_owned())),
            Err(error) => Err(told(&error)),
        }
    }
}

fn protection(url: &Url, host: &Host<&str>) -> Result<Protection, SmtpUrlError> {
    let mut parameters = url.query_pairs();
    let (first, second) = (parameters.next(), parameters.next());
    let parameter = first.as_ref().map(|(name, value)| (&**name, &**value));
    if second.is_some() || !matches!(url.path(), "" | "/") {
        return Err(SmtpUrlError::Unknown);
    }
    match (url.scheme(), parameter) {
        ("smtps", None) => Ok(Protection::Implicit),
        ("smtp", Some(("tls", "required"))) => Ok(Protection::StartTls),
        ("smtp", Some(("tls", "none"))) => Ok(Protection::None),
        ("smtp", None) if is_this_machine(host) => Ok(Protection::None),
        ("smtp", None) => Err(SmtpUrlError::Plain),
        _ => Err(SmtpUrlError::Unknown),
    }
}

/// What follows `smtp:` is not parsed as it is after `http:`, so an address comes as a domain.
fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain("localhost") => true,
        Host::Domain(name) => name.parse().is_ok_and(|address: IpAddr| address.is_loopback()),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

fn credentials(url: &Url) -> Result<Option<Credentials>, SmtpUrlError> {
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) | (_, None) => Err(SmtpUrlError::HalfCredentials),
        (name, Some(password)) => Ok(Some(Credentials::new(decoded(name)?, decoded(password)?))),
    }
}

fn decoded(text: &str) -> Result<String, SmtpUrlError> {
    // As in a query, but for the plus sign, which stands for itself here.
    let as_query = text.replace('+', "%2B");
    url::form_urlencoded::parse(as_query.as_bytes())
        .next()
        .map(|(text, _)| text.into_owned())
        .ok_or(SmtpUrlError::HalfCredentials)
}

impl Mailer for SmtpMailer {
    fn send(&self, mail: Mail) -> BoxFuture<'_, Result<(), MailError>> {
        async move {
            let letter = Letter::of(mail, &self.from)?;
            let sending = self.transport.send_raw(&letter.envelope, &letter.bytes);
            sending.await.map(|_| ()).map_err(|error| told(&error))
        }
        .boxed()
    }
}

/// What operators may know: servers like to repeat the address in their answers.
fn told(error: &Error) -> MailError {
    if let Some(code) = error.status() {
        let code = u16::from(code);
        let answered = format!("the SMTP server answered {code}");
        return if FINAL_CODES.contains(&code) {
            MailError::Refused(answered)
        } else {
            MailError::Failed(answered)
        };
    }
    MailError::Failed(if error.is_timeout() {
        "the SMTP server gave no answer in time".to_owned()
    } else if error.is_response() {
        "the SMTP server gave an answer that cannot be read".to_owned()
    } else if error.is_client() {
        "the SMTP server does not offer what is needed, such as STARTTLS".to_owned()
    } else {
        // Of the connection: a socket's error, or what is wrong with a certificate.
        format!("the SMTP server cannot be reached: {}", first_cause(error))
    })
}

fn first_cause(error: &dyn std::error::Error) -> &dyn std::error::Error {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protected(url: &str) -> Result<Protection, SmtpUrlError> {
        let url = Url::parse(url).map_err(|_| SmtpUrlError::Unreadable)?;
        protection(&url, &url.host().ok_or(SmtpUrlError::Unreadable)?)
    }

    #[test]
    fn nothing_goes_to_another_machine_in_the_clear_unless_told() {
        for (url, expected) in [
            ("smtps://mail.example", Ok(Protection::Implicit)),
            ("smtps://name:secret@mail.example:4650", Ok(Protection::Implicit)),
            ("smtp://mail.example?tls=required", Ok(Protection::StartTls)),
            ("smtp://mail.example/?tls=none", Ok(Protection::None)),
            ("smtp://mail.example", Err(SmtpUrlError::Plain)),
            ("smtp://127.0.0.1.example", Err(SmtpUrlError::Plain)),
            ("smtp://10.0.0.1:25", Err(SmtpUrlError::Plain)),
            ("smtp://127.0.0.1:2525", Ok(Protection::None)),
            ("smtp://localhost", Ok(Protection::None)),
            ("smtp://[::1]:25", Ok(Protection::None)),
            ("smtp://[::2]", Err(SmtpUrlError::Plain)),
            (
                "smtp://mail.example?tls=opportunistic",
                Err(SmtpUrlError::Unknown),
            ),
            ("smtps://mail.example?tls=none", Err(SmtpUrlError::Unknown)),
            ("smtp://mail.example?tls=required&x=1", Err(SmtpUrlError::Unknown)),
            ("smtps://mail.example/name", Err(SmtpUrlError::Unknown)),
            ("http://mail.example", Err(SmtpUrlError::Unknown)),
            ("smtp:mail.example", Err(SmtpUrlError::Unreadable)),
            ("mail.example", Err(SmtpUrlError::Unreadable)),
        ] {
            assert_eq!(protected(url), expected, "{url}");
        }
    }

    #[test]
    fn names_and_passwords_may_hold_anything() {
        let of = |url: &str| credentials(&Url::parse(url).unwrap());
        let expected = Credentials::new("a@b".to_owned(), "p+ /:%&=x".to_owned());
        let found = of("smtps://a%40b:p+%20%2F%3A%25%26%3Dx@mail.example").unwrap();
        assert_eq!(found, Some(expected));
        assert_eq!(of("smtps://mail.example").unwrap(), None);
        for half in ["smtps://a@mail.example", "smtps://:b@mail.example"] {
            assert_eq!(of(half), Err(SmtpUrlError::HalfCredentials));
        }
    }
}
