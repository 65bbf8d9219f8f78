//! A payment provider that remembers what it was asked, loses answers, and decides when it is told to.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use onsale_domain::money::Currency;
use onsale_domain::{Gateway, Money, OrderId, Purchase, RefundId};
use onsale_services::{
    GatewayError, Notice, PaymentGateway, PaymentRef, PaymentRequest, ProviderState, RefundRequest,
    RefundState, WebhookError, WebhookRequest,
};

/// Where a payment stands at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Absent,
    Pending,
    Authorized,
    /// Authorized with another amount than was asked for.
    Other,
    Captured,
    Declined,
    Voided,
}

/// What it does when a payment is begun.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// Goes there and says so.
    Says(State),
    /// Goes there, and nobody hears of it.
    Loses(State),
    /// Is not reached.
    Away,
}

#[derive(Clone, Debug)]
struct Account {
    state: State,
    amount: Money,
    refunds: BTreeMap<RefundId, i64>,
    /// Given back by a void.
    given_back: i64,
}

#[derive(Default)]
struct Books {
    on_start: Option<Answer>,
    answers_to_lose: u32,
    accounts: HashMap<Purchase, Account>,
}

/// The provider.
#[derive(Default)]
pub struct Provider(Mutex<Books>);

const NOTHING: Money = Money {
    amount_minor: 0,
    currency: Currency::EUR,
};

impl Account {
    fn new() -> Self {
        Self {
            state: State::Absent,
            amount: NOTHING,
            refunds: BTreeMap::new(),
            given_back: 0,
        }
    }

    fn refunded(&self) -> i64 {
        self.refunds.values().sum::<i64>() + self.given_back
    }

    fn tell(&self) -> ProviderState {
        let reference = "pay_1".to_owned();
        let amount = self.amount;
        match self.state {
            State::Absent => ProviderState::Absent,
            State::Pending => ProviderState::Pending {
                reference,
                action: None,
            },
            State::Authorized => ProviderState::Authorized { reference, amount },
            State::Other => ProviderState::Authorized {
                reference,
                amount: Money {
                    amount_minor: amount.amount_minor - 1,
                    ..amount
                },
            },
            State::Captured => ProviderState::Captured {
                reference,
                amount,
                refunded_minor: self.refunded(),
            },
            State::Declined => ProviderState::Declined {
                reason: "no".to_owned(),
            },
            State::Voided => ProviderState::Voided,
        }
    }
}

impl Provider {
    pub fn on_start(&self, answer: Answer) {
        self.0.lock().unwrap().on_start = Some(answer);
    }

    /// Does the next so many things that it is asked without an answer.
    pub fn lose_answers(&self, count: u32) {
        self.0.lock().unwrap().answers_to_lose = count;
    }

    /// Decides, unless it has let go.
    pub fn becomes(&self, order_id: OrderId, state: State) {
        let mut books = self.0.lock().unwrap();
        let account = books.accounts.entry(order_id.into()).or_insert_with(Account::new);
        if account.state != State::Voided {
            account.state = state;
        }
    }

    /// Is asked about a payment and tells this, whatever it told before. What is captured stays so.
    pub fn tells(&self, order_id: OrderId, state: State) {
        let mut books = self.0.lock().unwrap();
        let account = books.accounts.entry(order_id.into()).or_insert_with(Account::new);
        if account.state != State::Captured {
            account.state = state;
        }
    }

    /// What it has of the buyer's money.
    pub fn kept(&self, order_id: OrderId) -> i64 {
        let books = self.0.lock().unwrap();
        match books.accounts.get(&order_id.into()) {
            Some(account) if account.state == State::Captured => {
                account.amount.amount_minor - account.refunded()
            }
            // Set aside is not taken; but it must not stay set aside for ever.
            _ => 0,
        }
    }

    fn ask<T>(&self, purchase: Purchase, deed: impl FnOnce(&mut Account) -> T) -> Result<T, GatewayError> {
        let mut books = self.0.lock().unwrap();
        let account = books.accounts.entry(purchase).or_insert_with(Account::new);
        let answer = deed(account);
        if books.answers_to_lose > 0 {
            books.answers_to_lose -= 1;
            return Err(GatewayError::Unknown);
        }
        Ok(answer)
    }
}

impl PaymentGateway for Provider {
    fn gateway(&self) -> Gateway {
        Gateway::Stripe
    }

    fn start(&self, request: PaymentRequest) -> BoxFuture<'_, Result<ProviderState, GatewayError>> {
        let answer = self.0.lock().unwrap().on_start.expect("an answer");
        let begin = |state| {
            self.ask(request.purchase, |account| {
                account.amount = request.amount;
                if account.state == State::Absent {
                    account.state = state;
                }
                account.tell()
            })
        };
        let told = match answer {
            Answer::Away => Err(GatewayError::Unavailable("away".to_owned())),
            Answer::Says(state) => begin(state),
            Answer::Loses(state) => begin(state).and(Err(GatewayError::Unknown)),
        };
        std::future::ready(told).boxed()
    }

    fn status<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Result<ProviderState, GatewayError>> {
        std::future::ready(self.ask(payment.purchase, |account| account.tell())).boxed()
    }

    fn capture<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Result<ProviderState, GatewayError>> {
        let captured = self.ask(payment.purchase, |account| {
            if account.state == State::Authorized {
                account.state = State::Captured;
            }
            account.tell()
        });
        std::future::ready(captured).boxed()
    }

    fn void<'a>(&'a self, payment: &'a PaymentRef) -> BoxFuture<'a, Result<ProviderState, GatewayError>> {
        let voided = self.ask(payment.purchase, |account| {
            match account.state {
                State::Captured => {
                    account.given_back = account.amount.amount_minor - account.refunds.values().sum::<i64>();
                }
                State::Declined => {}
                _ => account.state = State::Voided,
            }
            account.tell()
        });
        std::future::ready(voided).boxed()
    }

    fn refund<'a>(
        &'a self,
        payment: &'a PaymentRef,
        refund: RefundRequest,
    ) -> BoxFuture<'a, Result<RefundState, GatewayError>> {
        let refunded = self.ask(payment.purchase, |account| {
            assert_eq!(account.state, State::Captured, "only what was taken goes back");
            let before = account
                .refunds
                .insert(refund.refund_id, refund.amount.amount_minor);
            assert!(
                before.is_none_or(|before| before == refund.amount.amount_minor),
                "one id, one amount"
            );
            assert!(
                account.refunded() <= account.amount.amount_minor,
                "more than was taken"
            );
            RefundState::Succeeded
        });
        std::future::ready(refunded).boxed()
    }

    /// The body names the purchase.
    fn webhook(&self, request: WebhookRequest<'_>) -> Result<Notice, WebhookError> {
        let purchase = std::str::from_utf8(request.body)
            .ok()
            .and_then(|text| text.parse().ok());
        Ok(Notice {
            purchase,
            outcome: "moved".to_owned(),
        })
    }
}
