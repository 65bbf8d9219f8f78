//! One run: set up, load, read back, judge, tell.

use std::collections::HashSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use goose::prelude::GooseUser;
use serde::Serialize;
use tokio::time::Instant;
use uuid::Uuid;

use crate::arguments::{Arguments, Share};
use crate::events::{self, Event};
use crate::journeys::Journey;
use crate::ledger::Sale;
use crate::report::{Findings, Report};
use crate::shop::{Door, Pace, Shop};
use crate::staff::Staff;
use crate::{attack, audit, buyers, html, progress, verdict};

/// From the end of the setup to the opening: goose launches its users meanwhile.
const LEAD: Duration = Duration::from_secs(2);
/// And for each of this many users a second more.
const USERS_A_SECOND: u32 = 500;
/// Most rounds of the last-ticket race: each is a ticket type to be made.
const ROUNDS_MAX: u32 = 20;
/// Tickets for the door, for each user, and the least and the most.
const DOOR_TICKETS: (u32, u32, u32) = (20, 100, 5_000);

/// Runs the load test: the table on stdout, files where they were asked for. Errors: it could not be run.
pub async fn run(arguments: &Arguments) -> anyhow::Result<Report> {
    ensure!(
        !arguments.address.cannot_be_a_base(),
        "--address is none of a server"
    );
    let shares = arguments.shares();
    let users = attack::users(&shares, arguments.users);
    let mut user = attack::lone_user(&arguments.address)?;
    let shop = Arc::new(set_up(arguments, &shares, users, &mut user).await?);

    let progress = (!arguments.output.quiet).then(|| progress::tell(&shop));
    let ran = attack::run(&shop, &arguments.address, &shares, users).await;
    if let Some(progress) = progress {
        progress.abort();
    }
    ran?;

    let interrupted = !shop.ended();
    let mut log = shop.ledger.log().clone();
    log.not_begun = if interrupted { 0 } else { shop.not_begun() };
    let told = match &arguments.output.log {
        Some(path) => path.clone(),
        None => std::env::temp_dir().join(format!("onsale-load-{}.jsonl", Uuid::now_v7())),
    };
    let before = shop.door.as_ref().map(|door| &door.sales[..]).unwrap_or_default();
    let sales: Vec<&Sale> = log.sales.iter().chain(before).collect();
    write_log(&told, &sales)?;
    let mut events: Vec<&Event> = vec![&shop.event];
    events.extend(&shop.race);
    events.extend(shop.door.as_ref().map(|door| &door.event));
    let books = verdict::read_back(&mut user, &events, &sales, &shop.buyers).await;
    if let Some(internal) = &arguments.internal {
        verdict::settle(&mut user, internal.as_str()).await;
    }
    let orders: HashSet<_> = sales.iter().map(|sale| sale.order_id).collect();
    let audit = audit::ask(arguments.audit_command.as_deref(), &told, orders.len()).await;
    if arguments.output.log.is_none() {
        // It is only for the auditor, and nobody misses it.
        let _ = fs::remove_file(&told);
    }
    let findings = Findings {
        books,
        audit,
        sales_before: before.len(),
        interrupted,
        users,
    };
    let report = Report::new(arguments, &shares, &log, findings);
    tell(arguments, &report)?;
    Ok(report)
}

/// Makes the events and gathers the buyers.
async fn set_up(
    arguments: &Arguments,
    shares: &[Share],
    users: u32,
    user: &mut GooseUser,
) -> anyhow::Result<Shop> {
    let goes = |journey| shares.iter().any(|share| share.journey == journey);
    let staff = Staff::enter(&arguments.staff, user)
        .await
        .context("the admin cannot log in")?;
    let buyers = match &arguments.token_file {
        Some(path) => buyers::of_file(path)?,
        None => buyers::registered(user, users).await?,
    };
    let organization = events::organization(&staff, user).await?;
    let pace = Pace {
        users,
        rate: arguments.rate,
        duration: Duration::from_secs(arguments.duration.into()),
        rounds: arguments.duration.clamp(1, ROUNDS_MAX),
        seed: arguments.seed,
    };
    let race = if goes(Journey::LastTicket) {
        let plan = events::race_plan(pace.rounds, arguments.hold_seconds);
        Some(events::make(&staff, user, organization, plan).await?)
    } else {
        None
    };
    let door = if goes(Journey::CheckIn) {
        Some(open_door(&staff, user, organization, (users, &buyers[0])).await?)
    } else {
        None
    };
    let lead = LEAD + Duration::from_secs((users / USERS_A_SECOND).into());
    let opens = Instant::now() + lead;
    let plan = events::main_plan(arguments.capacity, arguments.hold_seconds, lead);
    let event = events::make(&staff, user, organization, plan).await?;
    Ok(Shop::new((event, race, door), (staff, buyers), (pace, opens)))
}

/// An event that is sold before the run.
async fn open_door(
    staff: &Staff,
    user: &mut GooseUser,
    organization: Uuid,
    (users, buyer): (u32, &str),
) -> anyhow::Result<Door> {
    let (for_each, least, most) = DOOR_TICKETS;
    let tickets = users.saturating_mul(for_each).clamp(least, most);
    let event = events::make(staff, user, organization, events::door_plan(tickets)).await?;
    let sold = events::sell_for_the_door(user, &event, buyer, tickets).await;
    let (codes, sales) = sold.context("cannot sell the tickets for the door")?;
    Ok(Door {
        codes,
        sales,
        event,
        next: AtomicUsize::new(0),
    })
}

/// A line of JSON for each acknowledged order. No codes and no tokens.
fn write_log(path: &Path, sales: &[&Sale]) -> anyhow::Result<()> {
    let mut text = Vec::new();
    for sale in sales {
        sale.serialize(&mut serde_json::Serializer::new(&mut text))?;
        text.push(b'\n');
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn tell(arguments: &Arguments, report: &Report) -> anyhow::Result<()> {
    let output = &arguments.output;
    let write = |path: &Path, text: String| {
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    if let Some(path) = &output.json {
        write(path, report.json()?)?;
    }
    if let Some(path) = &output.html {
        write(path, html::page(report))?;
    }
    writeln!(std::io::stdout(), "{}", report.text()).context("cannot write the results")
}
