//! The settings as the rest of the program sees them: typed and checked.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use onsale_http::{CorsOrigin, ProxyNetwork};
use onsale_services::{BreachedPasswords, TokenError, TokenKeys, Tokens};
use secrecy::{ExposeSecret as _, SecretString};

use super::files::FileSettings;
use super::mail::MailSettings;
use super::parse::Reader;
use super::payments::PaymentSettings;
use super::peers::PeerSettings;
use super::setting::{
    AUTH_RATE_LIMIT_ACCOUNT_PER_MINUTE, AUTH_RATE_LIMIT_ADDRESS_PER_MINUTE, BREACHED_PASSWORDS,
    CONNECTIONS_MAX, CORS_ORIGINS, DATABASE_CONNECTIONS_MAX, DATABASE_URL, DRILLS, IDLE_TIMEOUT_SECONDS,
    INTERNAL_LISTEN, JOURNAL, JOURNAL_DIRECTORY, LISTEN, LOG_FORMAT, LOG_LEVEL, NODE_NAME, RATE_LIMIT_BURST,
    RATE_LIMIT_PER_SECOND, REDIS_PREFIX, REDIS_URL, SHUTDOWN_GRACE_SECONDS, TOKEN_AUDIENCE, TOKEN_ISSUER,
    TOKEN_KEYS, TOKEN_SECRET, TRUSTED_PROXIES,
};
use super::traces::TraceSettings;
use super::{ConfigurationError, Source, Sources, Value, keys};

/// The longest life of a token that is accepted where drills are on, so that a load test can outlast a login.
const TRIAL_TOKEN_LIFETIME_MS_MAX: i64 = 24 * 60 * 60 * 1_000;

/// Where records become durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum JournalKind {
    /// In Postgres: survives the loss of this machine.
    Postgres,
    /// On this machine's own disk: faster, and sells on while Postgres is away.
    Local,
}

impl JournalKind {
    /// The name in settings, flags and metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Local => "local",
        }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Everything that is configured. Secrets that only some commands need are optional here and demanded by
/// [`Settings::required_database_url`], [`Settings::tokens`] and [`FileSettings::ticket_keys`].
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) listen: SocketAddr,
    pub(crate) internal_listen: SocketAddr,
    pub(crate) database_url: Option<SecretString>,
    pub(crate) database_connections_max: u32,
    /// Nothing for a process on its own.
    pub(crate) redis_url: Option<SecretString>,
    pub(crate) redis_prefix: String,
    pub(crate) journal: JournalKind,
    pub(crate) journal_directory: PathBuf,
    pub(crate) token_secret: Option<SecretString>,
    pub(crate) token_keys: Option<SecretString>,
    pub(crate) token_issuer: String,
    pub(crate) token_audience: String,
    pub(crate) payments: PaymentSettings,
    pub(crate) files: FileSettings,
    pub(crate) mail: MailSettings,
    /// Where [`Settings::breached_passwords`] reads.
    breached_passwords: Option<PathBuf>,
    pub(crate) connections_max: u32,
    /// Requests per second and caller; `None` for no limit.
    pub(crate) rate_limit_per_second: Option<u32>,
    pub(crate) rate_limit_burst: u32,
    /// Tries per minute and account; 0 for no limit.
    pub(crate) auth_rate_limit_account_per_minute: u32,
    /// Tries per minute and network; 0 for no limit.
    pub(crate) auth_rate_limit_address_per_minute: u32,
    /// Sites whose scripts may read our answers.
    pub(crate) cors_origins: Vec<CorsOrigin>,
    /// Peers whose forwarded headers are believed.
    pub(crate) trusted_proxies: Vec<ProxyNetwork>,
    /// How long a connection may be idle.
    pub(crate) idle_timeout: Duration,
    pub(crate) shutdown_grace: Duration,
    /// Name of this process in the deployment.
    pub(crate) node_name: String,
    /// Where a secret is set. [`Settings::peers`] tells whether it is of use.
    peers: Option<PeerSettings>,
    pub(crate) log: String,
    pub(crate) log_format: LogFormat,
    /// Nothing where no request is traced.
    #[cfg_attr(
        not(feature = "otlp"),
        expect(dead_code, reason = "read where there is an exporter")
    )]
    pub(crate) traces: Option<TraceSettings>,
    pub(crate) drills: bool,
    /// Where each value came from, by the keys of settings.
    origins: BTreeMap<&'static str, Source>,
}

impl Settings {
    /// Resolves and checks every setting.
    pub(crate) fn load(sources: &Sources) -> Result<Self, ConfigurationError> {
        Self::read(&sources.resolve()?)
    }

    /// Checks resolved texts.
    pub(crate) fn read(values: &BTreeMap<&'static str, Value>) -> Result<Self, ConfigurationError> {
        let origins = values.iter().map(|(key, value)| (*key, value.source.clone()));
        let origins: BTreeMap<_, _> = origins.collect();
        Self::typed(values, origins.clone()).map_err(|error| error.located(&origins))
    }

    /// The address of the internal port alone, whatever is wrong with the other settings.
    pub(crate) fn internal_listen(sources: &Sources) -> Result<SocketAddr, ConfigurationError> {
        let value = sources.resolve_one(&INTERNAL_LISTEN)?;
        let values: BTreeMap<_, _> = value
            .map(|value| (INTERNAL_LISTEN.key, value))
            .into_iter()
            .collect();
        let origins = values
            .iter()
            .map(|(key, value)| (*key, value.source.clone()))
            .collect();
        Reader(&values)
            .parsed(&INTERNAL_LISTEN)
            .map_err(|error| error.located(&origins))
    }

    fn typed(
        values: &BTreeMap<&'static str, Value>,
        origins: BTreeMap<&'static str, Source>,
    ) -> Result<Self, ConfigurationError> {
        let reader = Reader(values);
        let per_second = reader.number(&RATE_LIMIT_PER_SECOND, 0..=1_000_000)?;
        let listen = reader.parsed(&LISTEN)?;
        let settings = Self {
            listen,
            internal_listen: reader.parsed(&INTERNAL_LISTEN)?,
            database_url: reader.url(&DATABASE_URL, &["postgres", "postgresql"])?,
            database_connections_max: reader.number(&DATABASE_CONNECTIONS_MAX, 1..=1_000)?,
            redis_url: reader.url(&REDIS_URL, &["redis", "rediss"])?,
            redis_prefix: redis_prefix(&reader)?,
            journal: journal(&reader)?,
            journal_directory: reader.text(&JOURNAL_DIRECTORY)?.into(),
            token_secret: reader.optional(&TOKEN_SECRET).map(Into::into),
            token_keys: reader.optional(&TOKEN_KEYS).map(Into::into),
            token_issuer: reader.text(&TOKEN_ISSUER)?.to_owned(),
            token_audience: reader.text(&TOKEN_AUDIENCE)?.to_owned(),
            payments: PaymentSettings::read(&reader)?,
            files: FileSettings::read(&reader)?,
            mail: MailSettings::read(&reader)?,
            breached_passwords: reader.optional(&BREACHED_PASSWORDS).map(Into::into),
            connections_max: reader.number(&CONNECTIONS_MAX, 1..=1_000_000)?,
            rate_limit_per_second: (per_second > 0).then_some(per_second),
            rate_limit_burst: reader.number(&RATE_LIMIT_BURST, 1..=1_000_000)?,
            auth_rate_limit_account_per_minute: reader
                .number(&AUTH_RATE_LIMIT_ACCOUNT_PER_MINUTE, 0..=1_000_000)?,
            auth_rate_limit_address_per_minute: reader
                .number(&AUTH_RATE_LIMIT_ADDRESS_PER_MINUTE, 0..=1_000_000)?,
            cors_origins: reader.list(&CORS_ORIGINS)?,
            trusted_proxies: reader.list(&TRUSTED_PROXIES)?,
            idle_timeout: Duration::from_secs(reader.number(&IDLE_TIMEOUT_SECONDS, 1..=600)?.into()),
            shutdown_grace: Duration::from_secs(reader.number(&SHUTDOWN_GRACE_SECONDS, 1..=600)?.into()),
            node_name: node_name(&reader, listen)?,
            peers: PeerSettings::read(&reader)?,
            log: log(&reader)?,
            log_format: log_format(&reader)?,
            traces: TraceSettings::read(&reader)?,
            drills: reader.parsed(&DRILLS)?,
            origins,
        };
        if settings.token_secret.is_some() || settings.token_keys.is_some() {
            settings.tokens()?;
        }
        keys::check_apart(&reader)?;
        settings.check_addresses()?;
        Ok(settings)
    }

    /// How other processes are asked. The events of a `local` journal have no other process.
    pub(crate) fn peers(&self) -> Option<&PeerSettings> {
        match self.journal {
            JournalKind::Postgres => self.peers.as_ref(),
            JournalKind::Local => None,
        }
    }

    /// Says of an error that turned up later where its setting came from.
    pub(crate) fn located(&self, error: ConfigurationError) -> ConfigurationError {
        error.located(&self.origins)
    }

    /// Where a setting came from; nothing where nobody gave it and there is no default.
    pub(crate) fn origin(&self, key: &str) -> Option<&Source> {
        self.origins.get(key)
    }

    fn check_addresses(&self) -> Result<(), ConfigurationError> {
        // Port 0 is another one each time.
        if self.listen == self.internal_listen && self.listen.port() != 0 {
            let problem = format!("{} is the address of the API", self.listen);
            return Err(ConfigurationError::of(&INTERNAL_LISTEN, problem));
        }
        Ok(())
    }

    /// The database's URL, where a command cannot do without.
    pub(crate) fn required_database_url(&self) -> Result<&SecretString, ConfigurationError> {
        self.database_url
            .as_ref()
            .ok_or_else(|| ConfigurationError::of(&DATABASE_URL, "is not set"))
    }

    /// The passwords that nobody may have, read now.
    pub(crate) fn breached_passwords(&self) -> Result<BreachedPasswords, ConfigurationError> {
        let Some(path) = &self.breached_passwords else {
            return Ok(BreachedPasswords::default());
        };
        File::open(path)
            .and_then(|list| BreachedPasswords::read(BufReader::new(list)))
            .map_err(|error| ConfigurationError::of(&BREACHED_PASSWORDS, format!("cannot be read: {error}")))
    }

    /// What makes and reads access tokens, where a command cannot do without. There is no default: a known secret
    /// would let anybody be anybody.
    pub(crate) fn tokens(&self) -> Result<Tokens, ConfigurationError> {
        let secret = self
            .token_secret
            .as_ref()
            .map(|secret| TokenKeys::of_secret(secret.expose_secret().as_bytes()));
        let keys = match &self.token_keys {
            Some(keys) => {
                let refused = |error: TokenError| ConfigurationError::of(&TOKEN_KEYS, error.to_string());
                let keys = TokenKeys::parse(keys.expose_secret()).map_err(refused)?;
                match secret {
                    Some(secret) => keys.and_also(secret.map_err(refused)?).map_err(refused)?,
                    None => keys,
                }
            }
            None => secret
                .ok_or_else(|| ConfigurationError::of(&TOKEN_SECRET, "is not set"))?
                .map_err(|error| ConfigurationError::of(&TOKEN_SECRET, error.to_string()))?,
        };
        let tokens = Tokens::new(keys, &self.token_issuer, &self.token_audience);
        Ok(if self.drills {
            tokens.accepting_lifetime_ms(TRIAL_TOKEN_LIFETIME_MS_MAX)
        } else {
            tokens
        })
    }
}

/// Refuses an address that cannot be bound, in the words of the setting.
pub(crate) fn cannot_listen(internal: bool, error: &std::io::Error) -> ConfigurationError {
    let setting = if internal { &INTERNAL_LISTEN } else { &LISTEN };
    ConfigurationError::of(setting, format!("cannot listen there: {error}"))
}

/// Refuses a journal directory that another process works in.
pub(crate) fn journal_directory_in_use(directory: &Path) -> ConfigurationError {
    ConfigurationError::of(
        &JOURNAL_DIRECTORY,
        format!("another process has {} open", directory.display()),
    )
}

/// Refuses a journal directory that cannot be written to.
pub(crate) fn unusable_journal_directory(problem: String) -> ConfigurationError {
    ConfigurationError::of(&JOURNAL_DIRECTORY, problem)
}

/// Refuses a database URL that looked well and cannot be used.
pub(crate) fn unusable_database_url(problem: String) -> ConfigurationError {
    ConfigurationError::of(&DATABASE_URL, problem)
}

/// Refuses a Redis URL that looked well and cannot be used.
pub(crate) fn unusable_redis_url(problem: String) -> ConfigurationError {
    ConfigurationError::of(&REDIS_URL, problem)
}

fn redis_prefix(reader: &Reader<'_>) -> Result<String, ConfigurationError> {
    match reader.text(&REDIS_PREFIX)? {
        prefix if prefix.len() <= 100 => Ok(prefix.to_owned()),
        _ => Err(ConfigurationError::of(&REDIS_PREFIX, "is too long")),
    }
}

/// The name given, or host and port: a restart on the same machine then takes its events over at once.
fn node_name(reader: &Reader<'_>, listen: SocketAddr) -> Result<String, ConfigurationError> {
    match reader.optional(&NODE_NAME) {
        Some(name) if name.len() <= 100 => Ok(name.to_owned()),
        Some(_) => Err(ConfigurationError::of(&NODE_NAME, "is too long")),
        None => {
            let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
            let host = host.trim();
            Ok(format!(
                "{}:{}",
                if host.is_empty() { "onsale" } else { host },
                listen.port()
            ))
        }
    }
}

fn journal(reader: &Reader<'_>) -> Result<JournalKind, ConfigurationError> {
    match reader.text(&JOURNAL)? {
        "postgres" => Ok(JournalKind::Postgres),
        "local" => Ok(JournalKind::Local),
        other => Err(ConfigurationError::of(
            &JOURNAL,
            format!("`{other}` is no journal"),
        )),
    }
}

fn log_format(reader: &Reader<'_>) -> Result<LogFormat, ConfigurationError> {
    match reader.text(&LOG_FORMAT)? {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        other => Err(ConfigurationError::of(
            &LOG_FORMAT,
            format!("`{other}` is no format"),
        )),
    }
}

fn log(reader: &Reader<'_>) -> Result<String, ConfigurationError> {
    let directives = reader.text(&LOG_LEVEL)?;
    match tracing_subscriber::EnvFilter::try_new(directives) {
        Ok(_) => Ok(directives.to_owned()),
        Err(error) => Err(ConfigurationError::of(
            &LOG_LEVEL,
            format!("`{directives}` is not understood: {error}"),
        )),
    }
}
