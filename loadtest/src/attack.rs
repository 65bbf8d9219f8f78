//! The goose side: users, each on one journey, until the run is over.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use goose::config::GooseConfiguration;
use goose::prelude::{GooseAttack, GooseUser, Scenario, Transaction, TransactionFunction, TransactionResult};
use tokio::time::sleep;
use url::Url;

use crate::arguments::Share;
use crate::journeys::{self, Journey};
use crate::shop::{Seat, Shop};
use crate::visit::Visit;

/// How long a user whose run is over waits for goose to end it.
const PATIENCE: Duration = Duration::from_millis(100);

/// A user of its own, for what is done before and after the run.
pub(crate) fn lone_user(address: &Url) -> anyhow::Result<GooseUser> {
    let configuration = configuration(address, 1)?;
    GooseUser::single(address.clone(), &configuration).context("cannot make a client")
}

/// Users to launch: at least one for each journey, otherwise goose would leave journeys out.
pub(crate) fn users(shares: &[Share], wanted: u32) -> u32 {
    let least: u32 = shares.iter().map(|share| share.weight).sum();
    let fewest = u32::try_from(shares.len()).unwrap_or(u32::MAX);
    if wanted >= least {
        wanted
    } else {
        wanted.max(fewest)
    }
}

/// Launches the users and waits until they are back.
pub(crate) async fn run(shop: &Arc<Shop>, address: &Url, shares: &[Share], users: u32) -> anyhow::Result<()> {
    let mut attack = GooseAttack::initialize_with_config(configuration(address, users)?)?
        .set_scheduler(goose::GooseScheduler::RoundRobin);
    for share in shares {
        let weight = usize::try_from(share.weight).context("a share out of range")?;
        let scenario = Scenario::new(share.journey.as_str())
            .set_weight(weight)?
            .register_transaction(Transaction::new(visits(shop, share.journey)));
        attack = attack.register_scenario(scenario);
    }
    // Goose keeps much on the stack.
    Box::pin(attack.execute()).await.context("goose could not run")?;
    Ok(())
}

/// What a user of a journey does, again and again.
fn visits(shop: &Arc<Shop>, journey: Journey) -> TransactionFunction {
    let shop = Arc::clone(shop);
    Arc::new(
        move |user: &mut GooseUser| -> Pin<Box<dyn Future<Output = TransactionResult> + Send + '_>> {
            let shop = Arc::clone(&shop);
            Box::pin(async move {
                visit(&shop, journey, user).await;
                Ok(())
            })
        },
    )
}

async fn visit(shop: &Shop, journey: Journey, user: &mut GooseUser) {
    let known = user.get_session_data::<Seat>().cloned();
    let mut seat = known.unwrap_or_else(|| shop.seat(journey));
    let Some(due) = shop.next(&seat).await else {
        // The first to see that the run is over ends it for all.
        goose::trigger_killswitch("the run is over");
        // Goose calls again until it has heard that; it must get a turn to.
        sleep(PATIENCE).await;
        return;
    };
    let mut visit = Visit::new(shop, user, &seat, due);
    journeys::go(journey, &mut visit).await;
    seat.random = visit.random;
    seat.visits += 1;
    user.set_session_data(seat);
}

/// Without goose's metrics, its servers and its printing: what is told is ours.
fn configuration(address: &Url, users: u32) -> anyhow::Result<GooseConfiguration> {
    let (host, users) = (address.to_string(), users.to_string());
    let flags = [
        "--host",
        &host,
        "--users",
        &users,
        "--increase-rate",
        &users,
        "--timeout",
        "20",
        "--no-metrics",
        "--no-print-metrics",
        "--no-telnet",
        "-qqq",
    ];
    Ok(GooseConfiguration::parse_args_default(&flags)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_journey_has_a_user() {
        let shares = [Journey::Browse, Journey::Bots].map(|journey| Share { journey, weight: 5 });
        assert_eq!(users(&shares, 1), 2);
        assert_eq!(users(&shares, 64), 64);
    }

    #[test]
    fn goose_takes_the_flags() {
        let configuration = configuration(&"http://127.0.0.1:8080".parse().unwrap(), 7).unwrap();
        assert_eq!(configuration.users, Some(7));
        assert!(configuration.no_metrics);
    }
}
