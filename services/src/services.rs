//! The handle that routes call.

use std::sync::Arc;
use std::time::Duration;

use onsale_domain::{EventId, Route, UnixMillis};
use onsale_engine::{Engine, EngineError};
use onsale_persistence::{Database, ObjectStore, Redis};

use crate::access::AccessControl;
use crate::accounts::Accounts;
use crate::audit::AuditWriter;
use crate::payments::Gateways;
use crate::sale::InFlight;
use crate::tickets::{TicketKeys, Ticketing};
use crate::{BreachedPasswords, Ids, RandomError, ServiceError, Tokens};

/// What an operator may tune.
#[derive(Clone)]
pub struct ServicesConfig {
    /// Longest wait for the payment gateway.
    pub gateway_timeout: Duration,
    /// Passwords that nobody may have.
    pub breached_passwords: Arc<BreachedPasswords>,
}

impl Default for ServicesConfig {
    fn default() -> Self {
        Self {
            gateway_timeout: Duration::from_secs(5),
            breached_passwords: Arc::default(),
        }
    }
}

/// What the use cases work with.
pub struct Dependencies {
    /// Decides about events.
    pub engine: Engine,
    /// Keeps everything relational.
    pub database: Database,
    /// What processes share; nothing for a process on its own.
    pub redis: Option<Redis>,
    /// Take the money.
    pub gateways: Gateways,
    /// Makes and reads access tokens.
    pub tokens: Tokens,
    /// Appends to the audit log what has no transaction of its own. Its task must run.
    pub audit: AuditWriter,
    /// Sign tickets.
    pub ticket_keys: TicketKeys,
    /// Keeps files.
    pub objects: Arc<dyn ObjectStore>,
}

/// All use cases. Cloning it is cheap.
#[derive(Clone)]
pub struct Services(Arc<Parts>);

struct Parts {
    engine: Engine,
    database: Database,
    gateways: Gateways,
    access: AccessControl,
    accounts: Accounts,
    audit: AuditWriter,
    ids: Ids,
    in_flight: InFlight,
    tickets: Ticketing,
    config: ServicesConfig,
}

impl Services {
    /// Wires the use cases to what they work with.
    pub fn new(dependencies: Dependencies, config: ServicesConfig) -> Result<Self, RandomError> {
        Ok(Self(Arc::new(Parts {
            engine: dependencies.engine,
            database: dependencies.database,
            gateways: dependencies.gateways,
            access: AccessControl::new(dependencies.tokens, dependencies.redis),
            accounts: Accounts::new(Arc::clone(&config.breached_passwords)),
            audit: dependencies.audit,
            ids: Ids::new()?,
            in_flight: InFlight::default(),
            tickets: Ticketing::new(dependencies.ticket_keys, dependencies.objects),
            config,
        })))
    }

    /// The present instant, by the engine's clock.
    pub fn now(&self) -> UnixMillis {
        self.0.engine.now()
    }

    /// The event that a hold, order or ticket belongs to.
    ///
    /// Errors: [`ServiceError::NotFound`] when no event has this route.
    pub(crate) async fn event_of(&self, route: Route) -> Result<EventId, ServiceError> {
        match self.0.engine.resolve(route).await {
            Ok(event_id) => Ok(event_id),
            Err(EngineError::NotFound) => Err(ServiceError::NotFound),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn database(&self) -> &Database {
        &self.0.database
    }

    pub(crate) fn gateways(&self) -> &Gateways {
        &self.0.gateways
    }

    pub(crate) fn access_control(&self) -> &AccessControl {
        &self.0.access
    }

    pub(crate) fn accounts(&self) -> &Accounts {
        &self.0.accounts
    }

    /// Access tokens.
    pub fn tokens(&self) -> &Tokens {
        self.0.access.tokens()
    }

    pub(crate) fn audit(&self) -> &AuditWriter {
        &self.0.audit
    }

    pub(crate) fn ids(&self) -> &Ids {
        &self.0.ids
    }

    /// Keys of tickets.
    pub fn ticket_keys(&self) -> &TicketKeys {
        &self.0.tickets.keys
    }

    pub(crate) fn ticketing(&self) -> &Ticketing {
        &self.0.tickets
    }

    pub(crate) fn in_flight(&self) -> &InFlight {
        &self.0.in_flight
    }

    pub(crate) fn gateway_timeout(&self) -> Duration {
        self.0.config.gateway_timeout
    }
}
