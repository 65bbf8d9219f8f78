//! What handlers have at hand.

use axum::extract::FromRef;
use onsale_services::Services;

use crate::gate::Gate;

/// The state of the public router. Extractors take only the part that they need.
#[derive(Clone)]
pub(crate) struct Api {
    services: Services,
    gate: Gate,
}

impl Api {
    pub(crate) const fn new(services: Services, gate: Gate) -> Self {
        Self { services, gate }
    }
}

impl FromRef<Api> for Services {
    fn from_ref(api: &Api) -> Self {
        api.services.clone()
    }
}

impl FromRef<Api> for Gate {
    fn from_ref(api: &Api) -> Self {
        api.gate.clone()
    }
}
