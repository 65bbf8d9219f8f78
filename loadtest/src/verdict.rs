//! Whether what buyers were told is what the server has, and what the auditor says.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use goose::prelude::GooseUser;
use serde::Serialize;
use serde_json::Value;
use tokio::process::Command;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::client::Call;
use crate::events::Event;
use crate::ledger::Sale;
use crate::staff::succeed;

/// Most orders that are read back; spread over the whole run.
const READ_BACK_MAX: usize = 2_000;
/// Longest wait for the tables to be level with the journal, and for the auditor.
const LEVEL_WITHIN: Duration = Duration::from_mins(1);
const AUDITED_WITHIN: Duration = Duration::from_mins(30);
/// Characters of the auditor's own words that are told.
const TOLD_MAX: usize = 500;

/// What the API says after the run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Books {
    /// Tickets that there are to sell, in all events of the run.
    pub(crate) capacity: u64,
    /// Tickets sold, by the server's count.
    pub(crate) sold: u64,
    /// Tickets beyond a quota's capacity.
    pub(crate) oversold: u64,
    /// Tickets that two orders were given.
    pub(crate) duplicate_tickets: u64,
    /// Acknowledged orders that were asked for again.
    pub(crate) read_back: u64,
    /// Of those: missing, or not as they were told. With them, tickets that the server does not count as sold.
    pub(crate) lost_acknowledgements: u64,
}

/// What the auditor said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", content = "detail", rename_all = "snake_case")]
pub(crate) enum Audit {
    /// Nothing found.
    Clean,
    /// What was found, in its words.
    Findings(String),
    /// Why it has no say.
    NotAudited(String),
}

impl Books {
    /// Adds an event's availability; `told` are the tickets of it that buyers were told of.
    fn add(&mut self, availability: &Value, told: u64) {
        let types = availability["ticket_types"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let count = |ticket_type: &Value, name: &str| ticket_type[name].as_u64().unwrap_or_default();
        let mut sold_here = 0;
        // Types of one quota show the same capacity and what is left of it, so each quota is counted once by what is
        // left: capacity = available + held + sold, over its types.
        let mut quotas: HashMap<&str, (u64, u64)> = HashMap::new();
        for ticket_type in types {
            let sold = count(ticket_type, "sold");
            sold_here += sold;
            let quota = ticket_type["quota_id"].as_str().unwrap_or_default();
            let entry = quotas.entry(quota).or_insert((count(ticket_type, "capacity"), 0));
            entry.1 += sold;
        }
        for (capacity, sold) in quotas.values() {
            self.capacity += capacity;
            self.oversold += sold.saturating_sub(*capacity);
        }
        self.sold += sold_here;
        self.lost_acknowledgements += told.saturating_sub(sold_here);
    }
}

/// Asks the API about each event and about orders that were acknowledged.
pub(crate) async fn read_back(
    user: &mut GooseUser,
    events: &[(&Event, u64)],
    sales: &[Sale],
    buyers: &[String],
) -> anyhow::Result<Books> {
    let mut books = Books {
        duplicate_tickets: duplicates(sales),
        ..Books::default()
    };
    for (event, sold_before) in events {
        let told = sales.iter().filter(|sale| sale.event_id == event.id);
        let told: usize = told.map(|sale| sale.ticket_ids.len()).sum();
        let told = u64::try_from(told)
            .unwrap_or(u64::MAX)
            .saturating_add(*sold_before);
        let call = Call::get(format!("{}/availability", event.path()));
        let answer = succeed(user, &call).await.context("cannot read the counts")?;
        books.add(&with_quotas(answer.body, event), told);
    }
    let stride = sales.len().div_ceil(READ_BACK_MAX).max(1);
    for sale in sales.iter().step_by(stride) {
        let token = buyers.get(sale.buyer).map_or("", String::as_str);
        let call = Call::get(format!("/v1/orders/{}", sale.order_id)).by(token);
        let is_there = match succeed(user, &call).await {
            Ok(answer) => is_as_told(&answer.body, sale),
            Err(_) => false,
        };
        books.read_back += 1;
        books.lost_acknowledgements += u64::from(!is_there);
    }
    Ok(books)
}

/// Names the quota of each ticket type, which only staff see, as the run made it.
fn with_quotas(mut availability: Value, event: &Event) -> Value {
    if let Some(types) = availability["ticket_types"].as_array_mut() {
        for ticket_type in types {
            let id = ticket_type["id"].as_str().and_then(|id| Uuid::parse_str(id).ok());
            let made = event.types.iter().find(|made| Some(made.id) == id);
            ticket_type["quota_id"] = made.map(|made| made.quota_id.to_string()).into();
        }
    }
    availability
}

fn is_as_told(order: &Value, sale: &Sale) -> bool {
    let tickets = order["tickets"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ids: HashSet<_> = tickets
        .iter()
        .filter_map(|ticket| Uuid::parse_str(ticket["id"].as_str()?).ok())
        .collect();
    order["status"] == "confirmed"
        && order["total"]["amount"].as_i64() == Some(sale.total_minor)
        && ids.len() == sale.ticket_ids.len()
        && sale.ticket_ids.iter().all(|id| ids.contains(id))
}

/// Tickets that buyers were told of in more than one order.
fn duplicates(sales: &[Sale]) -> u64 {
    let mut orders = HashMap::new();
    let tickets = sales
        .iter()
        .flat_map(|sale| sale.ticket_ids.iter().map(|ticket| (*ticket, sale.order_id)));
    let twice = tickets.filter(|(ticket, order)| *orders.entry(*ticket).or_insert(*order) != *order);
    u64::try_from(twice.count()).unwrap_or(u64::MAX)
}

/// Waits until the internal port says that the tables are level with the journal.
pub(crate) async fn settle(user: &mut GooseUser, internal: &str) {
    let level = async {
        loop {
            let answer = Call::get(format!("{internal}readyz?verbose"))
                .send(user, "settle")
                .await;
            if answer.is_ok_and(|answer| answer.body["write_behind_lag_records"] == 0) {
                return;
            }
            sleep(Duration::from_millis(200)).await;
        }
    };
    // The auditor copes with tables that are behind.
    let _ = timeout(LEVEL_WITHIN, level).await;
}

/// Runs the auditor in this environment, with the log of what buyers were told.
pub(crate) async fn audit(command: Option<&str>, log: &Path) -> Audit {
    let Some(command) = command else {
        return Audit::NotAudited("no --audit-command was given".to_owned());
    };
    let mut words = command.split_whitespace();
    let Some(program) = words.next() else {
        return Audit::NotAudited("--audit-command is empty".to_owned());
    };
    let run = Command::new(program)
        .args(words)
        .arg("--clients")
        .arg(log)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    match timeout(AUDITED_WITHIN, run).await {
        Err(_) => Audit::NotAudited(format!("{program} took longer than half an hour")),
        Ok(Err(error)) => Audit::NotAudited(format!("{program}: {error}")),
        Ok(Ok(output)) => judged(&output.stdout, &output.stderr, output.status.success()),
    }
}

fn judged(stdout: &[u8], stderr: &[u8], succeeded: bool) -> Audit {
    let told: String = String::from_utf8_lossy(stderr)
        .trim()
        .chars()
        .take(TOLD_MAX)
        .collect();
    let Ok(report) = serde_json::from_slice::<Value>(stdout) else {
        return Audit::NotAudited(if told.is_empty() {
            "the auditor printed no JSON: give it --json".to_owned()
        } else {
            told
        });
    };
    if succeeded && report["clean"] == true {
        return Audit::Clean;
    }
    let findings = report["findings"].to_string();
    Audit::Findings(findings.chars().take(TOLD_MAX).collect())
}
