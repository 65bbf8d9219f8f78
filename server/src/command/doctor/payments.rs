//! Whether the payment providers answer and know us.

use std::sync::Arc;
use std::time::Duration;

use onsale_domain::Gateway;
use onsale_engine::port::SystemClock;
use onsale_services::PaymentGateway;

use super::Check;
use crate::configuration::Settings;
use crate::wiring;

const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// One check for each provider with a key.
pub(super) async fn providers(settings: &Settings) -> Vec<Check> {
    let clock: Arc<dyn onsale_engine::port::Clock> = Arc::new(SystemClock::start());
    let gateways = match wiring::payment_gateways(settings, &clock) {
        Ok(gateways) => gateways,
        Err(error) => return vec![Check::failed("payments", error.to_string())],
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
        Ok(Err(error)) => Check::failed(
            name,
            format!("{error}; check its key, its address and the way there"),
        ),
        Err(_) => Check::failed(name, "gave no answer; check its address and the way there"),
    }
}
