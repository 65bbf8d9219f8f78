//! Stripe's objects, as far as we read them, and what they mean to us.

use std::collections::HashMap;

use onsale_domain::Money;
use serde::Deserialize;

use super::amount::from_stripe;
use crate::payments::{GatewayError, PaymentAction, ProviderState, RefundState};

/// A `PaymentIntent`.
#[derive(Debug, Deserialize)]
pub(super) struct Intent {
    pub(super) id: String,
    status: IntentStatus,
    /// Set aside.
    amount_capturable: i64,
    /// Taken.
    amount_received: i64,
    currency: String,
    client_secret: Option<String>,
    next_action: Option<NextAction>,
    last_payment_error: Option<PaymentError>,
    latest_charge: Option<LatestCharge>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum IntentStatus {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Processing,
    RequiresCapture,
    Canceled,
    Succeeded,
}

#[derive(Debug, Deserialize)]
struct NextAction {
    #[serde(rename = "type")]
    kind: String,
    redirect_to_url: Option<RedirectToUrl>,
}

#[derive(Debug, Deserialize)]
struct RedirectToUrl {
    url: Option<String>,
}

/// Why a payment, or a request, failed. The message stays unread: it may quote what was sent.
#[derive(Debug, Default, Deserialize)]
pub(super) struct PaymentError {
    #[serde(rename = "type")]
    kind: Option<String>,
    code: Option<String>,
    decline_code: Option<String>,
}

impl PaymentError {
    /// The most telling of its words.
    pub(super) fn reason(self) -> String {
        self.decline_code
            .or(self.code)
            .or(self.kind)
            .unwrap_or_else(|| "no reason given".to_owned())
    }
}

/// An id, unless it was asked for whole.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum LatestCharge {
    Whole { amount_refunded: i64 },
    Id(#[expect(dead_code, reason = "read only to be told apart")] String),
}

/// Where an intent stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nobody tried to pay it yet.
    Open,
    /// Somebody tried and was refused, and might try again.
    Failed(String),
    /// It is where it stays, or moves on without us.
    Told(ProviderState),
}

impl Intent {
    pub(super) fn stage(self) -> Result<Stage, GatewayError> {
        let reference = self.id.clone();
        let failure = |error: Option<PaymentError>| error.map(PaymentError::reason);
        Ok(match self.status {
            IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresConfirmation => {
                failure(self.last_payment_error).map_or(Stage::Open, Stage::Failed)
            }
            IntentStatus::RequiresAction => Stage::Told(ProviderState::Pending {
                reference,
                action: self.next_action.map(|action| PaymentAction {
                    kind: action.kind,
                    url: action.redirect_to_url.and_then(|redirect| redirect.url),
                    detail: self.client_secret,
                }),
            }),
            IntentStatus::Processing => Stage::Told(ProviderState::Pending {
                reference,
                action: None,
            }),
            IntentStatus::RequiresCapture => Stage::Told(ProviderState::Authorized {
                amount: self.money(self.amount_capturable)?,
                reference,
            }),
            IntentStatus::Succeeded => Stage::Told(ProviderState::Captured {
                amount: self.money(self.amount_received)?,
                refunded_minor: self.refunded()?.amount_minor,
                reference,
            }),
            IntentStatus::Canceled => Stage::Told(match failure(self.last_payment_error) {
                Some(reason) => ProviderState::Declined { reason },
                None => ProviderState::Voided,
            }),
        })
    }

    fn money(&self, amount: i64) -> Result<Money, GatewayError> {
        from_stripe(amount, &self.currency)
            .ok_or_else(|| GatewayError::Rejected(format!("{amount} {} is no amount of ours", self.currency)))
    }

    fn refunded(&self) -> Result<Money, GatewayError> {
        match &self.latest_charge {
            Some(LatestCharge::Whole { amount_refunded }) => self.money(*amount_refunded),
            // Each request asks for the charge as a whole.
            Some(LatestCharge::Id(_)) | None => Err(GatewayError::Unknown),
        }
    }
}

/// A refund.
#[derive(Debug, Deserialize)]
pub(super) struct Refund {
    pub(super) id: String,
    status: Option<String>,
    failure_reason: Option<String>,
    #[serde(default)]
    pub(super) metadata: HashMap<String, String>,
}

impl Refund {
    pub(super) fn state(self) -> RefundState {
        match self.status.as_deref() {
            Some("succeeded") => RefundState::Succeeded,
            Some("failed" | "canceled") => RefundState::Failed {
                reason: self
                    .failure_reason
                    .unwrap_or_else(|| "no reason given".to_owned()),
            },
            // Also what Stripe may add one day: asking again finds out.
            Some(_) | None => RefundState::Pending,
        }
    }
}

/// A page of a list, or of what was found.
#[derive(Debug, Deserialize)]
pub(super) struct List<T> {
    pub(super) data: Vec<T>,
    #[serde(default)]
    pub(super) has_more: bool,
}

/// The body of a refusal.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ErrorBody {
    #[serde(default)]
    pub(super) error: PaymentError,
}

#[cfg(test)]
mod tests {
    use onsale_domain::money::Currency;
    use serde_json::{Value, json};

    use super::*;

    fn stage(members: &Value) -> Result<Stage, GatewayError> {
        let mut intent = json!({
            "id": "pi_1", "currency": "eur", "amount_capturable": 0, "amount_received": 0,
            "client_secret": "pi_1_secret_2", "next_action": null, "last_payment_error": null, "latest_charge": null,
        });
        for (name, value) in members.as_object().unwrap() {
            intent[name] = value.clone();
        }
        serde_json::from_value::<Intent>(intent).unwrap().stage()
    }

    fn eur(amount_minor: i64) -> Money {
        Money {
            amount_minor,
            currency: Currency::EUR,
        }
    }

    #[test]
    fn each_status_means_one_state() {
        let reference = || "pi_1".to_owned();
        let error = json!({"type": "card_error", "code": "card_declined", "decline_code": "lost_card", "message": "x"});
        let pending = |action| {
            Stage::Told(ProviderState::Pending {
                reference: reference(),
                action,
            })
        };
        let redirect =
            json!({"type": "redirect_to_url", "redirect_to_url": {"url": "https://hooks.stripe.com/x"}});
        for (members, expected) in [
            (json!({"status": "requires_payment_method"}), Stage::Open),
            (json!({"status": "requires_confirmation"}), Stage::Open),
            (
                json!({"status": "requires_payment_method", "last_payment_error": error}),
                Stage::Failed("lost_card".to_owned()),
            ),
            (json!({"status": "processing"}), pending(None)),
            (
                json!({"status": "requires_action", "next_action": redirect}),
                pending(Some(PaymentAction {
                    kind: "redirect_to_url".to_owned(),
                    url: Some("https://hooks.stripe.com/x".to_owned()),
                    detail: Some("pi_1_secret_2".to_owned()),
                })),
            ),
            (
                json!({"status": "requires_capture", "amount_capturable": 4500}),
                Stage::Told(ProviderState::Authorized {
                    reference: reference(),
                    amount: eur(4_500),
                }),
            ),
            (
                json!({"status": "succeeded", "amount_received": 4500, "latest_charge": {"id": "ch_1", "amount_refunded": 1500}}),
                Stage::Told(ProviderState::Captured {
                    reference: reference(),
                    amount: eur(4_500),
                    refunded_minor: 1_500,
                }),
            ),
            (json!({"status": "canceled"}), Stage::Told(ProviderState::Voided)),
            (
                json!({"status": "canceled", "last_payment_error": {"code": "card_declined"}}),
                Stage::Told(ProviderState::Declined {
                    reason: "card_declined".to_owned(),
                }),
            ),
        ] {
            assert_eq!(stage(&members), Ok(expected), "{members}");
        }
    }

    #[test]
    fn money_that_cannot_be_told_is_no_state() {
        let unexpanded = json!({"status": "succeeded", "amount_received": 4500, "latest_charge": "ch_1"});
        assert_eq!(stage(&unexpanded), Err(GatewayError::Unknown));
        let foreign = json!({"status": "requires_capture", "amount_capturable": 1, "currency": "zzz"});
        assert!(matches!(stage(&foreign), Err(GatewayError::Rejected(_))));
    }

    #[test]
    fn refunds_end_in_one_of_two_ways() {
        let state = |status: Value| {
            let refund = json!({"id": "re_1", "status": status, "failure_reason": "lost_or_stolen_card"});
            serde_json::from_value::<Refund>(refund).unwrap().state()
        };
        assert_eq!(state(json!("succeeded")), RefundState::Succeeded);
        for status in [
            json!("pending"),
            json!("requires_action"),
            json!(null),
            json!("new"),
        ] {
            assert_eq!(state(status), RefundState::Pending);
        }
        for status in [json!("failed"), json!("canceled")] {
            assert!(
                matches!(state(status), RefundState::Failed { reason } if reason == "lost_or_stolen_card")
            );
        }
    }
}
