//! Many clients at once, from the opening to the last answer.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::{Ledger, Random, Shop};
use crate::support::EventPlan;

/// How long the load may take to come to rest once it is told to.
const REST_WITHIN: Duration = Duration::from_mins(1);

/// What each of the two events of a shop sells: a type that everybody gets, one that is fought for, one that costs
/// nothing.
pub(crate) fn plan() -> EventPlan {
    EventPlan {
        types: vec![(10_000_000, 1_000), (150, 2_500), (200, 0)],
        hold_seconds: 2,
        hold_seconds_max: 10,
        ..EventPlan::of(0)
    }
}

/// Clients at work.
pub(crate) struct Rush {
    shop: Arc<Shop>,
    clients: Vec<JoinHandle<Ledger>>,
}

impl Rush {
    /// Lets so many clients in.
    pub(crate) fn begin(shop: Shop, clients: u64, seed: u64) -> Self {
        let shop = Arc::new(shop);
        let clients = (0..clients)
            .map(|client| tokio::spawn(Arc::clone(&shop).run(Random::new(seed ^ (client + 1)))))
            .collect();
        Self { shop, clients }
    }

    /// Answers with 201 so far.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.shop.acknowledged()
    }

    /// Lets what was begun come to its end; all that the clients were told.
    pub(crate) async fn end(self) -> (Arc<Shop>, Ledger) {
        self.shop.close();
        let mut ledger = Ledger::default();
        for client in self.clients {
            let told = tokio::time::timeout(REST_WITHIN, client).await;
            ledger.merge(
                told.expect("a client never came to an end")
                    .expect("a client panicked"),
            );
        }
        (self.shop, ledger)
    }
}
