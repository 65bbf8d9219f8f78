//! Stripe, by payment intents that are authorized first and captured later.
//!
//! An intent is made under the purchase as its idempotency key, from nothing but the purchase and its amount, and
//! without the buyer's payment method; paying it is a second request. So whoever knows the purchase gets the same
//! intent again by making it again, also after a crash between the two requests, and no payment method needs to be
//! stored for that. Stripe forgets keys after 24 hours, so an older purchase is looked for by its metadata first. That
//! takes Stripe up to a minute to know; of what is younger than that, the key is known still.
//!
//! A declined payment is not the end of an intent: with its client secret a buyer could try again for hours. So a
//! decline is only told once the intent is cancelled.
//!
//! Confirming carries a key, so that a repeat is answered with the decline that the first one met. Capturing and
//! cancelling carry none: the intent's own state makes a repeat harmless, and a kept answer could be a kept fault.
//! Cards only (`payment_method_types`), since other means cannot be set aside.

mod amount;
mod api;
mod object;
mod webhook;

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use onsale_domain::{Gateway, Money, Purchase, UnixMillis};
use onsale_engine::port::Clock;
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    ApiUrl, GatewayError, Notice, PaymentGateway, PaymentRef, PaymentRequest, ProviderState, RefundRequest,
    RefundState, WebhookError, WebhookRequest,
};
use amount::to_stripe;
use api::{Api, Failure};
use object::{Intent, Stage};
use webhook::Secrets;

/// The metadata that names our purchase, on intents and refunds.
const PURCHASE: &str = "purchase";
/// The metadata that names our refund.
const REFUND: &str = "refund";
/// What Stripe says where an intent of the purchase was made with other parameters.
const ANOTHER_AMOUNT: &str = "idempotency_error";
/// Until then a purchase is surely found by its key. Stripe keeps keys for 24 hours; the hour covers clocks and detours.
const KEY_KEPT_MS: i64 = 23 * 60 * 60 * 1_000;

/// How to reach Stripe.
#[derive(Clone, Debug)]
pub struct StripeConfig {
    /// `https://api.stripe.com`, or another in trials.
    pub url: ApiUrl,
    /// `sk_…` or `rk_…`.
    pub secret_key: SecretString,
    /// Of the webhook endpoint, `whsec_…`; two while one is exchanged. Without any, no webhook is believed.
    pub webhook_secrets: Vec<SecretString>,
}

/// Stripe.
#[derive(Clone)]
pub struct StripeGateway(Arc<Parts>);

struct Parts {
    api: Api,
    secrets: Secrets,
    clock: Arc<dyn Clock>,
}

/// What there is of a purchase.
enum Found {
    /// An intent that was there before.
    Known(Intent),
    /// An intent that was made by looking for it: nobody can have paid it.
    Fresh(Intent),
}

impl StripeGateway {
    /// A gateway to this account; nothing is asked yet.
    ///
    /// Errors: a secret key that cannot be sent, or no certificates to trust.
    pub fn new(config: &StripeConfig, clock: Arc<dyn Clock>) -> Result<Self, GatewayError> {
        Ok(Self(Arc::new(Parts {
            api: Api::new(config.url.clone(), &config.secret_key)?,
            secrets: Secrets::new(&config.webhook_secrets),
            clock,
        })))
    }
}

impl Parts {
    /// The purchase's intent, by whatever way leads to it; made if there is none.
    async fn find(
        &self,
        purchase: Purchase,
        reference: Option<&str>,
        amount: Money,
    ) -> Result<Found, Failure> {
        if let Some(reference) = reference {
            return self.api.intent(reference).await.map(Found::Known);
        }
        let purchase_text = purchase.to_string();
        if !self.surely_has_key(purchase) {
            let found = self.api.search_intents(PURCHASE, &purchase_text).await?;
            if let Some(intent) = found.into_iter().next() {
                return Ok(Found::Known(intent));
            }
        }
        let number = chargeable(amount)?.to_string();
        let currency = amount.currency.code().to_ascii_lowercase();
        let fields = [
            ("amount", number.as_str()),
            ("currency", &currency),
            ("capture_method", "manual"),
            ("payment_method_types[]", "card"),
            ("metadata[purchase]", &purchase_text),
            ("expand[]", "latest_charge"),
        ];
        let made = self.api.create_intent(&purchase_text, &fields).await?;
        if !made.replayed {
            return Ok(Found::Fresh(made.object));
        }
        // The answer is the one of its making; the intent has moved on since.
        self.api.intent(&made.object.id).await.map(Found::Known)
    }

    /// Whether the purchase is so young that Stripe cannot have forgotten its key. Ids that are made of a request's
    /// key carry only the day, so that they look older than they are.
    fn surely_has_key(&self, purchase: Purchase) -> bool {
        let made_at = purchase
            .id()
            .get_timestamp()
            .map_or(0, |timestamp| timestamp.to_unix().0);
        let made_at = UnixMillis(i64::try_from(made_at).unwrap_or(i64::MAX).saturating_mul(1_000));
        self.clock.now().ms_since(made_at) < KEY_KEPT_MS
    }

    async fn start(&self, request: PaymentRequest) -> Result<ProviderState, GatewayError> {
        let found = self.find(request.purchase, None, request.amount).await;
        let found = found.map_err(Failure::into_error)?;
        let (Found::Known(intent) | Found::Fresh(intent)) = found;
        let id = intent.id.clone();
        match intent.stage()? {
            Stage::Open => {}
            stage @ (Stage::Failed(_) | Stage::Told(_)) => return self.settle(&id, stage).await,
        }
        let payment_method = request.payment_method.expose_secret();
        let method_digest = blake3::hash(payment_method.as_bytes()).to_hex();
        let key = format!("{}:confirm:{}", request.purchase, &method_digest[..32]);
        let fields = [("payment_method", payment_method)];
        match self.api.act(&id, "confirm", Some(&key), &fields).await {
            Ok(intent) => self.settle(&id, intent.stage()?).await,
            Err(Failure::Gateway(error)) => Err(error),
            // Declined, no such payment method, or confirmed meanwhile by somebody else: the intent itself tells.
            Err(Failure::Refused(reason)) => self.refused(&id, reason).await,
            Err(Failure::Missing) => self.refused(&id, "resource_missing".to_owned()).await,
        }
    }

    async fn refused(&self, id: &str, reason: String) -> Result<ProviderState, GatewayError> {
        let intent = self.api.intent(id).await.map_err(Failure::into_error)?;
        match intent.stage()? {
            Stage::Open => self.decline(id, reason).await,
            stage @ (Stage::Failed(_) | Stage::Told(_)) => self.settle(id, stage).await,
        }
    }

    async fn settle(&self, id: &str, stage: Stage) -> Result<ProviderState, GatewayError> {
        match stage {
            Stage::Open => Ok(ProviderState::Pending {
                reference: id.to_owned(),
                action: None,
            }),
            Stage::Failed(reason) => self.decline(id, reason).await,
            Stage::Told(told) => Ok(told),
        }
    }

    /// Makes a refused payment final, unless the intent has moved on.
    async fn decline(&self, id: &str, reason: String) -> Result<ProviderState, GatewayError> {
        Ok(match self.cancel(id).await? {
            ProviderState::Voided => ProviderState::Declined { reason },
            state => state,
        })
    }

    async fn cancel(&self, id: &str) -> Result<ProviderState, GatewayError> {
        self.act(id, "cancel").await
    }

    /// Does something to an intent that its own state makes safe to repeat, and tells where it stands then.
    async fn act(&self, id: &str, action: &str) -> Result<ProviderState, GatewayError> {
        let (intent, refusal) = match self.api.act(id, action, None, &[]).await {
            Ok(intent) => (intent, None),
            Err(Failure::Refused(reason)) => {
                let intent = self.api.intent(id).await.map_err(Failure::into_error)?;
                (intent, Some(reason))
            }
            Err(error @ (Failure::Gateway(_) | Failure::Missing)) => return Err(error.into_error()),
        };
        match (intent.stage()?, refusal) {
            (Stage::Told(state @ ProviderState::Authorized { .. }), Some(reason)) => {
                tracing::warn!(
                    intent = id,
                    action,
                    reason,
                    ?state,
                    "Stripe keeps what is set aside as it is"
                );
                Err(GatewayError::Rejected(reason))
            }
            (Stage::Told(state), _) => Ok(state),
            (Stage::Open | Stage::Failed(_), Some(reason)) => Err(GatewayError::Rejected(reason)),
            (Stage::Open | Stage::Failed(_), None) => Err(GatewayError::Unknown),
        }
    }

    async fn status(&self, payment: &PaymentRef) -> Result<ProviderState, GatewayError> {
        match self.look(payment).await? {
            Some(Found::Known(intent)) => {
                let id = intent.id.clone();
                self.settle(&id, intent.stage()?).await
            }
            Some(Found::Fresh(_)) | None => Ok(ProviderState::Absent),
        }
    }

    /// What there is of a payment that was begun. An intent that Stripe refuses to make was never there.
    async fn look(&self, payment: &PaymentRef) -> Result<Option<Found>, GatewayError> {
        let reference = payment.reference.as_deref();
        match self.find(payment.purchase, reference, payment.amount).await {
            Ok(found) => Ok(Some(found)),
            Err(Failure::Refused(reason)) if reason != ANOTHER_AMOUNT => Ok(None),
            Err(error) => Err(error.into_error()),
        }
    }

    async fn capture(&self, payment: &PaymentRef) -> Result<ProviderState, GatewayError> {
        match self.look(payment).await? {
            Some(Found::Known(intent)) => self.act(&intent.id, "capture").await,
            Some(Found::Fresh(_)) | None => Ok(ProviderState::Absent),
        }
    }

    async fn void(&self, payment: &PaymentRef) -> Result<ProviderState, GatewayError> {
        let Some(Found::Known(intent) | Found::Fresh(intent)) = self.look(payment).await? else {
            return Ok(ProviderState::Absent);
        };
        let id = intent.id.clone();
        let state = match intent.stage()? {
            Stage::Told(ProviderState::Pending { .. } | ProviderState::Authorized { .. }) | Stage::Open => {
                self.cancel(&id).await?
            }
            stage @ (Stage::Failed(_) | Stage::Told(_)) => self.settle(&id, stage).await?,
        };
        match state {
            ProviderState::Captured {
                amount,
                refunded_minor,
                ..
            } if refunded_minor < amount.amount_minor => {
                self.give_back(payment.purchase, &id, amount, refunded_minor)
                    .await
            }
            state => Ok(state),
        }
    }

    /// Refunds what is left of a captured payment. The key names how much that is, so that a repeat is one refund.
    async fn give_back(
        &self,
        purchase: Purchase,
        id: &str,
        amount: Money,
        refunded_minor: i64,
    ) -> Result<ProviderState, GatewayError> {
        let left = Money {
            amount_minor: amount.amount_minor - refunded_minor,
            ..amount
        };
        let number = chargeable(left).map_err(Failure::into_error)?.to_string();
        let purchase = purchase.to_string();
        let key = format!("{purchase}:void:{refunded_minor}");
        let fields = [
            ("payment_intent", id),
            ("amount", &number),
            ("metadata[purchase]", &purchase),
        ];
        self.api
            .create_refund(&key, &fields)
            .await
            .map_err(Failure::into_error)?;
        let intent = self.api.intent(id).await.map_err(Failure::into_error)?;
        self.settle(id, intent.stage()?).await
    }

    /// Looks for the refund first: its key is forgotten after a day, and a repeat would be a second refund then.
    async fn refund(&self, payment: &PaymentRef, refund: RefundRequest) -> Result<RefundState, GatewayError> {
        let Some(Found::Known(intent)) = self.look(payment).await? else {
            return Ok(RefundState::Failed {
                reason: "nothing was paid".to_owned(),
            });
        };
        let refund_text = refund.refund_id.0.simple().to_string();
        let known = self.api.find_refund(&intent.id, REFUND, &refund_text).await;
        if let Some(known) = known.map_err(Failure::into_error)? {
            return Ok(known.state());
        }
        let number = match chargeable(refund.amount) {
            Ok(number) => number.to_string(),
            Err(error) => {
                let reason = error.into_error().to_string();
                return Ok(RefundState::Failed { reason });
            }
        };
        let purchase = payment.purchase.to_string();
        let fields = [
            ("payment_intent", intent.id.as_str()),
            ("amount", &number),
            ("metadata[purchase]", &purchase),
            ("metadata[refund]", &refund_text),
        ];
        match self
            .api
            .create_refund(&format!("refund_{refund_text}"), &fields)
            .await
        {
            Ok(made) => Ok(made.state()),
            Err(Failure::Refused(reason)) => Ok(RefundState::Failed { reason }),
            Err(error @ (Failure::Gateway(_) | Failure::Missing)) => Err(error.into_error()),
        }
    }
}

fn chargeable(amount: Money) -> Result<i64, Failure> {
    to_stripe(amount).ok_or_else(|| {
        let Money {
            amount_minor,
            currency,
        } = amount;
        Failure::Refused(format!(
            "cannot charge {amount_minor} minor units of {}",
            currency.code()
        ))
    })
}

impl PaymentGateway for StripeGateway {
    fn gateway(&self) -> Gateway {
        Gateway::Stripe
    }

    fn start(&self, request: PaymentRequest) -> BoxFuture<'_, Result<ProviderState, GatewayError>> {
        self.0.start(request).boxed()
    }

    fn status<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Result<ProviderState, GatewayError>> {
        self.0.status(payment).boxed()
    }

    fn capture<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Result<ProviderState, GatewayError>> {
        self.0.capture(payment).boxed()
    }

    fn void<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Result<ProviderState, GatewayError>> {
        self.0.void(payment).boxed()
    }

    fn refund<'a>(
        &'a self,
        payment: &'a PaymentRef,
        refund: RefundRequest,
    ) -> BoxFuture<'a, Result<RefundState, GatewayError>> {
        self.0.refund(payment, refund).boxed()
    }

    fn webhook(&self, request: WebhookRequest<'_>) -> Result<Notice, WebhookError> {
        webhook::read(request, &self.0.secrets)
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), GatewayError>> {
        async move { self.0.api.probe().await.map_err(Failure::into_error) }.boxed()
    }
}
