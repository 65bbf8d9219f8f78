//! One journey of one user: what it sends, how it was answered, and how long that took from when it was due.

use std::time::Duration;

use goose::prelude::GooseUser;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use crate::client::{Answer, Call};
use crate::events::Event;
use crate::journeys::Journey;
use crate::ledger::Sale;
use crate::random::Random;
use crate::shop::{Seat, Shop};

/// How long a client goes on sending one request under one key.
const PATIENCE: Duration = Duration::from_secs(20);
/// And how much of that is left when the run is over.
const LAST_PATIENCE: Duration = Duration::from_secs(5);
/// Longest pause that a client takes from `Retry-After`.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(100);
const PAYMENT_METHOD: &str = "sim_approve";

/// Refusals that every buyer must reckon with; whatever else a journey is told, it must say that it expects it.
const REFUSALS: &[&str] = &[
    "all_held",
    "event_cancelled",
    "hold_expired",
    "idempotency_in_flight",
    "insufficient_availability",
    "outcome_unknown",
    "overloaded",
    "payment_unavailable",
    "rate_limited",
    "sale_ended",
    "sale_not_started",
    "sale_paused",
    "sold_out",
    "unavailable",
];

/// A user on a journey.
pub(crate) struct Visit<'a> {
    pub(crate) shop: &'a Shop,
    pub(crate) user: &'a mut GooseUser,
    pub(crate) random: Random,
    /// Which visit of this user it is, from 0.
    pub(crate) number: u32,
    journey: Journey,
    buyer: usize,
    /// When the next request is due; once it is sent, nothing until the next is planned.
    due: Option<Instant>,
}

impl<'a> Visit<'a> {
    pub(crate) fn new(shop: &'a Shop, user: &'a mut GooseUser, seat: &Seat, due: Instant) -> Self {
        Self {
            shop,
            user,
            random: seat.random.clone(),
            number: seat.visits,
            journey: seat.journey,
            buyer: shop.buyer(seat),
            due: Some(due),
        }
    }

    /// The visit's access token.
    pub(crate) fn token(&self) -> &'a str {
        self.shop.buyers.get(self.buyer).map_or("", String::as_str)
    }

    /// A key that nobody has used.
    pub(crate) fn new_key() -> String {
        Uuid::now_v7().to_string()
    }

    /// Thinks for so long; the next request is due right after, however late this task wakes.
    pub(crate) async fn think(&mut self, pause: Duration) {
        let due = Instant::now() + pause;
        sleep_until(due).await;
        self.due = Some(due);
    }

    /// When the next request is due: now, where nothing else was planned.
    pub(crate) fn due(&self) -> Instant {
        self.due.unwrap_or_else(Instant::now)
    }

    /// One of the event's ticket types.
    pub(crate) fn any_type(&mut self, event: &Event) -> Uuid {
        let count = u64::try_from(event.types.len()).unwrap_or(1).max(1);
        let chosen = usize::try_from(self.random.below(count)).unwrap_or_default();
        event.types.get(chosen).map(|kind| kind.id).unwrap_or_default()
    }

    /// A purchase in one call, under a key.
    pub(crate) fn purchase(&self, event: &Event, type_id: Uuid, key: &str) -> Call {
        let body = json!({"lines": lines(type_id), "payment_method": PAYMENT_METHOD});
        Call::post(format!("{}/purchases", event.path()))
            .by(self.token())
            .key(key)
            .json(&body)
    }

    /// A hold of one ticket.
    pub(crate) fn hold(&self, event: &Event, type_id: Uuid) -> Call {
        Call::post(format!("{}/holds", event.path()))
            .by(self.token())
            .key(Self::new_key())
            .json(&json!({ "lines": lines(type_id) }))
    }

    /// Payment and confirmation of a hold.
    pub(crate) fn checkout(&self, hold_id: Uuid) -> Call {
        Call::post(format!("/v1/holds/{hold_id}/checkout"))
            .by(self.token())
            .key(Self::new_key())
            .json(&json!({ "payment_method": PAYMENT_METHOD }))
    }

    /// Sends it until the outcome is told, always under the same key. The body of a yes; nothing for a no, which is
    /// noted as a refusal where it is one of the sale's or in `also`, and as an error otherwise.
    pub(crate) async fn insist(&mut self, step: &'static str, call: &Call, also: &[&str]) -> Option<Answer> {
        let due = self.due.take().unwrap_or_else(Instant::now);
        let deadline = (Instant::now() + PATIENCE).min(self.shop.closes.max(Instant::now()) + LAST_PATIENCE);
        loop {
            let answer = call.send(self.user, step).await;
            self.shop.ledger.log().requests += 1;
            let told = match answer {
                Ok(answer) if answer.is_success() => {
                    self.told(step, None, due);
                    return Some(answer);
                }
                Ok(answer) => {
                    let code = answer.code();
                    // The clocks of a crowd are never quite the server's.
                    let is_early = self.journey == Journey::FlashCrowd && code == "sale_not_started";
                    let again = answer.is_open() || is_early;
                    if !again || Instant::now() >= deadline {
                        if is_of_the_sale(&code) || also.contains(&code.as_str()) {
                            self.told(step, Some(&code), due);
                        } else {
                            self.shop.ledger.fail(self.journey, step, &code);
                        }
                        return None;
                    }
                    self.shop.ledger.refuse(&code);
                    answer.retry_after
                }
                Err(error) if Instant::now() >= deadline => {
                    self.shop.ledger.fail(self.journey, step, &error);
                    return None;
                }
                Err(_) => None,
            };
            self.shop.ledger.log().retries += 1;
            sleep(pause(told, self.chance())).await;
        }
    }

    /// Sends it once and says what came, however rude: for those who do not wait. A 5xx other than 503 is an error.
    pub(crate) async fn once(&mut self, step: &'static str, call: &Call) -> Option<Answer> {
        let due = self.due.take().unwrap_or_else(Instant::now);
        let answer = call.send(self.user, step).await;
        self.shop.ledger.log().requests += 1;
        match answer {
            Ok(answer) if answer.status >= 500 && answer.status != 503 => {
                self.fail(step, &answer.code());
                None
            }
            Ok(answer) => {
                let code = (!answer.is_success()).then(|| answer.code());
                self.told(step, code.as_deref(), due);
                Some(answer)
            }
            Err(error) => {
                self.fail(step, &error);
                None
            }
        }
    }

    /// Buys until it is told: the sale is noted. Whether there was one.
    pub(crate) async fn buy(&mut self, step: &'static str, call: &Call) -> Option<Answer> {
        let due = self.due();
        let answer = self.insist(step, call, &[]).await?;
        self.sold(step, &answer.body, due);
        Some(answer)
    }

    /// Notes a sale that was acknowledged now.
    pub(crate) fn sold(&self, step: &'static str, order: &Value, due: Instant) {
        let at = self.shop.opens.elapsed();
        match Sale::of(order, self.buyer, at) {
            Some(sale) => self.shop.ledger.sell(sale, due.elapsed()),
            // Its payment is under way: not a sale yet.
            None if order["status"] == "pending" => {}
            None => self.fail(step, "an order without its tickets"),
        }
    }

    /// Notes something that must not be.
    pub(crate) fn fail(&self, step: &'static str, what: &str) {
        self.shop.ledger.fail(self.journey, step, what);
    }

    fn told(&self, step: &'static str, refused: Option<&str>, due: Instant) {
        self.shop.ledger.step(self.journey, step, refused, due.elapsed());
    }

    /// From 0 to 1.
    fn chance(&mut self) -> f64 {
        f64::from(u32::try_from(self.random.below(1_000)).unwrap_or_default()) / 1_000.0
    }
}

fn lines(type_id: Uuid) -> Value {
    json!([{"ticket_type_id": type_id, "quantity": 1}])
}

/// Whether it is a refusal that every buyer must reckon with.
pub(crate) fn is_of_the_sale(code: &str) -> bool {
    REFUSALS.contains(&code)
}

/// How long a client waits before it sends again: what it was told, up to half as long again so that a crowd does not
/// come back at one moment, and never longer than the longest.
fn pause(told: Option<Duration>, chance: f64) -> Duration {
    let told = told.unwrap_or(PAUSE).min(RETRY_AFTER_MAX);
    told.mul_f64(1.0 + chance / 2.0).min(RETRY_AFTER_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_comes_back_sooner_than_told_or_waits_longer_than_the_longest() {
        let second = Duration::from_secs(1);
        assert_eq!(pause(Some(second), 0.0), second);
        assert_eq!(pause(Some(second), 1.0), second.mul_f64(1.5));
        assert_eq!(pause(Some(Duration::MAX), 1.0), RETRY_AFTER_MAX);
        assert_eq!(pause(None, 0.0), PAUSE);
    }
}
