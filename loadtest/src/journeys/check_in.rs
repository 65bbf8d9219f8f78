//! A gate: each ticket is let in once, and whoever shows it again is told when it was used. When all are in, people
//! try it with tickets that were used.

use std::sync::atomic::Ordering;

use serde_json::json;

use crate::client::Call;
use crate::visit::Visit;

const USED: &str = "already_used";

pub(super) async fn go(visit: &mut Visit<'_>) {
    let shop = visit.shop;
    let Some(door) = shop.door.as_ref().filter(|door| !door.codes.is_empty()) else {
        return;
    };
    let token = match shop.staff.token(visit.user).await {
        Ok(token) => token,
        Err(error) => return visit.fail("log in", &error.to_string()),
    };
    let turn = door.next.fetch_add(1, Ordering::Relaxed);
    let is_new = turn < door.codes.len();
    let code = &door.codes[turn % door.codes.len()];
    let scan = |gate: &str| {
        let nonce = Visit::new_key();
        let body = json!({"event_id": door.event.id, "code": code, "gate": gate, "nonce": nonce});
        Call::post("/v1/check-ins").by(&token).json(&body)
    };
    // A ticket that was never shown has no reason to be used: told so, that is an error.
    let also: &[&str] = if is_new { &[] } else { &[USED] };
    let admitted = visit.insist("scan", &scan("north"), also).await;
    if admitted.is_some() && !is_new {
        visit.fail("scan", "a used ticket was let in");
    }
    if admitted.is_some() && visit.random.below(4) == 0 {
        let again = visit.insist("scan again", &scan("south"), &[USED]).await;
        if again.is_some() {
            visit.fail("scan again", "a used ticket was let in");
        }
    }
}
