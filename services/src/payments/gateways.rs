//! The gateways that a process has: one takes new payments, the others settle what they took before.

use std::sync::Arc;

use onsale_domain::Gateway;

use super::PaymentGateway;

/// The gateways of a process.
#[derive(Clone)]
pub struct Gateways(Vec<Arc<dyn PaymentGateway>>);

impl Gateways {
    /// New payments go to the first; the others settle what they took before.
    pub fn new(
        first: Arc<dyn PaymentGateway>,
        others: impl IntoIterator<Item = Arc<dyn PaymentGateway>>,
    ) -> Self {
        Self(std::iter::once(first).chain(others).collect())
    }

    /// The gateway of new payments.
    pub fn current(&self) -> &dyn PaymentGateway {
        self.0[0].as_ref()
    }

    /// A gateway by its name; `None` where it is not configured.
    pub fn get(&self, gateway: Gateway) -> Option<&dyn PaymentGateway> {
        self.0
            .iter()
            .map(AsRef::as_ref)
            .find(|candidate| candidate.gateway() == gateway)
    }

    /// Sets the gauges of all to how they are now.
    pub(crate) fn observe(&self) {
        for gateway in &self.0 {
            gateway.observe();
        }
    }
}
