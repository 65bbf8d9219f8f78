//! Who takes the money.

use std::str::FromStr as _;

use onsale_domain::Gateway;
use onsale_services::{ApiUrl, MidtransConfig, StripeConfig};
use secrecy::SecretString;

use super::parse::Reader;
use super::setting::{
    MIDTRANS_SERVER_KEY, MIDTRANS_URL, PAYMENT_GATEWAY, STRIPE_SECRET_KEY, STRIPE_URL, STRIPE_WEBHOOK_SECRETS,
};
use super::{ConfigurationError, Setting};

/// Secrets of one webhook endpoint: the one in force, and the one before or after it.
const WEBHOOK_SECRETS_MAX: usize = 2;

/// The payment providers.
#[derive(Clone, Debug)]
pub(crate) struct PaymentSettings {
    /// Who takes new payments.
    pub(crate) current: Gateway,
    /// Nothing where there is no key.
    pub(crate) stripe: Option<StripeConfig>,
    /// Nothing where there is no key.
    pub(crate) midtrans: Option<MidtransConfig>,
}

impl PaymentSettings {
    pub(super) fn read(reader: &Reader<'_>) -> Result<Self, ConfigurationError> {
        let settings = Self {
            current: current(reader)?,
            stripe: stripe(reader)?,
            midtrans: midtrans(reader)?,
        };
        let missing = match settings.current {
            Gateway::Stripe if settings.stripe.is_none() => Some(&STRIPE_SECRET_KEY),
            Gateway::Midtrans if settings.midtrans.is_none() => Some(&MIDTRANS_SERVER_KEY),
            Gateway::Simulated | Gateway::Stripe | Gateway::Midtrans => None,
        };
        match missing {
            None => Ok(settings),
            Some(setting) => {
                let problem = format!("is not set, and {} takes the payments", settings.current.as_str());
                Err(ConfigurationError::of(setting, problem))
            }
        }
    }
}

/// Refuses a provider's settings that looked well and cannot be used.
pub(crate) fn unusable_gateway(gateway: Gateway, problem: String) -> ConfigurationError {
    let setting = match gateway {
        Gateway::Simulated => &PAYMENT_GATEWAY,
        Gateway::Stripe => &STRIPE_SECRET_KEY,
        Gateway::Midtrans => &MIDTRANS_SERVER_KEY,
    };
    ConfigurationError::of(setting, problem)
}

fn current(reader: &Reader<'_>) -> Result<Gateway, ConfigurationError> {
    let name = reader.text(&PAYMENT_GATEWAY)?;
    Gateway::of_name(name)
        .ok_or_else(|| ConfigurationError::of(&PAYMENT_GATEWAY, format!("`{name}` is no gateway")))
}

fn stripe(reader: &Reader<'_>) -> Result<Option<StripeConfig>, ConfigurationError> {
    let url = url(reader, &STRIPE_URL)?;
    let webhook_secrets: Vec<SecretString> = reader
        .optional(&STRIPE_WEBHOOK_SECRETS)
        .into_iter()
        .flat_map(|secrets| secrets.split([',', '\n']))
        .map(str::trim)
        .filter(|secret| !secret.is_empty())
        .map(Into::into)
        .collect();
    if webhook_secrets.len() > WEBHOOK_SECRETS_MAX {
        return Err(ConfigurationError::of(
            &STRIPE_WEBHOOK_SECRETS,
            "holds more than two",
        ));
    }
    let secret_key = reader.optional(&STRIPE_SECRET_KEY);
    Ok(secret_key.map(|secret_key| StripeConfig {
        url,
        secret_key: secret_key.into(),
        webhook_secrets,
    }))
}

fn midtrans(reader: &Reader<'_>) -> Result<Option<MidtransConfig>, ConfigurationError> {
    let url = url(reader, &MIDTRANS_URL)?;
    let server_key = reader.optional(&MIDTRANS_SERVER_KEY);
    Ok(server_key.map(|server_key| MidtransConfig {
        url,
        server_key: server_key.into(),
    }))
}

fn url(reader: &Reader<'_>, setting: &Setting) -> Result<ApiUrl, ConfigurationError> {
    ApiUrl::from_str(reader.text(setting)?)
        .map_err(|error| ConfigurationError::of(setting, format!("is {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::{Settings, Sources};

    fn read(environment: &[(&str, &str)]) -> Result<PaymentSettings, ConfigurationError> {
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        let settings = Settings::load(&Sources::with_environment(environment, None))?;
        Ok(settings.payments)
    }

    #[test]
    fn nobody_configured_means_no_money() {
        let payments = read(&[]).unwrap();
        assert_eq!(payments.current, Gateway::Simulated);
        assert!(payments.stripe.is_none() && payments.midtrans.is_none());
    }

    #[test]
    fn every_provider_with_a_key_is_there_and_one_takes_new_payments() {
        let payments = read(&[
            ("ONSALE_PAYMENT_GATEWAY", "midtrans"),
            ("ONSALE_MIDTRANS_SERVER_KEY", "Mid-server-x"),
            ("ONSALE_STRIPE_SECRET_KEY", "sk_test_1"),
            ("ONSALE_STRIPE_WEBHOOK_SECRETS", "whsec_1, whsec_2"),
        ])
        .unwrap();
        assert_eq!(payments.current, Gateway::Midtrans);
        let stripe = payments.stripe.unwrap();
        assert_eq!(stripe.webhook_secrets.len(), 2);
        assert_eq!(stripe.url.to_string(), "https://api.stripe.com");
        assert_eq!(
            payments.midtrans.unwrap().url.to_string(),
            "https://api.midtrans.com"
        );
    }

    #[test]
    fn what_cannot_take_payments_is_refused_by_name() {
        for (environment, setting) in [
            (vec![("ONSALE_PAYMENT_GATEWAY", "paypal")], "payment_gateway"),
            (vec![("ONSALE_PAYMENT_GATEWAY", "stripe")], "stripe_secret_key"),
            (
                vec![("ONSALE_PAYMENT_GATEWAY", "midtrans")],
                "midtrans_server_key",
            ),
            (
                vec![("ONSALE_STRIPE_WEBHOOK_SECRETS", "a,b,c")],
                "stripe_webhook_secrets",
            ),
            (vec![("ONSALE_STRIPE_URL", "http://api.stripe.com")], "stripe_url"),
            (vec![("ONSALE_MIDTRANS_URL", "midtrans")], "midtrans_url"),
        ] {
            let error = read(&environment).unwrap_err();
            assert!(error.setting.starts_with(setting), "{error}");
        }
    }
}
