//! A small sale with a bit of everything, so that no metric stays silent.

use serde_json::{Value, json};

use crate::support::{Caller, Event, EventPlan, World, delete, get, post, until};

/// An event with room, one that is sold out at once, and who comes.
pub(crate) struct Sale<'a> {
    world: &'a World,
    event: Event,
    small: Event,
    buyer: Caller,
    scanner: Caller,
}

impl<'a> Sale<'a> {
    pub(crate) async fn open(world: &'a World) -> Self {
        let event = world.event(&EventPlan::of(1_000)).await;
        let small = world.event(&EventPlan::of(1)).await;
        let scanner = world.hire("scanner", Some(event.organization)).await;
        Self {
            world,
            event,
            small,
            buyer: Caller::buyer(),
            scanner,
        }
    }

    /// Holds, purchases, refusals, a release, a cancellation, a refund, a check-in, a registration.
    pub(crate) async fn round(&self, number: usize) {
        let hold = self.event.hold(2).by(&self.buyer).key(format!("hold-{number}"));
        let placed = self.world.send(hold.clone()).await.expect(201);
        self.world.send(hold).await.expect(201);
        let path = format!("/v1/holds/{}", text(&placed, "id"));
        self.world.send(delete(path).by(&self.buyer)).await.expect(200);
        let declined = self.event.purchase(1, "sim_decline").by(&self.buyer);
        let declined = declined.key(format!("declined-{number}"));
        self.world.send(declined).await.problem(402, "payment_declined");
        let small = self.small.purchase(1, "sim_approve").by(&self.buyer);
        self.world.send(small.key(format!("small-{number}"))).await;

        self.buy(format!("kept-{number}")).await;
        let cancelled = self.buy(format!("cancelled-{number}")).await;
        let path = format!("/v1/orders/{}/cancel", text(&cancelled, "id"));
        self.world.send(post(path).by(&self.buyer)).await.expect(200);
        let order = self.buy(format!("refunded-{number}")).await;
        let path = format!("/v1/admin/orders/{}/refunds", text(&order, "id"));
        let refund = json!({"ticket_ids": [order["tickets"][0]["id"]], "reason": "a test"});
        let refund = post(path).json(&refund).key(format!("refund-{number}"));
        self.world.staff(refund).await.expect(201);

        let scan = json!({
            "event_id": self.event.id,
            "code": order["tickets"][1]["code"],
            "gate": "North",
            "nonce": format!("scan-{number}"),
        });
        let scan = post("/v1/check-ins").json(&scan).by(&self.scanner);
        self.world.send(scan).await.expect(201);
        let somebody = json!({
            "email": format!("somebody-{number}@test.example"),
            "password": "a quiet harbour at dusk",
            "name": "Somebody",
        });
        let register = post("/v1/auth/register").json(&somebody);
        self.world.send(register).await.expect(201);
    }

    /// The event's actor is killed and read back.
    pub(crate) async fn crash(&self) {
        let crash = format!("/internal/drills/events/{}/crash?kind=kill", self.event.id);
        post(crash).send(self.world.server.internal).await;
        until(
            "the event is back",
            std::time::Duration::from_secs(10),
            async || {
                self.world.send(get(self.event.path())).await.status == 200
                    && self.world.availability(&self.event).await["ticket_types"].is_array()
            },
        )
        .await;
    }

    async fn buy(&self, key: String) -> Value {
        let call = self.event.purchase(2, "sim_approve").by(&self.buyer).key(key);
        self.world.send(call).await.expect(201)
    }
}

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().expect(member).to_owned()
}
