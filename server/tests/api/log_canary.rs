//! Everything that carries a secret is done once with a recognisable one; then nothing of it stands in the log, the
//! metrics or the audit log, and no secret anywhere in the database.

mod deeds;
mod trial;

use serde_json::Value;

use crate::support::get;
use deeds::{administer, change_passwords, come_in, meet_database_errors, pay, refresh_tokens, show_tokens};
use trial::{Canary, Trial};

/// Where canaries are not to be: a place's name, and all that stands there.
fn found<'a>(canaries: impl IntoIterator<Item = &'a Canary>, place: &str, content: &str) -> Vec<String> {
    let content = content.to_lowercase();
    let is_there = |(_, needle): &&Canary| content.contains(&needle.to_lowercase());
    let told = |(name, needle): &Canary| format!("{name} in {place}: {needle}");
    canaries.into_iter().filter(is_there).map(told).collect()
}

async fn nothing_is_told_at(level: &str) {
    let mut trial = Trial::start(level).await;
    let (caller, token) = come_in(&mut trial).await;
    show_tokens(&trial, &caller).await;
    refresh_tokens(&mut trial, &token).await;
    change_passwords(&mut trial).await;
    administer(&mut trial, caller.id).await;
    pay(&trial).await;
    meet_database_errors(&trial).await;

    let metrics = get("/metrics").send(trial.world.server.internal).await;
    let metrics = String::from_utf8_lossy(&metrics.raw).into_owned();
    let audit = "SELECT coalesce(string_agg(audit_log::text, chr(10)), '') FROM audit_log";
    let audit = trial.world.database.text(audit).await;
    let rows =
        "SELECT string_agg(query_to_xml(format('SELECT * FROM %I', tablename), true, false, '')::text, '')
                FROM pg_tables WHERE schemaname = 'public'";
    let rows = trial.world.database.text(rows).await;
    trial.world.server.stop().await;
    let log = trial.world.server.stderr();

    let all = || trial.mails.iter().chain(&trial.secrets);
    let told = [
        found(all(), "the log", &log),
        found(all(), "what commands say", &trial.told),
        found(all(), "the metrics", &metrics),
        found(all(), "the audit log", &audit),
        found(&trial.secrets, "the database", &rows),
    ]
    .concat();
    assert!(told.is_empty(), "{}", told.join("\n"));

    // What was looked through is what it should be.
    assert!(
        found(&trial.mails, "the database", &rows).len() >= 2,
        "the accounts are in it"
    );
    assert!(audit.contains("api_keys.create") && metrics.contains("onsale_"));
    for what in [
        "Redis does not answer",
        "row refused by canary",
        "a relational read or write failed",
    ] {
        assert!(log.contains(what), "the log does not tell: {what}");
    }
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let requests = lines.iter().filter(|line| line["request_id"].is_string());
    assert!(requests.count() > 40, "{} lines", lines.len());
}

#[tokio::test]
async fn nothing_secret_is_told_when_everything_logs_at_debug() {
    nothing_is_told_at("debug").await;
}

#[tokio::test]
async fn nothing_secret_is_told_when_our_crates_log_at_trace() {
    let ours = [
        "onsale",
        "onsale_server",
        "onsale_http",
        "onsale_services",
        "onsale_persistence",
        "onsale_engine",
    ];
    let level = ours.map(|name| format!("{name}=trace")).join(",");
    nothing_is_told_at(&format!("info,{level}")).await;
}
