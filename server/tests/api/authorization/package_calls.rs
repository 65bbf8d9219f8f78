//! Requests about packages.

use serde_json::{Value, json};

use super::fixture::{Fixture, text};
use crate::support::{Call, delete, get, post, put};

impl Fixture {
    pub(super) async fn package_call(&mut self, route: &str) -> Option<Call> {
        if !route.contains("/package") {
            return None;
        }
        let key = self.fresh();
        Some(match route {
            "GET /v1/packages" => get("/v1/packages"),
            "GET /v1/packages/{package_id}" => get(format!("/v1/packages/{}", self.package().await)),
            "POST /v1/packages/{package_id}/purchases" => self.purchase().await.key(key),
            "GET /v1/package-orders" => get("/v1/package-orders"),
            "GET /v1/package-orders/{package_order_id}" => {
                get(format!("/v1/package-orders/{}", self.package_order(key).await))
            }
            "POST /v1/package-orders/{package_order_id}/cancel" => post(format!(
                "/v1/package-orders/{}/cancel",
                self.package_order(key).await
            )),
            "GET /v1/admin/packages" => get("/v1/admin/packages"),
            "POST /v1/admin/packages" => post("/v1/admin/packages").json(&self.package_body()),
            "GET /v1/admin/packages/{package_id}" => {
                get(format!("/v1/admin/packages/{}", self.package().await))
            }
            "PUT /v1/admin/packages/{package_id}" => {
                let mut body = self.package_body();
                body.as_object_mut()?.remove("organization_id");
                put(format!("/v1/admin/packages/{}", self.package().await))
                    .if_match("\"1\"")
                    .json(&body)
            }
            "DELETE /v1/admin/packages/{package_id}" => {
                delete(format!("/v1/admin/packages/{}", self.package().await)).if_match("\"1\"")
            }
            "GET /v1/admin/package-orders/{package_order_id}" => get(format!(
                "/v1/admin/package-orders/{}",
                self.package_order(key).await
            )),
            "POST /v1/admin/package-orders/{package_order_id}/cancel" => {
                let order = self.package_order(key).await;
                post(format!("/v1/admin/package-orders/{order}/cancel"))
            }
            _ => return None,
        })
    }

    fn package_body(&self) -> Value {
        let event = &self.event;
        json!({
            "organization_id": self.organization,
            "name": "A package",
            "price": {"amount": 1_800, "currency": "EUR"},
            "status": "on_sale",
            "inclusions": [{"event_id": event.id, "ticket_type_id": event.types[0], "quantity": 2}],
        })
    }

    /// The id of a new package.
    async fn package(&self) -> String {
        let call = post("/v1/admin/packages").json(&self.package_body());
        text(&self.world.staff(call).await.expect(201), "id")
    }

    async fn purchase(&self) -> Call {
        let body = json!({"quantity": 1, "payment_method": "sim_approve"});
        post(format!("/v1/packages/{}/purchases", self.package().await)).json(&body)
    }

    /// The id of a new package order of the buyer.
    async fn package_order(&self, key: String) -> String {
        let call = self.purchase().await.by(self.buyer()).key(key);
        text(&self.world.send(call).await.expect(201), "id")
    }
}
