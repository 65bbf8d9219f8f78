//! Midtrans, by its Core API: charge, status, capture, cancel, refund.
//!
//! The purchase is the order id, which Midtrans takes once: a second charge is refused as a duplicate, and the status
//! tells what the first one led to. Cards are set aside and captured later; bank transfers and codes take the money
//! when the buyer acts, so they go from pending to captured.
//!
//! What Midtrans does not offer: a charge that was sent and not answered can only be asked about. Where it arrives
//! later than the question, the purchase is absent at first; the notification, or the next look, tells then.
//!
//! A captured card payment is settled overnight. Until then it can be cancelled as a whole and not be refunded in part,
//! so a partial refund stays pending so long.

mod amount;
mod api;
mod method;
mod object;
mod webhook;

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use onsale_domain::{Gateway, Money};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::{
    ApiUrl, GatewayError, Notice, PaymentGateway, PaymentRef, PaymentRequest, ProviderState, RefundRequest,
    RefundState, WebhookError, WebhookRequest,
};
use amount::to_rupiah;
use api::{Api, Failure};
use object::Transaction;

/// The order id has been used: the purchase was charged before.
const DUPLICATE: u16 = 406;
/// No order; asking for it shows whether the key is good.
const NO_ORDER: &str = "onsale-probe";

/// How to reach Midtrans.
#[derive(Clone, Debug)]
pub struct MidtransConfig {
    /// `https://api.midtrans.com`, its sandbox, or another in trials.
    pub url: ApiUrl,
    /// The account's server key. It signs notifications, too.
    pub server_key: SecretString,
}

/// Midtrans.
#[derive(Clone)]
pub struct MidtransGateway(Arc<Parts>);

struct Parts {
    api: Api,
    server_key: SecretString,
}

impl MidtransGateway {
    /// A gateway to this account; nothing is asked yet.
    ///
    /// Errors: a server key that cannot be sent, or no certificates to trust.
    pub fn new(config: &MidtransConfig) -> Result<Self, GatewayError> {
        Ok(Self(Arc::new(Parts {
            api: Api::new(config.url.clone(), &config.server_key)?,
            server_key: config.server_key.clone(),
        })))
    }
}

impl Parts {
    async fn start(&self, request: PaymentRequest) -> Result<ProviderState, GatewayError> {
        let order_id = request.purchase.to_string();
        let rupiah = to_rupiah(request.amount)
            .ok_or_else(|| GatewayError::Rejected("only whole rupiah can be charged".to_owned()))?;
        let Some(body) = method::charge(request.payment_method.expose_secret(), &order_id, rupiah) else {
            let reason = "unknown_payment_method".to_owned();
            return Ok(ProviderState::Declined { reason });
        };
        match self.api.charge(&body).await {
            Ok(transaction) => transaction.state(),
            Err(Failure::Refused(DUPLICATE)) => match self.find(&order_id).await? {
                Some(transaction) => transaction.state(),
                None => Err(GatewayError::Unknown),
            },
            // A token that is used up, a means of payment that the account does not have: another one may do.
            Err(Failure::Refused(code)) => Ok(ProviderState::Declined {
                reason: code.to_string(),
            }),
            Err(error @ (Failure::Gateway(_) | Failure::Missing)) => Err(error.into_error()),
        }
    }

    async fn find(&self, order_id: &str) -> Result<Option<Transaction>, GatewayError> {
        match self.api.status(order_id).await {
            Ok(transaction) => Ok(Some(transaction)),
            Err(Failure::Missing) => Ok(None),
            Err(error @ (Failure::Gateway(_) | Failure::Refused(_))) => Err(error.into_error()),
        }
    }

    async fn status(&self, payment: &PaymentRef) -> Result<ProviderState, GatewayError> {
        match self.find(&payment.purchase.to_string()).await? {
            Some(transaction) => transaction.state(),
            None => Ok(ProviderState::Absent),
        }
    }

    async fn capture(&self, payment: &PaymentRef) -> Result<ProviderState, GatewayError> {
        let state = self.status(payment).await?;
        let ProviderState::Authorized { reference, amount } = &state else {
            return Ok(state);
        };
        let body = json!({"transaction_id": reference, "gross_amount": to_rupiah(*amount)});
        match self.api.capture(&body).await {
            Ok(transaction) => transaction.state(),
            Err(Failure::Refused(code)) => match self.status(payment).await? {
                ProviderState::Authorized { .. } => Err(GatewayError::Rejected(code.to_string())),
                state => Ok(state),
            },
            Err(error @ (Failure::Gateway(_) | Failure::Missing)) => Err(error.into_error()),
        }
    }

    async fn void(&self, payment: &PaymentRef) -> Result<ProviderState, GatewayError> {
        let order_id = payment.purchase.to_string();
        let Some(transaction) = self.find(&order_id).await? else {
            return Ok(ProviderState::Absent);
        };
        match transaction.status.as_str() {
            "pending" | "authorize" | "capture" => self.cancel(&order_id).await,
            "settlement" | "partial_refund" => self.give_back(&order_id, &transaction).await,
            _ => transaction.state(),
        }
    }

    /// Ends what is not settled. Where it moved on meanwhile, tells where it is; voiding it again finds the way.
    async fn cancel(&self, order_id: &str) -> Result<ProviderState, GatewayError> {
        match self.api.act(order_id, "cancel", &json!({})).await {
            Ok(transaction) => transaction.state(),
            Err(Failure::Refused(code)) => {
                let state = match self.find(order_id).await? {
                    Some(transaction) => transaction.state()?,
                    None => ProviderState::Absent,
                };
                match state {
                    ProviderState::Authorized { .. } => Err(GatewayError::Rejected(code.to_string())),
                    state => Ok(state),
                }
            }
            Err(error @ (Failure::Gateway(_) | Failure::Missing)) => Err(error.into_error()),
        }
    }

    /// Refunds what is left of a settled payment. The key names how much is gone, so that a repeat is one refund.
    async fn give_back(
        &self,
        order_id: &str,
        transaction: &Transaction,
    ) -> Result<ProviderState, GatewayError> {
        let state = transaction.state()?;
        let ProviderState::Captured {
            amount,
            refunded_minor,
            ..
        } = state
        else {
            return Ok(state);
        };
        let left = Money {
            amount_minor: amount.amount_minor - refunded_minor,
            ..amount
        };
        let key = format!("{order_id}-void-{refunded_minor}");
        self.send_back(order_id, transaction, &key, left)
            .await
            .map_err(Failure::into_error)?;
        match self.find(order_id).await? {
            Some(transaction) => transaction.state(),
            None => Err(GatewayError::Unknown),
        }
    }

    async fn send_back(
        &self,
        order_id: &str,
        transaction: &Transaction,
        key: &str,
        amount: Money,
    ) -> Result<(), Failure> {
        // Cards go by Midtrans's own way to the bank, everything else directly.
        let action = match transaction.payment_type.as_deref() {
            Some("credit_card") => "refund",
            Some(_) | None => "refund/online/direct",
        };
        let rupiah = to_rupiah(amount)
            .ok_or_else(|| GatewayError::Rejected("only whole rupiah can be refunded".to_owned()))?;
        let body = json!({"refund_key": key, "amount": rupiah, "reason": "order"});
        self.api.act(order_id, action, &body).await.map(drop)
    }

    /// Looks for the refund first: Midtrans refuses a key that was used, and does not say for what.
    async fn refund(&self, payment: &PaymentRef, refund: RefundRequest) -> Result<RefundState, GatewayError> {
        let order_id = payment.purchase.to_string();
        let key = refund.refund_id.0.simple().to_string();
        let failed = |reason: &str| {
            let reason = reason.to_owned();
            Ok(RefundState::Failed { reason })
        };
        let Some(transaction) = self.find(&order_id).await? else {
            return failed("nothing was paid");
        };
        if is_refunded(&transaction, &key) {
            return Ok(RefundState::Succeeded);
        }
        let is_whole = transaction.gross()? == refund.amount;
        match transaction.status.as_str() {
            "settlement" | "partial_refund" => {}
            "cancel" if is_whole => return Ok(RefundState::Succeeded),
            "capture" if is_whole => {
                return Ok(match self.cancel(&order_id).await? {
                    ProviderState::Voided => RefundState::Succeeded,
                    _ => RefundState::Pending,
                });
            }
            "capture" => return Ok(RefundState::Pending),
            status => return failed(status),
        }
        match self.send_back(&order_id, &transaction, &key, refund.amount).await {
            Ok(()) => Ok(RefundState::Succeeded),
            Err(Failure::Refused(code)) => match self.find(&order_id).await? {
                Some(transaction) if is_refunded(&transaction, &key) => Ok(RefundState::Succeeded),
                Some(_) | None => failed(&code.to_string()),
            },
            Err(Failure::Gateway(GatewayError::Rejected(reason))) => failed(&reason),
            Err(error @ (Failure::Gateway(_) | Failure::Missing)) => Err(error.into_error()),
        }
    }
}

fn is_refunded(transaction: &Transaction, key: &str) -> bool {
    transaction.refunds.iter().any(|refund| refund.refund_key == key)
}

impl PaymentGateway for MidtransGateway {
    fn gateway(&self) -> Gateway {
        Gateway::Midtrans
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
        webhook::read(request, &self.0.server_key)
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), GatewayError>> {
        async move { self.0.find(NO_ORDER).await.map(drop) }.boxed()
    }
}
