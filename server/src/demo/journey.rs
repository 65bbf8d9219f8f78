//! One buyer's way through the sale.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use onsale_services::Tokens;
use serde_json::{Value, json};
use uuid::Uuid;

use super::api::{self, Call, Reply};
use super::behaviour::{BOT_ATTEMPTS, Behaviour, Buyer};
use super::connections::Connections;
use super::ledger::{AcknowledgedHold, Acknowledgement, Ledger};
use super::setup::Sale;
use crate::token::{TTL_DEFAULT, mint_buyer};

/// Times that a buyer comes back when all remaining tickets are held by others.
const ALL_HELD_ATTEMPTS: u32 = 6;

/// What all buyers share.
pub(crate) struct Shop {
    pub(crate) sale: Sale,
    pub(crate) connections: Connections,
    pub(crate) tokens: Tokens,
    pub(crate) ledger: Ledger,
}

/// A buyer in the shop.
struct Visit<'a> {
    shop: &'a Shop,
    buyer: Buyer,
    token: String,
    /// When the buyer meant to send the request under way.
    due: Instant,
    keys: u32,
}

/// Goes through with it. Errors are broken clients or servers, not refusals.
pub(crate) async fn run(shop: &Shop, buyer: Buyer, due: Instant) -> anyhow::Result<()> {
    let token = mint_buyer(&shop.tokens, buyer.id, TTL_DEFAULT)?;
    let behaviour = buyer.behaviour;
    let mut visit = Visit {
        shop,
        buyer,
        token,
        due,
        keys: 0,
    };
    match behaviour {
        Behaviour::Buys => visit.buy("sim_approve").await,
        Behaviour::IsDeclined => visit.buy("sim_decline").await,
        Behaviour::Thinks(pause) => visit.think(pause).await,
        Behaviour::Abandons => visit.hold().await.map(drop),
        Behaviour::Bot => visit.hammer().await,
    }
}

impl Visit<'_> {
    /// One call: hold, charge, confirm.
    async fn buy(&mut self, payment_method: &str) -> anyhow::Result<()> {
        let path = format!("/v1/events/{}/purchases", self.shop.sale.event_id);
        let extra = ("payment_method", payment_method);
        if let Some((body, key, sent)) = self.insist(path, Some(extra)).await? {
            self.acknowledged(&body, key, sent)?;
        }
        Ok(())
    }

    /// A hold, for whatever follows; `None` when there was none to get.
    async fn hold(&mut self) -> anyhow::Result<Option<Uuid>> {
        let path = format!("/v1/events/{}/holds", self.shop.sale.event_id);
        let Some((body, _, _)) = self.insist(path, None).await? else {
            return Ok(None);
        };
        let hold_id = id(&body["id"])?;
        let total_minor = total_minor(&body)?;
        self.shop.ledger.hold(AcknowledgedHold { hold_id, total_minor });
        Ok(Some(hold_id))
    }

    async fn think(&mut self, pause: Duration) -> anyhow::Result<()> {
        let Some(hold_id) = self.hold().await? else {
            return Ok(());
        };
        tokio::time::sleep(pause).await;
        self.due = Instant::now();
        let key = self.new_key();
        let call = self.call(
            format!("/v1/holds/{hold_id}/checkout"),
            &key,
            json!({"payment_method": "sim_approve"}),
        );
        match self.send(&call).await? {
            Reply::Done { body, sent, .. } => self.acknowledged(&body, key, sent)?,
            Reply::Refused { code, .. } => self.shop.ledger.refuse(&code),
            Reply::GaveUp => self.shop.ledger.refuse("no_answer"),
        }
        Ok(())
    }

    async fn hammer(&mut self) -> anyhow::Result<()> {
        for _ in 0..BOT_ATTEMPTS {
            self.due = Instant::now();
            self.buy("sim_approve").await?;
        }
        Ok(())
    }

    /// Asks for tickets: again when all are held by others, for one fewer when there are too few for all. Gives the
    /// body of the 2xx, the key and when it was sent.
    async fn insist(
        &mut self,
        path: String,
        extra: Option<(&str, &str)>,
    ) -> anyhow::Result<Option<(Value, String, Instant)>> {
        let mut key = self.new_key();
        let mut attempts = 0;
        loop {
            let ticket_type_id = self.shop.sale.ticket_type_ids[self.buyer.ticket_type];
            let line = json!({"ticket_type_id": ticket_type_id, "quantity": self.buyer.quantity});
            let mut body = json!({"lines": [line]});
            if let Some((name, value)) = extra {
                body[name] = value.into();
            }
            let call = self.call(path.clone(), &key, body);
            let (code, retry_after) = match self.send(&call).await? {
                Reply::Done { body, sent, .. } => return Ok(Some((body, key, sent))),
                Reply::Refused {
                    code, retry_after, ..
                } => (code, retry_after),
                Reply::GaveUp => ("no_answer".to_owned(), None),
            };
            attempts += 1;
            if code == "all_held" && attempts < ALL_HELD_ATTEMPTS {
                let pause = retry_after.unwrap_or(Duration::from_secs(1));
                tokio::time::sleep(pause.mul_f64(0.2 + self.buyer.random.unit())).await;
                // This wait is the sale's doing, not the server's.
                self.due = Instant::now();
            } else if code == "insufficient_availability" && self.buyer.quantity > 1 {
                self.buyer.quantity -= 1;
                key = self.new_key();
            } else {
                self.shop.ledger.refuse(&code);
                return Ok(None);
            }
        }
    }

    fn call(&self, path: String, key: &str, body: Value) -> Call<'static> {
        Call {
            method: "POST",
            path,
            token: self.token.clone().into(),
            key: Some(key.to_owned()),
            if_match: None,
            body: Some(body),
        }
    }

    async fn send(&mut self, call: &Call<'_>) -> anyhow::Result<Reply> {
        let retries = &self.shop.ledger.counts.retries;
        let on_retry = || {
            retries.fetch_add(1, Ordering::Relaxed);
        };
        api::send(&self.shop.connections, call, &mut self.buyer.random, on_retry).await
    }

    fn new_key(&mut self) -> String {
        self.keys += 1;
        format!("{}-{}", self.buyer.id.simple(), self.keys)
    }

    /// Writes a final 2xx into the clients' log.
    fn acknowledged(&self, order: &Value, key: String, sent: Instant) -> anyhow::Result<()> {
        let tickets = order["tickets"].as_array().context("an order without tickets")?;
        let acknowledgement = Acknowledgement {
            order_id: id(&order["id"])?,
            ticket_ids: tickets
                .iter()
                .map(|ticket| id(&ticket["id"]))
                .collect::<Result<_, _>>()?,
            key,
            total_minor: total_minor(order)?,
        };
        self.shop.ledger.acknowledge(acknowledgement, self.due, sent);
        Ok(())
    }
}

fn id(value: &Value) -> anyhow::Result<Uuid> {
    let text = value.as_str().context("an answer without ids")?;
    Uuid::parse_str(text).context("an id that is no UUID")
}

fn total_minor(answer: &Value) -> anyhow::Result<i64> {
    answer["total"]["amount"]
        .as_i64()
        .context("an answer without a total")
}
