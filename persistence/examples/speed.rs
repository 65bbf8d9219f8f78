//! Measures the journals and the projection alone, on this machine:
//!
//! ```text
//! DATABASE_URL=postgres://… cargo run --profile demo -p onsale-persistence --example speed
//! ```
//!
//! It makes a database `onsale_speed_…` in that server, and a directory below the current one, and drops both.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a measurement on the machine's clock, run by hand"
)]

use std::time::Instant;

use onsale_domain::id::TicketCode;
use onsale_domain::money::Currency;
use onsale_domain::record::{HoldConfirmed, HoldPlaced, IssuedTicket, Line, PaymentAuthorization};
use onsale_domain::{
    BuyerId, EventDetails, EventId, Gateway, HoldId, Money, OrganizationId, Quota, QuotaId, Record,
    SalesWindow, Tax, TicketId, TicketType, TicketTypeId, UnixMillis, codec,
};
use onsale_engine::port::{Chain, Epoch, Journal, JournalEntry, ProjectionSink};
use onsale_persistence::{Database, DatabaseConfig, LocalJournal, PostgresJournal, PostgresProjection};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

const AT: UnixMillis = UnixMillis(1_800_000_000_000);
const RECORDS_PER_ENTRY: usize = 500;

#[tokio::main]
async fn main() {
    let server_url = std::env::var("DATABASE_URL").expect("DATABASE_URL");
    let name = format!("onsale_speed_{}", Uuid::now_v7().simple());
    execute(&server_url, &format!("CREATE DATABASE {name}")).await;
    let (server, _) = server_url.rsplit_once('/').expect("a URL with a database");
    let database = Database::connect(&DatabaseConfig::new(format!("{server}/{name}")))
        .await
        .expect("connect");
    database.migrate().await.expect("migrate");
    project(&database).await;
    local(&database).await;
    postgres(&database).await;
    database.close().await;
    execute(&server_url, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
}

async fn execute(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url).await.expect("connect");
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await
        .expect("the statement");
}

/// Writes records of one event as entries.
struct Log {
    event_id: EventId,
    epoch: Epoch,
    seq: u64,
    chain: Chain,
}

impl Log {
    fn new(epoch: Epoch) -> Self {
        Self {
            event_id: EventId(Uuid::now_v7()),
            epoch,
            seq: 0,
            chain: Chain::default(),
        }
    }

    fn entry(&mut self, records: &[Record]) -> JournalEntry {
        let mut entry = JournalEntry {
            event_id: self.event_id,
            epoch: self.epoch,
            first_seq: self.seq + 1,
            last_seq: self.seq + u64::try_from(records.len()).expect("a length"),
            chain: Chain::default(),
            payload: codec::encode_records(records.iter()).expect("encodes").into(),
        };
        entry.chain = entry.chain_after(self.chain);
        (self.seq, self.chain) = (entry.last_seq, entry.chain);
        entry
    }
}

fn definition(event_id: EventId, quota_id: QuotaId, ticket_type_id: TicketTypeId) -> Vec<Record> {
    vec![
        Record::EventCreated {
            at: AT,
            event_id,
            details: EventDetails {
                organization_id: OrganizationId(Uuid::now_v7()),
                name: "Speed".to_owned(),
                description: String::new(),
                venue: String::new(),
                starts_at: AT,
                time_zone: "UTC".to_owned(),
                sales_window: SalesWindow {
                    opens_at: AT,
                    closes_at: AT.plus_ms(1_000),
                },
                currency: Currency::EUR,
                hold_duration_ms: 1_000,
                hold_lifetime_ms_max: 1_000,
                buyer_limit: None,
                check_in_opens_at: None,
                re_entry: false,
            },
        },
        Record::QuotaSet {
            at: AT,
            quota: Quota {
                id: quota_id,
                name: "All".to_owned(),
                capacity: 10_000_000,
            },
        },
        Record::TicketTypeSet {
            at: AT,
            ticket_type: TicketType {
                id: ticket_type_id,
                name: "Any".to_owned(),
                quota_id,
                unit_price_minor: 1_000,
                unit_fee_minor: 0,
                tax: Tax::NONE,
            },
        },
    ]
}

fn placed(ticket_type_id: TicketTypeId) -> HoldPlaced {
    HoldPlaced {
        at: AT,
        hold_id: HoldId(Uuid::now_v7()),
        buyer_id: BuyerId(Uuid::now_v7()),
        lines: [Line {
            ticket_type_id,
            quantity: 1,
            unit_price_minor: 1_000,
            unit_fee_minor: 0,
            tax: Tax::NONE,
        }]
        .into_iter()
        .collect(),
        currency: Currency::EUR,
        expires_at: AT.plus_ms(1_000),
        payment: None,
        package_order_id: None,
        key: None,
    }
}

fn confirmed(hold: &HoldPlaced) -> HoldConfirmed {
    let total = Money {
        amount_minor: 1_000,
        currency: Currency::EUR,
    };
    let id = Uuid::now_v7();
    let mut code = [0; 10];
    code.copy_from_slice(&id.as_bytes()[6..]);
    HoldConfirmed {
        at: AT,
        hold_id: hold.hold_id,
        buyer_id: hold.buyer_id,
        lines: hold.lines.clone(),
        total,
        payment: Some(PaymentAuthorization {
            gateway: Gateway::Simulated,
            reference: format!("auth-{}", hold.hold_id),
            amount: total,
        }),
        pending_since: None,
        package_order_id: None,
        tickets: vec![IssuedTicket {
            id: TicketId(id),
            ticket_type_id: hold.lines[0].ticket_type_id,
            code: TicketCode(code),
        }],
        key: None,
    }
}

async fn project(database: &Database) {
    let sink = PostgresProjection::new(database.clone());
    let (quota_id, ticket_type_id) = (QuotaId(Uuid::now_v7()), TicketTypeId(Uuid::now_v7()));
    let mut log = Log::new(Epoch(1));
    let records = definition(log.event_id, quota_id, ticket_type_id);
    sink.project(&[log.entry(&records)]).await.expect("project");

    for entries_per_batch in [1_usize, 4, 16, 40] {
        let mut holds = Vec::new();
        let mut batches = Vec::new();
        for _ in 0..(200_000 / RECORDS_PER_ENTRY / entries_per_batch) {
            let mut batch = Vec::new();
            for _ in 0..entries_per_batch {
                let placed: Vec<HoldPlaced> =
                    (0..RECORDS_PER_ENTRY).map(|_| placed(ticket_type_id)).collect();
                let records: Vec<Record> = placed.iter().cloned().map(Record::HoldPlaced).collect();
                batch.push(log.entry(&records));
                holds.extend(placed);
            }
            batches.push(batch);
        }
        let per_batch = entries_per_batch * RECORDS_PER_ENTRY;
        run(
            &sink,
            &batches,
            holds.len(),
            &format!("holds placed, {per_batch} a batch"),
        )
        .await;
        if entries_per_batch != 16 {
            continue;
        }
        let batches: Vec<Vec<JournalEntry>> = holds[..40_000]
            .chunks(8_000)
            .map(|holds| {
                let records: Vec<Record> = holds
                    .iter()
                    .map(|hold| Record::HoldConfirmed(confirmed(hold)))
                    .collect();
                vec![log.entry(&records)]
            })
            .collect();
        run(&sink, &batches, 40_000, "holds confirmed later, 8000 a batch").await;
        let batches: Vec<Vec<JournalEntry>> = (0..5)
            .map(|_| {
                let records: Vec<Record> = (0..8_000)
                    .flat_map(|_| {
                        let hold = placed(ticket_type_id);
                        let confirmed = confirmed(&hold);
                        [Record::HoldPlaced(hold), Record::HoldConfirmed(confirmed)]
                    })
                    .collect();
                vec![log.entry(&records)]
            })
            .collect();
        run(
            &sink,
            &batches,
            40_000,
            "purchases (placed and confirmed), 8000 a batch",
        )
        .await;
    }
}

async fn run(sink: &PostgresProjection, batches: &[Vec<JournalEntry>], rows: usize, what: &str) {
    let start = Instant::now();
    for batch in batches {
        sink.project(batch).await.expect("project");
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("projection: {:>8.0}/s  {what}", rows as f64 / seconds);
}

async fn local(database: &Database) {
    let directory = tempfile::tempdir_in(".").expect("a directory");
    let journal = LocalJournal::open(directory.path(), database.clone())
        .await
        .expect("open");
    append(&journal, 1, 2_000).await;
    append(&journal, 50, 2_000).await;
    append(&journal, RECORDS_PER_ENTRY, 2_000).await;
    append(&journal, 4_000, 300).await;
}

async fn postgres(database: &Database) {
    let journal = PostgresJournal::start(database.clone(), "speed")
        .await
        .expect("start");
    append(&journal, 1, 2_000).await;
    append(&journal, 50, 2_000).await;
    append(&journal, RECORDS_PER_ENTRY, 2_000).await;
    append(&journal, 4_000, 300).await;
    journal.shutdown().await;
}

/// One hot event, one lane, one entry after the other.
async fn append(journal: &impl Journal, records_per_entry: usize, commits: usize) {
    let mut log = Log::new(Epoch(1));
    journal.create(log.event_id).await.expect("create");
    let mut writer = journal.writer().await.expect("a writer");
    let ticket_type_id = TicketTypeId(Uuid::now_v7());
    let records: Vec<Record> = (0..records_per_entry)
        .map(|_| Record::HoldPlaced(placed(ticket_type_id)))
        .collect();
    let entries: Vec<JournalEntry> = (0..commits).map(|_| log.entry(&records)).collect();
    let mut waits_us: Vec<u128> = Vec::with_capacity(commits);
    let start = Instant::now();
    for entry in &entries {
        let wait = Instant::now();
        let appended = writer.append(std::slice::from_ref(entry)).await.expect("append");
        assert!(appended.fenced.is_empty(), "fenced");
        waits_us.push(wait.elapsed().as_micros());
    }
    let seconds = start.elapsed().as_secs_f64();
    waits_us.sort_unstable();
    println!(
        "{:>10}: {:>6.0} commits/s, {:>8.0} records/s; {} records of {} bytes each; p50 {} us, p99 {} us, max {} us",
        journal.name(),
        commits as f64 / seconds,
        (commits * records_per_entry) as f64 / seconds,
        records_per_entry,
        entries[0].payload.len() / records_per_entry,
        waits_us[commits / 2],
        waits_us[commits * 99 / 100],
        waits_us[commits - 1],
    );
}
