//! Programs that do what nobody should: they repeat keys, change bodies under a key, send junk, ask for what is not
//! theirs, and come back at once however long they are told to wait.

use std::time::Duration;

use uuid::Uuid;

use crate::client::{Answer, Call};
use crate::visit::{Visit, is_of_the_sale};

/// Requests in a row of a bot that does not wait.
const HAMMERED: u32 = 8;
/// Times that a key is repeated.
const REPEATS: u32 = 3;

pub(super) async fn go(visit: &mut Visit<'_>) {
    match visit.random.below(4) {
        0 => repeat(visit).await,
        1 => hammer(visit).await,
        2 => junk(visit).await,
        _ => trespass(visit).await,
    }
}

/// The same key again gives the same answer; with another body it gives none.
async fn repeat(visit: &mut Visit<'_>) {
    let event = &visit.shop.event;
    let (type_id, key) = (visit.any_type(event), Visit::new_key());
    let call = visit.purchase(event, type_id, &key);
    let Some(first) = visit.buy("purchase", &call).await else {
        return;
    };
    for _ in 0..REPEATS {
        let Some(again) = visit.once("repeat", &call).await else {
            return;
        };
        if again.is_success() && !(again.replayed && again.body == first.body) {
            visit.fail("repeat", "another answer under the same key");
        } else if !again.is_success() && !again.is_open() {
            visit.fail("repeat", &again.code());
        }
    }
    let body = r#"{"lines": [], "payment_method": "sim_approve"}"#;
    let other = call.text(body);
    must_refuse(visit, "repeat with another body", &other, &[422]).await;
}

/// Buys as fast as it is answered, under new keys, and ignores `Retry-After`.
async fn hammer(visit: &mut Visit<'_>) {
    let event = &visit.shop.event;
    for _ in 0..HAMMERED {
        let type_id = visit.any_type(event);
        let call = visit.purchase(event, type_id, &Visit::new_key());
        let due = visit.due();
        match visit.once("hammer", &call).await {
            Some(answer) if answer.is_success() => visit.sold("hammer", &answer.body, due),
            Some(answer) if answer.is_open() || is_of_the_sale(&answer.code()) => {}
            Some(answer) => visit.fail("hammer", &answer.code()),
            None => visit.think(Duration::from_millis(50)).await,
        }
    }
}

/// What is no request is refused as one.
async fn junk(visit: &mut Visit<'_>) {
    let event = &visit.shop.event;
    let type_id = visit.any_type(event);
    let call = visit.purchase(event, type_id, &Visit::new_key());
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let huge = format!(r#"{{"lines": "{}"}}"#, "x".repeat(20_000));
    let minus = format!(
        r#"{{"lines":[{{"ticket_type_id":"{type_id}","quantity":-1}}],"payment_method":"sim_approve"}}"#
    );
    for (body, statuses) in [
        ("{\"lines\":", &[400][..]),
        ("null", &[400, 422]),
        (&deep, &[400, 422]),
        (&minus, &[400, 422]),
        (&huge, &[413]),
    ] {
        must_refuse(visit, "junk", &call.clone().text(body), statuses).await;
    }
    let keyless = Call::post(format!("{}/purchases", event.path()))
        .by(visit.token())
        .text("{}");
    must_refuse(visit, "no key", &keyless, &[400]).await;
}

/// What is not there, or not theirs, is not found.
async fn trespass(visit: &mut Visit<'_>) {
    let nobodys = Uuid::now_v7();
    let token = visit.token();
    let no_token = Call::get("/v1/orders");
    must_refuse(visit, "no token", &no_token, &[401]).await;
    for path in [
        format!("/v1/orders/{nobodys}"),
        format!("/v1/holds/{nobodys}"),
        format!("/v1/events/{nobodys}"),
    ] {
        must_refuse(visit, "not theirs", &Call::get(path).by(token), &[404]).await;
    }
    let staff = Call::get(visit.shop.event.staff_path()).by(token);
    must_refuse(visit, "staff only", &staff, &[403, 404]).await;
}

/// Sends what must be refused with one of these statuses; "not now" is always allowed.
async fn must_refuse(visit: &mut Visit<'_>, step: &'static str, call: &Call, statuses: &[u16]) {
    if let Some(answer) = visit.once(step, call).await
        && !is_refusal(&answer, statuses)
    {
        visit.fail(step, &format!("{} where {statuses:?} was due", answer.code()));
    }
}

fn is_refusal(answer: &Answer, statuses: &[u16]) -> bool {
    statuses.contains(&answer.status) || answer.is_open()
}
