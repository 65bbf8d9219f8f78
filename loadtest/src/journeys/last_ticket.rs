//! Everybody wants the one ticket of this round. Whoever is second is told so; two winners are found by the verdict,
//! which compares what was sold of each round with its capacity of one.

use crate::visit::Visit;

pub(super) async fn go(visit: &mut Visit<'_>) {
    let shop = visit.shop;
    let Some(race) = &shop.race else {
        return;
    };
    let round = usize::try_from(visit.number).unwrap_or(usize::MAX);
    let Some(kind) = race.types.get(round) else {
        return;
    };
    let call = visit.purchase(race, kind.id, &Visit::new_key());
    visit.buy("last ticket", &call).await;
}
