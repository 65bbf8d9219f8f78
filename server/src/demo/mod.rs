//! `onsale demo`: an on-sale, its storm, a crash, and a verdict.
//!
//! The parent process hosts Postgres (embedded unless one is named), the buyers and the view. The child is a plain
//! `onsale serve`. So the child can be killed with -9 while the database and the buyers live on, as in the world.
//! The embedded Postgres serves one connection at a time: while the child lives it is the child's, so the verdict
//! is read after the child has stopped.

mod api;
mod arrivals;
mod behaviour;
mod connections;
mod database;
mod evidence;
mod journey;
mod lag;
mod ledger;
mod plan;
mod process;
mod random;
#[cfg(feature = "embedded")]
mod relay;
mod report;
mod setup;
mod storm;
mod verdict;
mod view;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use onsale_services::{TokenKeys, Tokens};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) use self::plan::{Crash, Plan, crowd};
pub(crate) use self::report::text as report;
pub(crate) use self::verdict::{Outcome as Grade, Verdict};

use self::connections::Connections;
use self::database::Postgres;
use self::journey::Shop;
use self::ledger::{Ledger, Summary};
use self::process::{Server, TOKEN_AUDIENCE, TOKEN_ISSUER};
use self::verdict::{Context, Evidence};
use self::view::Phase;
use crate::audit;
use crate::command;
use crate::configuration::{Settings, Sources};
use crate::exit::Failure;

/// Connections of all buyers together.
const CONNECTIONS_MAX: usize = 128;
/// Longest wait for the projection and the payment worker to catch up.
const SETTLE_WITHIN: Duration = Duration::from_secs(15);

/// What came of a demo.
pub(crate) struct Outcome {
    /// The numbers.
    pub(crate) verdict: Verdict,
    /// What the clients saw.
    pub(crate) clients: Summary,
    /// What the auditor found.
    pub(crate) audit: audit::Report,
    /// Name of the Postgres.
    pub(crate) postgres: &'static str,
}

/// Runs the whole demo.
pub(crate) async fn run(plan: &Plan) -> Result<Outcome, Failure> {
    say("starting Postgres and the server…");
    let postgres = Postgres::open(plan).await?;
    let secret = secret()?;
    let mut server = Server::prepare(plan, &postgres, &secret)?;
    server.migrate().await?;
    let admin = server.create_admin().await?;
    server.start().await?;
    say(&format!(
        "on sale at http://{} (metrics and health at http://{}/metrics)",
        server.api, server.internal
    ));

    let keys = TokenKeys::of_secret(secret.as_bytes()).context("the demo's token key")?;
    let tokens = Tokens::new(keys, TOKEN_ISSUER, TOKEN_AUDIENCE);
    let connections = Connections::new(server.api, CONNECTIONS_MAX);
    let sale = setup::open_sale(&connections, &admin, plan)
        .await
        .context("cannot open the sale")?;
    let shop = Arc::new(Shop {
        sale,
        connections,
        tokens,
        ledger: Ledger::new()?,
    });
    storm(&shop, plan, &mut server).await?;

    say("every buyer is through; stopping the server and reading Postgres…");
    let evidence = settle(&shop, &postgres, &mut server).await?;
    let audit = audit_sale(plan, &postgres, shop.sale.event_id).await?;
    let clients = shop.ledger.summary();
    let context = Context {
        offered_per_second: f64::from(plan.buyers) / plan.duration.as_secs_f64(),
        crashed: plan.crash != Crash::None,
        audit_clean: audit.clean && audit.events.iter().any(|event| event.records > 0),
    };
    Ok(Outcome {
        verdict: verdict::judge(&evidence, &clients, context),
        clients,
        audit,
        postgres: postgres.name,
    })
}

/// Buyers, crash and view, side by side.
async fn storm(shop: &Arc<Shop>, plan: &Plan, server: &mut Server) -> Result<(), Failure> {
    let (phase, seen) = watch::channel(Phase::Selling);
    let interrupt = CancellationToken::new();
    let done = CancellationToken::new();
    let view = tokio::spawn(view::show(
        Arc::clone(shop),
        plan.clone(),
        server.internal,
        seen,
        interrupt.clone(),
        done.clone(),
    ));
    let tell = |next| {
        phase.send_replace(next);
    };
    let outcome = tokio::select! {
        outcome = async {
            tokio::try_join!(
                storm::blow(Arc::clone(shop), plan),
                storm::strike(shop, plan, server, tell),
            )
        } => outcome.map(drop).map_err(Failure::from),
        () = interrupt.cancelled() => Err(Failure::CheckFailed("stopped at the terminal".to_owned())),
    };
    done.cancel();
    view.await.context("the view")?;
    outcome
}

/// Waits until Postgres has everything, then stops the server and reads. Payments are captured behind the
/// acknowledgement: while some are pending, the server runs again to finish them.
async fn settle(shop: &Shop, postgres: &Postgres, server: &mut Server) -> anyhow::Result<Evidence> {
    let deadline = Instant::now() + SETTLE_WITHIN;
    let mut pause = Duration::from_millis(300);
    loop {
        while lag::read(server.internal)
            .await
            .is_none_or(|lag| lag.records > 0.0)
            && Instant::now() < deadline
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        tokio::time::sleep(pause).await;
        server.stop().await?;
        let evidence = evidence::gather(postgres.url(), shop.sale.event_id).await?;
        if evidence.payments_pending == 0 || Instant::now() > deadline {
            return Ok(evidence);
        }
        server.start().await?;
        pause *= 3;
    }
}

/// Audits the demo's own event; one that the auditor cannot find is an error.
async fn audit_sale(plan: &Plan, postgres: &Postgres, event_id: Uuid) -> Result<audit::Report, Failure> {
    let sources = Sources::default()
        .flag("database_url", Some(postgres.url()))
        .flag("database_connections_max", Some(1))
        .flag("journal", Some(plan.journal.as_str()))
        .flag(
            "journal_directory",
            Some(plan.directory.join("journal").display()),
        );
    let settings = Settings::load(&sources)?;
    command::audit::of_settings(&settings, (Some(event_id), None), false).await
}

/// A secret for this demo's tokens.
fn secret() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).context("no randomness")?;
    let (first, second) = bytes.split_at(16);
    let hex = |half: &[u8]| {
        half.iter()
            .fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte))
    };
    Ok(format!("{:032x}{:032x}", hex(first), hex(second)))
}

#[expect(clippy::print_stderr, reason = "progress for people; results go to stdout")]
fn say(line: &str) {
    eprintln!("onsale demo: {line}");
}
