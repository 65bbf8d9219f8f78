//! A buyer who holds a ticket and walks away. Some say so; what the others held comes back when the hold expires.

use std::time::Duration;

use crate::client::Call;
use crate::events::id_of;
use crate::visit::Visit;

pub(super) async fn go(visit: &mut Visit<'_>) {
    let event = &visit.shop.event;
    let type_id = visit.any_type(event);
    let Some(hold) = visit.insist("hold", &visit.hold(event, type_id), &[]).await else {
        return;
    };
    let Ok(hold_id) = id_of(&hold.body) else {
        visit.fail("hold", "a hold without its id");
        return;
    };
    let path = format!("/v1/holds/{hold_id}");
    let token = visit.token();
    let pause = Duration::from_millis(visit.random.below(200));
    visit.think(pause).await;
    visit
        .insist("look at the hold", &Call::get(&path).by(token), &[])
        .await;
    if visit.random.below(3) == 0 {
        visit.insist("let go", &Call::delete(&path).by(token), &[]).await;
    }
}
