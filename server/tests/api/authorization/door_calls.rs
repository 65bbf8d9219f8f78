//! Requests about tickets and the door.

use serde_json::json;

use super::fixture::Fixture;
use crate::check_ins::{Ticket, check_in, tickets};
use crate::support::{Call, get, post};

impl Fixture {
    pub(super) async fn door_call(&mut self, route: &str) -> Option<Call> {
        let event_id = self.event.id;
        Some(match route {
            "POST /v1/tickets/{ticket_id}/transfer" => {
                let ticket = self.ticket().await;
                post(format!("/v1/tickets/{}/transfer", ticket.id))
                    .json(&json!({"to_email": "other-buyer@test.example"}))
            }
            "POST /v1/check-ins" => {
                let ticket = self.ticket().await;
                check_in(&self.event, &ticket.code, "North", "1")
            }
            "POST /v1/check-ins/sync" => {
                let scan = json!({"code": self.ticket().await.code, "nonce": "1",
                    "scanned_at": "2026-01-01T00:00:00Z"});
                post("/v1/check-ins/sync")
                    .json(&json!({"event_id": event_id, "gate": "North", "scans": [scan]}))
            }
            "GET /v1/check-ins/gates" => get(format!("/v1/check-ins/gates?event_id={event_id}")),
            "GET /v1/check-ins/bundle" => get(format!("/v1/check-ins/bundle?event_id={event_id}&gate=North")),
            _ => return None,
        })
    }

    /// A new ticket of the buyer.
    async fn ticket(&mut self) -> Ticket {
        let key = self.fresh();
        tickets(&self.world, &self.event, self.buyer(), (1, &key))
            .await
            .remove(0)
    }
}
