//! Whether Postgres can be served from.

use onsale_persistence::{DatabaseError, DatabaseFacts, DatabaseProbe, SchemaState};
use secrecy::ExposeSecret as _;

use super::Check;
use super::clock::Clocks;
use crate::configuration::{JournalKind, Settings, is_loopback};

const NAME: &str = "database";
/// Postgres 15.
const VERSION_MIN: i32 = 150_000;
/// Connections of the `postgres` journal beside the pool.
const JOURNAL_CONNECTIONS: i64 = 2;

/// Everything about Postgres; one check alone where it does not answer.
pub(super) async fn database(settings: &Settings, clocks: &mut Clocks) -> Vec<Check> {
    let Some(url) = &settings.database_url else {
        return Vec::new();
    };
    match looked(settings, url.expose_secret(), clocks).await {
        Ok(checks) => checks,
        Err(error) => {
            let mend =
                "Check that Postgres runs, that DATABASE_URL names it, and that name and password are right";
            vec![Check::failed(NAME, error.to_string(), mend)]
        }
    }
}

async fn looked(settings: &Settings, url: &str, clocks: &mut Clocks) -> Result<Vec<Check>, DatabaseError> {
    let mut probe = DatabaseProbe::open(url).await?;
    let facts = probe.facts().await?;
    let mut checks = vec![
        version(&facts),
        writable(&facts),
        durable(&facts),
        connections(settings, &facts),
        rights(&facts),
        way(&facts),
        // What this role may not read is told by the rights.
        match probe.schema().await {
            Ok(state) => schema(state),
            Err(error) => Check::failed("schema", error.to_string(), "Let this role read _sqlx_migrations"),
        },
    ];
    checks.extend(neighbours(settings, &facts));
    match clocks.compare("Postgres", probe.clock()).await {
        Ok(check) => checks.push(check),
        Err(error) => checks.push(Check::failed(NAME, error.to_string(), "Run this again")),
    }
    Ok(checks)
}

fn version(facts: &DatabaseFacts) -> Check {
    let detail = format!("answers, Postgres {}", facts.version_name);
    if facts.version < VERSION_MIN {
        Check::failed(NAME, detail, "Use Postgres 15 or later")
    } else {
        Check::ok(NAME, detail)
    }
}

fn writable(facts: &DatabaseFacts) -> Check {
    const NAME: &str = "database writes";
    if facts.is_replica {
        let mend =
            "Let DATABASE_URL name the primary, or add target_session_attrs-aware routing in front of both";
        Check::failed(NAME, "this is a replica, which takes none", mend)
    } else if facts.is_read_only {
        let mend = "ALTER ROLE or ALTER DATABASE … RESET default_transaction_read_only";
        Check::failed(NAME, "transactions begin as read-only", mend)
    } else {
        Check::ok(NAME, "this is a primary")
    }
}

fn durable(facts: &DatabaseFacts) -> Check {
    const NAME: &str = "durability";
    if !facts.fsync || !facts.full_page_writes {
        let mend = "Set fsync and full_page_writes to on: without them a power failure loses sold tickets";
        return Check::failed(NAME, "Postgres does not wait for its disk", mend);
    }
    match facts.synchronous_commit.as_str() {
        level @ ("on" | "remote_apply") => Check::ok(NAME, format!("fsync on, synchronous_commit {level}")),
        level => Check::warning(
            NAME,
            format!("synchronous_commit is {level} unless a session asks for more; Onsale's own ask for on"),
            "Take it out of the role's, the database's or the server's settings, for all others that write here",
        ),
    }
}

fn connections(settings: &Settings, facts: &DatabaseFacts) -> Check {
    const NAME: &str = "connections";
    let journal = match settings.journal {
        JournalKind::Postgres => JOURNAL_CONNECTIONS,
        JournalKind::Local => 0,
    };
    let needed = i64::from(settings.database_connections_max) + journal;
    let max = i64::from(facts.connections_max);
    let detail = format!(
        "this process takes up to {needed}, Postgres allows {max}, {} are in use",
        facts.connections
    );
    if needed > max {
        let mend = "Lower ONSALE_DATABASE_CONNECTIONS_MAX, or raise max_connections (or the role's or database's limit)";
        Check::failed(NAME, detail, mend)
    } else if needed * 2 > max {
        let mend = "With a second process, as during an upgrade, there are not enough: lower \
                    ONSALE_DATABASE_CONNECTIONS_MAX, or raise max_connections";
        Check::warning(NAME, detail, mend)
    } else {
        Check::ok(NAME, detail)
    }
}

fn rights(facts: &DatabaseFacts) -> Check {
    const NAME: &str = "rights";
    if !facts.tables_denied.is_empty() {
        let mend = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA … TO this role; the role that migrates \
                    also needs CREATE";
        let detail = format!("this role may not use {}", facts.tables_denied.join(", "));
        Check::failed(NAME, detail, mend)
    } else if facts.may_create {
        Check::ok(NAME, "this role may serve and migrate")
    } else {
        Check::ok(NAME, "this role may serve; it may not migrate")
    }
}

fn way(facts: &DatabaseFacts) -> Check {
    const NAME: &str = "database TLS";
    if facts.tls {
        Check::ok(NAME, "encrypted")
    } else if facts.is_remote {
        let mend = "Add ?sslmode=verify-full&sslrootcert=FILE to DATABASE_URL";
        let detail = "Postgres is another machine, and what travels there is not encrypted";
        Check::warning(NAME, detail, mend)
    } else {
        Check::ok(NAME, "not encrypted, on this machine")
    }
}

/// Where the other processes are told to ask. With Postgres on another machine they may well be on others too.
fn neighbours(settings: &Settings, facts: &DatabaseFacts) -> Option<Check> {
    const NAME: &str = "peer address";
    let address = settings.peers()?.address(settings.internal_listen);
    Some(match address {
        None => Check::ok(
            NAME,
            "others ask at this machine's own address on its way to Postgres",
        ),
        Some(address) if facts.is_remote && is_loopback(&address) => {
            let mend = "Set ONSALE_INTERNAL_LISTEN to 0.0.0.0:9464, or ONSALE_PEER_ADDRESS to where others reach this one";
            let detail = format!("others are told to ask at {address}, which no other machine reaches");
            Check::warning(NAME, detail, mend)
        }
        Some(address) => Check::ok(NAME, format!("others ask at {address}")),
    })
}

fn schema(state: SchemaState) -> Check {
    const NAME: &str = "schema";
    match state {
        SchemaState::Current => Check::ok(NAME, "up to date"),
        SchemaState::Older(pending) => Check::failed(
            NAME,
            format!("older than this release: {pending} migrations are to be applied"),
            "Run `onsale migrate`",
        ),
        SchemaState::Newer(unknown) => Check::warning(
            NAME,
            format!("newer than this release by {unknown} migrations"),
            "Bring this process to the release that migrated; until then it works on the newer schema",
        ),
        SchemaState::Changed(version) => Check::failed(
            NAME,
            format!("migration {version} is not what was applied here"),
            "Use the program that this database was migrated with, or restore a backup from before",
        ),
        SchemaState::Unfinished(version) => Check::failed(
            NAME,
            format!("migration {version} was begun and not finished"),
            "Look into the log of that `onsale migrate`, mend what it names, and run it again",
        ),
    }
}
