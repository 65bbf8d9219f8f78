//! Midtrans's transactions, as far as we read them, and what they mean to us.

use onsale_domain::Money;
use serde::Deserialize;

use super::amount::from_text;
use crate::payments::{GatewayError, PaymentAction, ProviderState};

/// A transaction, as charges, status, capture, cancel and refund answer it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Transaction {
    #[serde(rename = "transaction_id")]
    id: String,
    #[serde(rename = "transaction_status")]
    pub(super) status: String,
    pub(super) payment_type: Option<String>,
    gross_amount: String,
    currency: Option<String>,
    fraud_status: Option<String>,
    redirect_url: Option<String>,
    #[serde(default)]
    va_numbers: Vec<VirtualAccount>,
    permata_va_number: Option<String>,
    #[serde(default)]
    actions: Vec<Action>,
    qr_string: Option<String>,
    refund_amount: Option<String>,
    #[serde(default)]
    pub(super) refunds: Vec<Refund>,
}

#[derive(Clone, Debug, Deserialize)]
struct VirtualAccount {
    bank: String,
    va_number: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Action {
    name: String,
    url: String,
}

/// A refund of a transaction.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Refund {
    #[serde(default)]
    pub(super) refund_key: String,
}

impl Transaction {
    pub(super) fn state(&self) -> Result<ProviderState, GatewayError> {
        let reference = self.id.clone();
        let declined = |reason: &str| ProviderState::Declined {
            reason: reason.to_owned(),
        };
        Ok(match (self.status.as_str(), self.fraud_status.as_deref()) {
            ("pending", _) => ProviderState::Pending {
                reference,
                action: self.action(),
            },
            // Somebody at the merchant or at Midtrans has to look at it.
            ("authorize" | "capture", Some("challenge")) => ProviderState::Pending {
                reference,
                action: None,
            },
            ("authorize" | "capture", Some("deny")) => declined("fraud"),
            ("authorize", _) => ProviderState::Authorized {
                reference,
                amount: self.gross()?,
            },
            ("capture" | "settlement" | "refund" | "partial_refund", _) => ProviderState::Captured {
                reference,
                amount: self.gross()?,
                refunded_minor: self.refunded()?.amount_minor,
            },
            ("deny" | "failure", _) => declined(&self.status),
            ("cancel" | "expire", _) => ProviderState::Voided,
            ("chargeback" | "partial_chargeback", _) => {
                tracing::warn!(transaction = reference, "a buyer's bank took money back");
                ProviderState::Captured {
                    reference,
                    amount: self.gross()?,
                    refunded_minor: self.refunded()?.amount_minor,
                }
            }
            (status, _) => {
                tracing::warn!(
                    transaction = reference,
                    status,
                    "Midtrans tells a status that is not known"
                );
                return Err(GatewayError::Unknown);
            }
        })
    }

    /// How much was charged.
    pub(super) fn gross(&self) -> Result<Money, GatewayError> {
        money(&self.gross_amount, self.currency.as_deref())
    }

    fn refunded(&self) -> Result<Money, GatewayError> {
        let nothing = Money {
            amount_minor: 0,
            currency: onsale_domain::money::Currency::IDR,
        };
        match (&self.refund_amount, self.status.as_str()) {
            (Some(amount), _) => money(amount, self.currency.as_deref()),
            (None, "refund") => self.gross(),
            (None, "partial_refund") => Err(GatewayError::Unknown),
            (None, _) => Ok(nothing),
        }
    }

    /// What the buyer has to do, from the most telling to the least.
    fn action(&self) -> Option<PaymentAction> {
        let action = |kind: &str, url: Option<&str>, detail: Option<&str>| PaymentAction {
            kind: kind.to_owned(),
            url: url.map(str::to_owned),
            detail: detail.map(str::to_owned),
        };
        if let Some(url) = &self.redirect_url {
            return Some(action("redirect", Some(url), None));
        }
        if let Some(account) = self.va_numbers.first() {
            let detail = format!("{} {}", account.bank, account.va_number);
            return Some(action("pay_code", None, Some(&detail)));
        }
        if let Some(number) = &self.permata_va_number {
            return Some(action("pay_code", None, Some(&format!("permata {number}"))));
        }
        let url = |name: &str| {
            let found = self.actions.iter().find(|action| action.name == name);
            found.map(|action| action.url.as_str())
        };
        match (url("deeplink-redirect"), url("generate-qr-code")) {
            (Some(deeplink), _) => Some(action("redirect", Some(deeplink), None)),
            (None, Some(code)) => Some(action("qr_code", Some(code), self.qr_string.as_deref())),
            (None, None) => None,
        }
    }
}

fn money(amount: &str, currency: Option<&str>) -> Result<Money, GatewayError> {
    let is_rupiah = currency.is_none_or(|currency| currency == "IDR");
    from_text(amount)
        .filter(|_| is_rupiah)
        .ok_or_else(|| GatewayError::Rejected(format!("{amount:?} is no amount of rupiah")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn state(members: &Value) -> Result<ProviderState, GatewayError> {
        let mut transaction = json!({"transaction_id": "t1", "gross_amount": "10000.00", "currency": "IDR"});
        for (name, value) in members.as_object().unwrap() {
            transaction[name] = value.clone();
        }
        serde_json::from_value::<Transaction>(transaction)
            .unwrap()
            .state()
    }

    fn amount() -> Money {
        from_text("10000").unwrap()
    }

    fn captured(refunded_minor: i64) -> ProviderState {
        let (reference, amount) = ("t1".to_owned(), amount());
        ProviderState::Captured {
            reference,
            amount,
            refunded_minor,
        }
    }

    fn declined(reason: &str) -> ProviderState {
        let reason = reason.to_owned();
        ProviderState::Declined { reason }
    }

    fn pending(action: Option<PaymentAction>) -> ProviderState {
        let reference = "t1".to_owned();
        ProviderState::Pending { reference, action }
    }

    #[test]
    fn each_status_means_one_state() {
        let authorized = ProviderState::Authorized {
            reference: "t1".to_owned(),
            amount: amount(),
        };
        for (status, fraud, expected) in [
            ("pending", None, pending(None)),
            ("authorize", Some("accept"), authorized.clone()),
            ("authorize", None, authorized),
            ("authorize", Some("challenge"), pending(None)),
            ("authorize", Some("deny"), declined("fraud")),
            ("capture", Some("accept"), captured(0)),
            ("capture", Some("challenge"), pending(None)),
            ("capture", Some("deny"), declined("fraud")),
            ("settlement", None, captured(0)),
            ("deny", Some("accept"), declined("deny")),
            ("failure", None, declined("failure")),
            ("cancel", None, ProviderState::Voided),
            ("expire", None, ProviderState::Voided),
            ("refund", None, captured(1_000_000)),
            ("chargeback", None, captured(0)),
        ] {
            let members = json!({"transaction_status": status, "fraud_status": fraud});
            assert_eq!(state(&members), Ok(expected), "{members}");
        }
        let partly = json!({"transaction_status": "partial_refund", "refund_amount": "2500.00"});
        assert_eq!(state(&partly), Ok(captured(250_000)));
    }

    #[test]
    fn what_cannot_be_told_is_not_guessed() {
        for members in [
            json!({"transaction_status": "new"}),
            json!({"transaction_status": "partial_refund"}),
        ] {
            assert_eq!(state(&members), Err(GatewayError::Unknown), "{members}");
        }
        for members in [
            json!({"transaction_status": "settlement", "gross_amount": "1e4"}),
            json!({"transaction_status": "settlement", "currency": "USD"}),
        ] {
            assert!(
                matches!(state(&members), Err(GatewayError::Rejected(_))),
                "{members}"
            );
        }
    }

    #[test]
    fn a_buyer_is_told_where_to_pay() {
        let actions = json!([
            {"name": "generate-qr-code", "method": "GET", "url": "https://api.midtrans.com/qr"},
            {"name": "get-status", "method": "GET", "url": "https://api.midtrans.com/status"},
        ]);
        for (members, kind, url, detail) in [
            (
                json!({"redirect_url": "https://3ds"}),
                "redirect",
                Some("https://3ds"),
                None,
            ),
            (
                json!({"va_numbers": [{"bank": "bca", "va_number": "123"}]}),
                "pay_code",
                None,
                Some("bca 123"),
            ),
            (
                json!({"permata_va_number": "8778"}),
                "pay_code",
                None,
                Some("permata 8778"),
            ),
            (
                json!({"actions": actions, "qr_string": "0002"}),
                "qr_code",
                Some("https://api.midtrans.com/qr"),
                Some("0002"),
            ),
        ] {
            let mut members = members;
            members["transaction_status"] = json!("pending");
            let action = PaymentAction {
                kind: kind.to_owned(),
                url: url.map(str::to_owned),
                detail: detail.map(str::to_owned),
            };
            assert_eq!(state(&members), Ok(pending(Some(action))), "{members}");
        }
    }
}
