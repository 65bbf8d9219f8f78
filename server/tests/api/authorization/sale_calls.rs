//! Requests of the sale and of staff's side of it.

use serde_json::json;

use super::fixture::{Fixture, text};
use crate::support::{Call, Event, EventPlan, delete, get, post, put, until};

impl Fixture {
    pub(super) async fn sale_call(&mut self, route: &str) -> Option<Call> {
        let key = self.fresh();
        let event = self.event.clone();
        Some(match route {
            "GET /v1/events" => get("/v1/events"),
            "GET /v1/events/{event_id}" => get(event.path()),
            "GET /v1/events/{event_id}/availability" => get(format!("{}/availability", event.path())),
            "POST /v1/events/{event_id}/holds" => event.hold(1).key(key),
            "POST /v1/events/{event_id}/purchases" => event.purchase(1, "sim_approve").key(key),
            "GET /v1/holds/{hold_id}" => get(self.hold(&key).await),
            "DELETE /v1/holds/{hold_id}" => delete(self.hold(&key).await),
            "POST /v1/holds/{hold_id}/extend" => {
                let hold = self.hold(&key).await;
                // In the millisecond of its placing there is nothing to extend.
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                post(format!("{hold}/extend"))
            }
            "POST /v1/holds/{hold_id}/checkout" => post(format!("{}/checkout", self.hold(&key).await))
                .json(&json!({"payment_method": "sim_approve"}))
                .key(key),
            "GET /v1/tickets" => get("/v1/tickets"),
            "GET /v1/tickets/{ticket_id}" => get(self.owned_ticket(&key).await),
            "GET /v1/tickets/{ticket_id}/file" => get(self.ticket_file(&key).await),
            "GET /v1/files/{token}" => get(self.file(&key).await),
            "GET /v1/orders" => get("/v1/orders"),
            "GET /v1/orders/{order_id}" => get(self.order(&key).await),
            "POST /v1/webhooks/payments/{provider}" => {
                post("/v1/webhooks/payments/simulated").json(&json!({"type": "payment"}))
            }
            "POST /v1/orders/{order_id}/cancel" => post(format!("{}/cancel", self.order(&key).await)),
            _ => return self.order_call(route, &key).await,
        })
    }

    /// Staff's side of orders.
    async fn order_call(&self, route: &str, key: &str) -> Option<Call> {
        Some(match route {
            "GET /v1/admin/orders" => get("/v1/admin/orders?limit=100"),
            "GET /v1/admin/payments" => get("/v1/admin/payments?limit=100"),
            "GET /v1/admin/orders/{order_id}" => get(self.staff_order(key).await),
            "POST /v1/admin/orders/{order_id}/cancel" => {
                post(format!("{}/cancel", self.staff_order(key).await))
            }
            "GET /v1/admin/orders/{order_id}/refunds" => {
                get(format!("{}/refunds", self.staff_order(key).await))
            }
            "POST /v1/admin/orders/{order_id}/refunds" => {
                let order = self.bought(key).await;
                let body = json!({"ticket_ids": [order["tickets"][0]["id"]]});
                post(format!("/v1/admin/orders/{}/refunds", text(&order, "id")))
                    .json(&body)
                    .key(key)
            }
            "POST /v1/admin/orders/{order_id}/payment/void" => {
                // Long undecided, so that nothing else moves it.
                let call = self
                    .event
                    .purchase(1, "sim_pending_10000")
                    .by(self.buyer())
                    .key(key);
                let order_id = text(&self.world.send(call).await.expect(201), "id");
                // What is read is projected.
                let read = get(format!("/v1/orders/{order_id}")).by(self.buyer());
                self.world.send(read).await.expect(200);
                let quarantine = "UPDATE payments SET status = 'quarantined' WHERE order_id = $1";
                let id = order_id.parse().expect("an id");
                self.world.database.execute(quarantine, id).await;
                post(format!("/v1/admin/orders/{order_id}/payment/void"))
            }
            _ => return None,
        })
    }

    /// Staff's path of a new order of the buyer.
    async fn staff_order(&self, key: &str) -> String {
        format!("/v1/admin/orders/{}", text(&self.bought(key).await, "id"))
    }

    async fn bought(&self, key: &str) -> serde_json::Value {
        let call = self.event.purchase(1, "sim_approve").by(self.buyer()).key(key);
        self.world.send(call).await.expect(201)
    }

    /// The path of a new hold of the buyer.
    async fn hold(&self, key: &str) -> String {
        let call = self.event.hold(1).by(self.buyer()).key(key);
        format!(
            "/v1/holds/{}",
            text(&self.world.send(call).await.expect(201), "id")
        )
    }

    /// The path of a new order of the buyer.
    async fn order(&self, key: &str) -> String {
        let call = self.event.purchase(1, "sim_approve").by(self.buyer()).key(key);
        format!(
            "/v1/orders/{}",
            text(&self.world.send(call).await.expect(201), "id")
        )
    }

    /// The path of a ticket of a new order of the buyer.
    async fn owned_ticket(&self, key: &str) -> String {
        let order = self.world.send(get(self.order(key).await).by(self.buyer())).await;
        format!("/v1/tickets/{}", text(&order.expect(200)["tickets"][0], "id"))
    }

    /// The path of the file of such a ticket, once it is made.
    async fn ticket_file(&self, key: &str) -> String {
        let path = format!("{}/file?format=ics", self.owned_ticket(key).await);
        until(
            "the file is made",
            std::time::Duration::from_secs(20),
            async || self.world.send(get(&path).by(self.buyer())).await.status == 200,
        )
        .await;
        path
    }

    /// Where a link to such a file leads.
    async fn file(&self, key: &str) -> String {
        let link = self
            .world
            .send(get(self.ticket_file(key).await).by(self.buyer()))
            .await;
        text(&link.expect(200), "url")
    }

    pub(super) async fn event_call(&mut self, route: &str) -> Option<Call> {
        let draft = self.draft.clone();
        let base = draft.staff_path();
        // Only edits name a version.
        let version = match route.split_once("{event_id}") {
            Some(_) => self.world.version(&draft).await,
            None => String::new(),
        };
        let quota = json!({"name": self.fresh(), "capacity": 10});
        let price = json!({"amount": 1_000, "currency": "EUR"});
        let ticket_type = json!({"name": self.fresh(), "quota_id": draft.quotas[0], "price": price});
        let event = EventPlan::of(10).body(self.organization);
        Some(match route {
            "GET /v1/admin/organizations" => get("/v1/admin/organizations"),
            "POST /v1/admin/organizations" => {
                post("/v1/admin/organizations").json(&json!({"name": "Another promoter"}))
            }
            "GET /v1/admin/organizations/{organization_id}" => {
                get(format!("/v1/admin/organizations/{}", self.organization))
            }
            "GET /v1/admin/events" => get("/v1/admin/events"),
            "POST /v1/admin/events" => post("/v1/admin/events").json(&event),
            "GET /v1/admin/events/{event_id}" => get(base),
            "DELETE /v1/admin/events/{event_id}" => delete(self.event_after(&[]).await.staff_path()),
            "PUT /v1/admin/events/{event_id}" => put(base).if_match(version).json(&event),
            "POST /v1/admin/events/{event_id}/quotas" => {
                post(format!("{base}/quotas")).if_match(version).json(&quota)
            }
            "PUT /v1/admin/events/{event_id}/quotas/{quota_id}" => {
                let path = format!("{base}/quotas/{}", draft.quotas[0]);
                put(path).if_match(version).json(&quota)
            }
            "POST /v1/admin/events/{event_id}/ticket-types" => {
                let path = format!("{base}/ticket-types");
                post(path).if_match(version).json(&ticket_type)
            }
            "PUT /v1/admin/events/{event_id}/ticket-types/{ticket_type_id}" => {
                let path = format!("{base}/ticket-types/{}", draft.types[0]);
                put(path).if_match(version).json(&ticket_type)
            }
            _ => return self.step_call(route).await,
        })
    }

    /// A step of an event that is where the step begins.
    async fn step_call(&mut self, route: &str) -> Option<Call> {
        let step = route.strip_prefix("POST /v1/admin/events/{event_id}/")?;
        let before: &[&str] = match step {
            "publish" => &[],
            "pause" | "close" | "cancel" => &["publish"],
            "resume" => &["publish", "pause"],
            _ => return None,
        };
        if !self.at_step.contains_key(route) {
            let event = self.event_after(before).await;
            self.at_step.insert(route.to_owned(), event);
        }
        let event = &self.at_step[route];
        Some(post(format!("{}/{step}", event.staff_path())))
    }

    async fn event_after(&self, steps: &[&str]) -> Event {
        let plan = EventPlan {
            publish: false,
            ..EventPlan::of(1)
        };
        let event = self.world.event_of(self.organization, &plan).await;
        for step in steps {
            let call = post(format!("{}/{step}", event.staff_path()));
            self.world.staff(call).await.expect(200);
        }
        event
    }
}
