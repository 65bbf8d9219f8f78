//! Whether the payment providers answer and know us.

use std::sync::Arc;
use std::time::Duration;

use onsale_domain::Gateway;
use onsale_engine::port::SystemClock;
use onsale_services::PaymentGateway;

use super::Check;
use crate::configuration::Settings;
use crate::wiring::{self, StartError};

const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const MEND: &str = "Check its key, its address and the way there";

/// One check for each provider with a key.
pub(super) async fn providers(settings: &Settings) -> Vec<Check> {
    let clock: Arc<dyn onsale_engine::port::Clock> = Arc::new(SystemClock::start());
    let gateways = match wiring::payment_gateways(settings, &clock) {
        Ok(gateways) => gateways,
        Err(StartError::Configuration(error)) => {
            return vec![Check::refused("payments", &settings.located(error))];
        }
        Err(error) => return vec![Check::failed("payments", error.to_string(), MEND)],
    };
    let mut checks = Vec::new();
    for gateway in gateways {
        checks.push(match gateway.gateway() {
            Gateway::Simulated if settings.payments.current != Gateway::Simulated => continue,
            Gateway::Simulated => Check::ok("payments", "simulated: no money is moved"),
            Gateway::Stripe => provider("stripe", gateway.as_ref()).await,
            Gateway::Midtrans => provider("midtrans", gateway.as_ref()).await,
        });
    }
    checks
}

async fn provider(name: &'static str, gateway: &dyn PaymentGateway) -> Check {
    match tokio::time::timeout(ANSWER_WITHIN, gateway.probe()).await {
        Ok(Ok(())) => Check::ok(name, "answers and knows the key"),
        Ok(Err(error)) => Check::failed(name, error.to_string(), MEND),
        Err(_) => Check::failed(name, "gave no answer", MEND),
    }
}
