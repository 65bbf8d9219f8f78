//! The payment providers, each as patiently asked as the others.

use std::sync::Arc;
use std::time::Duration;

use onsale_domain::Gateway;
use onsale_engine::port::Clock;
use onsale_services::{
    GatewayError, Gateways, MidtransGateway, PaymentGateway, ResiliencePolicy, ResilientGateway,
    ServicesConfig, SimulatedGateway, StripeGateway,
};

use super::StartError;
use crate::configuration::{Settings, unusable_gateway};

/// Everyone who has a key, and the simulated one: whoever took a payment has to settle it.
pub(crate) fn payment_gateways(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
) -> Result<Vec<Arc<dyn PaymentGateway>>, StartError> {
    let payments = &settings.payments;
    let mut gateways: Vec<Arc<dyn PaymentGateway>> = vec![Arc::new(SimulatedGateway::new(Arc::clone(clock)))];
    if let Some(config) = &payments.stripe {
        if config.webhook_secrets.is_empty() {
            tracing::warn!("Stripe has no webhook secret: payments are only asked about from time to time");
        }
        let stripe = StripeGateway::new(config, Arc::clone(clock)).map_err(unusable(Gateway::Stripe))?;
        gateways.push(patient(Arc::new(stripe)));
    }
    if let Some(config) = &payments.midtrans {
        let midtrans = MidtransGateway::new(config).map_err(unusable(Gateway::Midtrans))?;
        gateways.push(patient(Arc::new(midtrans)));
    }
    Ok(gateways)
}

/// The same for use cases: who takes new payments comes first.
pub(super) fn open(settings: &Settings, clock: &Arc<dyn Clock>) -> Result<Gateways, StartError> {
    let current = settings.payments.current;
    let (mut first, others): (Vec<_>, Vec<_>) = payment_gateways(settings, clock)?
        .into_iter()
        .partition(|gateway| gateway.gateway() == current);
    let first = first
        .pop()
        .ok_or_else(|| unusable_gateway(current, "cannot take payments".to_owned()))?;
    Ok(Gateways::new(first, others))
}

/// How long use cases wait: for a provider a little longer than its own patience, which knows more.
pub(super) fn patience(settings: &Settings) -> Duration {
    match settings.payments.current {
        Gateway::Simulated => ServicesConfig::default().gateway_timeout,
        Gateway::Stripe | Gateway::Midtrans => ResiliencePolicy::default().total + Duration::from_secs(1),
    }
}

fn patient(gateway: Arc<dyn PaymentGateway>) -> Arc<dyn PaymentGateway> {
    Arc::new(ResilientGateway::new(gateway, ResiliencePolicy::default()))
}

fn unusable(gateway: Gateway) -> impl Fn(GatewayError) -> StartError {
    move |error| unusable_gateway(gateway, error.to_string()).into()
}
