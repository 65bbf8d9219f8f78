//! Taking money, through one trait for every provider.
//!
//! Every call is idempotent by the purchase, also after a restart of either side. What a provider tells of its own
//! accord (a webhook) is only a hint to ask it: [`PaymentGateway::status`] is what the sale acts on, so hints may come
//! late, twice, in any order, or never.

mod asked;
mod gateways;
mod http_client;
mod midtrans;
mod notices;
mod resilient;
mod simulated;
mod stripe;
mod worker;

use std::fmt;

use futures::future::BoxFuture;
use onsale_domain::{Gateway, Money, Purchase, RefundId, UnixMillis};
use secrecy::SecretString;
use thiserror::Error;

pub use gateways::Gateways;
pub use http_client::{ApiUrl, NotAnApiUrl};
pub use midtrans::{MidtransConfig, MidtransGateway};
pub use resilient::{ResiliencePolicy, ResilientGateway};
pub use simulated::SimulatedGateway;
pub use stripe::{StripeConfig, StripeGateway};
pub use worker::PaymentWorker;

/// Asks a provider for money.
#[derive(Clone, Debug)]
pub struct PaymentRequest {
    /// What for. It is the provider's idempotency key.
    pub purchase: Purchase,
    /// How much.
    pub amount: Money,
    /// The provider's token for the buyer's means of payment. Never logged, never stored.
    pub payment_method: SecretString,
}

/// A payment that was begun, perhaps without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRef {
    /// What for.
    pub purchase: Purchase,
    /// The provider's own reference; `None` where the answer with it was lost.
    pub reference: Option<String>,
    /// How much was asked for.
    pub amount: Money,
}

/// What the buyer has to do before the provider decides.
#[derive(Clone, PartialEq, Eq)]
pub struct PaymentAction {
    /// `redirect`, `pay_code` or another word of the provider.
    pub kind: String,
    /// Where to go, where that is what to do.
    pub url: Option<String>,
    /// The provider's own data for its client library, such as a client secret or an account number.
    pub detail: Option<String>,
}

/// Without the detail, which may be a secret of the buyer's.
impl fmt::Debug for PaymentAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PaymentAction")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// A payment, as its provider knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderState {
    /// It knows of none: nothing was taken, and nothing will be.
    Absent,
    /// It has not decided.
    Pending {
        /// Its reference.
        reference: String,
        /// What it waits for.
        action: Option<PaymentAction>,
    },
    /// Money is set aside, to be captured or voided.
    Authorized {
        /// Its reference.
        reference: String,
        /// How much.
        amount: Money,
    },
    /// Money was taken.
    Captured {
        /// Its reference.
        reference: String,
        /// How much.
        amount: Money,
        /// How much of it went back since.
        refunded_minor: i64,
    },
    /// A final no.
    Declined {
        /// The provider's word for it; for logs and staff, not for buyers.
        reason: String,
    },
    /// What was set aside was let go, or will never be set aside.
    Voided,
}

/// Asks for money to go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefundRequest {
    /// The refund. It is the provider's idempotency key.
    pub refund_id: RefundId,
    /// How much of the payment.
    pub amount: Money,
}

/// A refund, as its provider knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundState {
    /// Under way; asking again under the same id finds out.
    Pending,
    /// The money is on its way back.
    Succeeded,
    /// A final no.
    Failed {
        /// The provider's word for it.
        reason: String,
    },
}

/// Why a provider did not do as asked.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum GatewayError {
    /// It was not reached: nothing happened.
    #[error("the payment provider cannot be reached: {0}")]
    Unavailable(String),
    /// It was asked and gave no answer: whether it happened is open until its status tells.
    #[error("no answer from the payment provider")]
    Unknown,
    /// It refuses this request, however often it comes.
    #[error("the payment provider refuses: {0}")]
    Rejected(String),
}

/// A webhook as it came in.
#[derive(Clone, Copy)]
pub struct WebhookRequest<'a> {
    /// The value of a header, by its lower-case name.
    pub header: &'a dyn Fn(&str) -> Option<&'a str>,
    /// The body, byte for byte.
    pub body: &'a [u8],
    /// When it came.
    pub now: UnixMillis,
}

/// What a webhook told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Which purchase to ask about; `None` where it is about nothing of ours.
    pub purchase: Option<Purchase>,
    /// The provider's word for what happened, such as `payment_intent.succeeded`; for logs.
    pub outcome: String,
}

/// Why a webhook is not believed.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum WebhookError {
    /// No signature, or one that nobody with the secret made, or one from another time.
    #[error("the signature is not the provider's")]
    Forged,
    /// Signed, but not in a shape that we know.
    #[error("the message cannot be read")]
    Unreadable,
}

/// A payment provider.
pub trait PaymentGateway: Send + Sync + 'static {
    /// Which.
    fn gateway(&self) -> Gateway;

    /// Begins a payment, or goes on with the one that was begun for the purchase.
    fn start(&self, request: PaymentRequest) -> BoxFuture<'_, Result<ProviderState, GatewayError>>;

    /// What became of a payment.
    fn status<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Result<ProviderState, GatewayError>>;

    /// Takes what was set aside. What is captured already stays so.
    fn capture<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Result<ProviderState, GatewayError>>;

    /// Makes sure that the purchase costs nothing: ends what is undecided, lets go of what is set aside, gives back
    /// what was captured. After it, the purchase can no longer be paid.
    ///
    /// Done where it answers [`ProviderState::Voided`], [`ProviderState::Declined`], [`ProviderState::Absent`], or
    /// [`ProviderState::Captured`] with all of it refunded. Any other state is to be voided again later.
    fn void<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Result<ProviderState, GatewayError>>;

    /// Gives some of a captured payment back.
    fn refund<'a>(
        &'a self,
        payment: &'a PaymentRef,
        refund: RefundRequest,
    ) -> BoxFuture<'a, Result<RefundState, GatewayError>>;

    /// Checks and reads a webhook.
    fn webhook(&self, request: WebhookRequest<'_>) -> Result<Notice, WebhookError>;

    /// Sets gauges to how it is now, for what changes without a request.
    fn observe(&self) {}

    /// Whether the provider answers and knows us; for operators. Nothing to ask where there is no peer.
    fn probe(&self) -> BoxFuture<'_, Result<(), GatewayError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
