//! A buyer who waits for the opening and buys in one call; then the next one does.

use crate::visit::Visit;

pub(super) async fn go(visit: &mut Visit<'_>) {
    let event = &visit.shop.event;
    let type_id = visit.any_type(event);
    let call = visit.purchase(event, type_id, &Visit::new_key());
    visit.buy("purchase", &call).await;
}
