//! A buyer who looks around, chooses, holds, thinks, and pays.

use std::time::Duration;

use crate::client::Call;
use crate::events::id_of;
use crate::visit::Visit;

/// Longest pause between two pages, in milliseconds.
const THINK_MS_MAX: u64 = 300;

pub(super) async fn go(visit: &mut Visit<'_>) {
    let event = &visit.shop.event;
    let pages = [
        ("list events", "/v1/events?limit=20".to_owned()),
        ("event", event.path()),
        ("availability", format!("{}/availability", event.path())),
    ];
    for (step, path) in pages {
        if visit.insist(step, &Call::get(path), &[]).await.is_none() {
            return;
        }
        think(visit).await;
    }
    let type_id = visit.any_type(event);
    let Some(hold) = visit.insist("hold", &visit.hold(event, type_id), &[]).await else {
        return;
    };
    let Ok(hold_id) = id_of(&hold.body) else {
        visit.fail("hold", "a hold without its id");
        return;
    };
    think(visit).await;
    visit.buy("checkout", &visit.checkout(hold_id)).await;
}

async fn think(visit: &mut Visit<'_>) {
    let pause = Duration::from_millis(visit.random.below(THINK_MS_MAX));
    visit.think(pause).await;
}
