//! The audit log: appending by many at once, what the database refuses, what a verification shows, listing.

use std::time::Duration;

use onsale_domain::{OrganizationId, UnixMillis, UserId};
use onsale_persistence::{
    Actor, AuditEntry, AuditEntryRow, AuditFilter, AuditHead, AuditLogReport, AuditOutcome, DatabaseError,
};
use serde_json::json;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::support::TestDatabase;

const NOW: UnixMillis = UnixMillis(1_795_000_000_123);

/// An entry with something in every column.
fn full(number: u128) -> AuditEntry {
    AuditEntry {
        organization_id: Some(OrganizationId(Uuid::from_u128(number))),
        request_id: Some("request".to_owned()),
        address: Some("192.0.2.1".to_owned()),
        before: Some(json!({"role": null})),
        after: Some(json!({"role": "support", "at": 1.5})),
        ..AuditEntry::new(
            NOW,
            Actor::service(
                UserId(Uuid::from_u128(number)),
                Some(onsale_domain::ApiKeyId(Uuid::from_u128(9))),
            ),
            "roles.assign",
            AuditOutcome::Done,
        )
        .on("user", number.to_string())
    }
}

/// One with no more than it needs.
fn bare() -> AuditEntry {
    AuditEntry::new(NOW, Actor::SYSTEM, "server.start", AuditOutcome::Done)
}

/// A log of five entries.
async fn five() -> (TestDatabase, AuditHead) {
    let test = TestDatabase::new().await;
    let entries: Vec<_> = (1..=5).map(full).collect();
    test.database.append_audit(&entries[..2]).await.expect("append");
    test.database.append_audit(&entries[2..]).await.expect("append");
    let report = verified(&test, None).await;
    assert_eq!((report.entries, &report.finding), (5, &None));
    (test, report.head)
}

async fn verified(test: &TestDatabase, anchor: Option<AuditHead>) -> AuditLogReport {
    test.database.verify_audit_log(anchor).await.expect("verify")
}

/// Does what somebody does who may drop triggers.
async fn tamper(test: &TestDatabase, sql: &str) {
    test.execute(&format!(
        "ALTER TABLE audit_log DISABLE TRIGGER USER; {sql}; ALTER TABLE audit_log ENABLE TRIGGER USER"
    ))
    .await;
}

/// Tampers with a log of five in each of these ways and checks at which entry it shows.
async fn check(cases: &[(&str, u64)]) {
    let (test, _) = five().await;
    test.execute("CREATE TABLE good AS TABLE audit_log; CREATE TABLE good_head AS TABLE audit_log_head")
        .await;
    for (sql, shows_at) in cases {
        tamper(&test, sql).await;
        let report = verified(&test, None).await;
        let finding = report.finding.unwrap_or_else(|| panic!("{sql}: not found"));
        assert_eq!(finding.seq, *shows_at, "{sql}: {}", finding.what);
        tamper(
            &test,
            "TRUNCATE audit_log, audit_log_head;
             INSERT INTO audit_log TABLE good; INSERT INTO audit_log_head TABLE good_head",
        )
        .await;
        assert_eq!(verified(&test, None).await.entries, 5);
    }
}

/// Copies the last entry to another number and chains it to itself.
const COPY: &str = "INSERT INTO audit_log
    SELECT 6, at, actor_id, actor_kind, api_key_id, action, outcome, target_kind, target_id, organization_id,
        request_id, address, before, after, hash, hash
    FROM audit_log WHERE seq = 5";

#[tokio::test]
async fn an_empty_log_holds() {
    let test = TestDatabase::with_connections(1).await;
    let report = verified(&test, None).await;
    assert_eq!(
        (report.entries, report.head, report.finding),
        (0, AuditHead::default(), None)
    );
    test.database.append_audit(&[]).await.expect("nothing to append");
    assert_eq!(verified(&test, Some(AuditHead::default())).await.entries, 0);
}

#[tokio::test]
async fn many_appending_at_once_leave_no_gap() {
    let test = TestDatabase::new().await;
    let tasks: Vec<_> = (0..20_u128)
        .map(|task| {
            let database = test.database.clone();
            tokio::spawn(async move {
                for _ in 0..5 {
                    let entries = [full(task), bare(), full(task)];
                    database.append_audit(&entries).await.expect("append");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a task");
    }
    let report = verified(&test, None).await;
    assert_eq!(
        (report.entries, report.head.seq, report.finding),
        (300, 300, None)
    );
}

#[tokio::test]
async fn a_log_of_several_pages_is_verified_over_one_connection() {
    let test = TestDatabase::with_connections(1).await;
    let entries = vec![bare(); 2_500];
    test.database.append_audit(&entries).await.expect("append");
    assert_eq!(verified(&test, None).await.entries, 2_500);
    tamper(&test, "UPDATE audit_log SET action = 'x.y' WHERE seq = 2001").await;
    let report = verified(&test, None).await;
    assert_eq!(report.entries, 2_000);
    assert_eq!(report.finding.expect("an edit").seq, 2_001);
}

#[tokio::test]
async fn what_was_rolled_back_leaves_no_gap() {
    let (test, before) = five().await;
    // Another appender dies with its entry inserted and the head moved.
    let mut connection = PgConnection::connect(&test.url()).await.expect("connect");
    let mut transaction = connection.begin().await.expect("begin");
    for sql in [
        "SELECT seq FROM audit_log_head FOR UPDATE",
        COPY,
        "UPDATE audit_log_head SET seq = 6",
    ] {
        sqlx::query(sql).execute(&mut *transaction).await.expect(sql);
    }
    let database = test.database.clone();
    let mut waiting = tokio::spawn(async move { database.append_audit(&[bare()]).await });
    let early = tokio::time::timeout(Duration::from_millis(200), &mut waiting).await;
    assert!(early.is_err(), "appenders wait for each other");
    transaction.rollback().await.expect("rollback");
    waiting.await.expect("the task").expect("append");
    let report = verified(&test, Some(before)).await;
    assert_eq!((report.entries, report.finding), (6, None));
}

#[tokio::test]
async fn the_database_refuses_to_change_or_delete_entries() {
    let (test, _) = five().await;
    let mut connection = PgConnection::connect(&test.url()).await.expect("connect");
    for sql in [
        "UPDATE audit_log SET action = 'x.y' WHERE seq = 1",
        "DELETE FROM audit_log WHERE seq = 5",
        "TRUNCATE audit_log",
        "INSERT INTO audit_log TABLE audit_log ON CONFLICT (seq) DO UPDATE SET action = 'x.y'",
    ] {
        let refused = sqlx::query(sql).execute(&mut connection).await.expect_err(sql);
        assert!(refused.to_string().contains("append-only"), "{sql}: {refused}");
    }
    assert_eq!(verified(&test, None).await.finding, None);
}

#[tokio::test]
async fn an_edit_of_any_column_shows() {
    let edits = [
        ("at", "at + interval '1 microsecond'"),
        ("actor_id", "gen_random_uuid()"),
        ("actor_kind", "'person'"),
        ("api_key_id", "NULL"),
        ("action", "'roles.assigN'"),
        ("outcome", "'refused'"),
        ("target_kind", "''"),
        ("target_id", "target_id || ' '"),
        ("organization_id", "NULL"),
        ("request_id", "NULL"),
        ("address", "'192.0.2.2'"),
        ("before", "'{\"role\": null}'"),
        ("after", "NULL"),
        ("previous_hash", "sha256('x')"),
        ("hash", "sha256('x')"),
    ];
    let (test, _) = five().await;
    let mut connection = PgConnection::connect(&test.url()).await.expect("connect");
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT column_name::text FROM information_schema.columns
         WHERE table_name = 'audit_log' AND column_name <> 'seq' ORDER BY ordinal_position",
    )
    .fetch_all(&mut connection)
    .await
    .expect("columns");
    assert_eq!(columns, edits.map(|(column, _)| column), "a column is not tried");
    sqlx::query("CREATE TABLE good AS TABLE audit_log")
        .execute(&mut connection)
        .await
        .expect("a copy");
    for (column, value) in edits {
        tamper(
            &test,
            &format!("UPDATE audit_log SET {column} = {value} WHERE seq = 3"),
        )
        .await;
        let report = verified(&test, None).await;
        let finding = report.finding.unwrap_or_else(|| panic!("{column}: not found"));
        assert_eq!(
            (report.entries, finding.seq),
            (2, 3),
            "{column}: {}",
            finding.what
        );
        tamper(
            &test,
            &format!("UPDATE audit_log SET {column} = good.{column} FROM good WHERE audit_log.seq = 3 AND good.seq = 3"),
        )
        .await;
        assert_eq!(verified(&test, None).await.finding, None, "{column}");
    }
}

#[tokio::test]
async fn entries_that_went_or_moved_show() {
    check(&[
        ("DELETE FROM audit_log WHERE seq = 3", 3),
        ("DELETE FROM audit_log WHERE seq <= 2", 1),
        ("DELETE FROM audit_log WHERE seq >= 4", 4),
        ("TRUNCATE audit_log", 1),
        (
            "DELETE FROM audit_log WHERE seq = 3; UPDATE audit_log SET seq = 3 WHERE seq = 4;
             UPDATE audit_log SET seq = 4 WHERE seq = 5; UPDATE audit_log_head SET seq = 4",
            3,
        ),
        (
            "UPDATE audit_log SET seq = 9 WHERE seq = 2; UPDATE audit_log SET seq = 2 WHERE seq = 3;
             UPDATE audit_log SET seq = 3 WHERE seq = 9",
            2,
        ),
    ])
    .await;
}

#[tokio::test]
async fn entries_that_came_past_the_server_show() {
    check(&[
        (COPY, 6),
        (&format!("{COPY}; UPDATE audit_log_head SET seq = 6"), 6),
        (
            &format!(
                "ALTER TABLE audit_log DROP CONSTRAINT audit_log_seq_check;
                 {COPY}; UPDATE audit_log SET seq = -1 WHERE seq = 6"
            ),
            0,
        ),
        (
            &format!(
                "ALTER TABLE audit_log DROP CONSTRAINT audit_log_pkey;
                 {COPY}; UPDATE audit_log SET seq = 5 WHERE seq = 6"
            ),
            5,
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_head_row_that_is_gone_or_wrong_shows_and_stops_appending() {
    check(&[
        ("DELETE FROM audit_log_head", 5),
        ("UPDATE audit_log_head SET hash = sha256('x')", 5),
        ("UPDATE audit_log_head SET seq = 4", 5),
        ("UPDATE audit_log_head SET seq = 6", 6),
        ("UPDATE audit_log_head SET seq = -1", 5),
    ])
    .await;
    let (test, _) = five().await;
    test.execute("DELETE FROM audit_log_head").await;
    let refused = test.database.append_audit(&[bare()]).await;
    assert!(matches!(refused, Err(DatabaseError::Damaged(_))), "{refused:?}");
}

#[tokio::test]
async fn a_tail_cut_together_with_the_head_row_shows_against_an_anchor_only() {
    let (test, anchor) = five().await;
    let cut = "DELETE FROM audit_log WHERE seq >= 4;
         UPDATE audit_log_head SET (seq, hash) = (SELECT seq, hash FROM audit_log WHERE seq = 3)";
    tamper(&test, cut).await;
    assert_eq!(verified(&test, None).await.finding, None);
    let report = verified(&test, Some(anchor)).await;
    assert_eq!(report.finding.expect("a cut tail").seq, 4);
    // Also after others were appended in their place.
    test.database
        .append_audit(&[bare(), bare(), bare()])
        .await
        .expect("append");
    assert_eq!(verified(&test, None).await.finding, None);
    let report = verified(&test, Some(anchor)).await;
    assert_eq!(report.finding.expect("another entry").seq, 5);
}

#[tokio::test]
async fn an_anchor_holds_while_the_log_grows() {
    let (test, anchor) = five().await;
    test.database.append_audit(&[full(6)]).await.expect("append");
    let printed: AuditHead = anchor.to_string().parse().expect("as printed");
    let report = verified(&test, Some(printed)).await;
    assert_eq!((report.entries, report.finding), (6, None));
}

#[tokio::test]
async fn what_does_not_fit_is_cut_and_the_log_still_holds() {
    let test = TestDatabase::new().await;
    let mut entry = full(1);
    entry.at = UnixMillis(i64::MAX);
    entry.request_id = Some(format!("a\0{}", "ä".repeat(100)));
    entry.after = Some(json!({"text": "x".repeat(20_000), "nul": "\0"}));
    entry.before = Some(json!("\0 \u{1F3AB}"));
    test.database.append_audit(&[entry]).await.expect("append");
    let rows = list(&test, &AuditFilter::default(), None, 10).await;
    assert_eq!(rows[0].request_id.as_deref().map(str::len), Some(63));
    assert_eq!(rows[0].after, Some(json!({"omitted_bytes": 20_026})));
    assert_eq!(rows[0].before, Some(json!("\0 \u{1F3AB}")));
    assert_eq!(verified(&test, None).await.finding, None);
}

async fn list(
    test: &TestDatabase,
    filter: &AuditFilter,
    before: Option<u64>,
    limit: usize,
) -> Vec<AuditEntryRow> {
    test.database
        .audit_entries(filter, before, limit)
        .await
        .expect("entries")
}

#[tokio::test]
async fn an_entry_is_listed_as_it_was_given() {
    let test = TestDatabase::new().await;
    test.database
        .append_audit(&[full(1), bare()])
        .await
        .expect("append");
    let rows = list(&test, &AuditFilter::default(), None, 10).await;
    let [system, service] = rows.as_slice() else {
        panic!("{rows:?}")
    };
    assert_eq!((system.head.seq, service.head.seq), (2, 1));
    assert_eq!(system.previous_hash, service.head.hash);
    assert_eq!(system.head, verified(&test, None).await.head);
    assert_eq!((system.actor, system.target_id.as_ref()), (Actor::SYSTEM, None));
    let given = full(1);
    let listed = AuditEntry {
        at: service.at,
        actor: service.actor,
        action: "roles.assign",
        outcome: service.outcome,
        target: given.target.clone(),
        organization_id: service.organization_id,
        request_id: service.request_id.clone(),
        address: service.address.clone(),
        before: service.before.clone(),
        after: service.after.clone(),
    };
    assert_eq!(listed, given);
    assert_eq!(service.action, "roles.assign");
    assert_eq!(
        (service.target_kind.as_deref(), service.target_id.as_deref()),
        (Some("user"), Some("1"))
    );
}

/// Sets what a case filters by.
type Edit<'a> = &'a dyn Fn(&mut AuditFilter);

#[tokio::test]
async fn entries_are_filtered() {
    let test = TestDatabase::new().await;
    let entries: Vec<_> = (1..=4)
        .map(|number| AuditEntry {
            at: UnixMillis(NOW.0 + i64::try_from(number).expect("small")),
            outcome: if number == 2 {
                AuditOutcome::Refused
            } else {
                AuditOutcome::Done
            },
            action: if number == 3 {
                "events.edit"
            } else {
                "roles.assign"
            },
            ..full(number)
        })
        .chain([bare()])
        .collect();
    test.database.append_audit(&entries).await.expect("append");
    let organization = |number| OrganizationId(Uuid::from_u128(number));
    let at = |millis: i64| Some(UnixMillis(NOW.0 + millis));
    let cases: [(Edit<'_>, &[u64]); 11] = [
        (&|_| {}, &[5, 4, 3, 2, 1]),
        (&|f| f.actor_id = Some(UserId(Uuid::from_u128(3))), &[3]),
        (&|f| f.action = Some("events.edit".to_owned()), &[3]),
        (&|f| f.action = Some("events".to_owned()), &[]),
        (&|f| f.outcome = Some(AuditOutcome::Refused), &[2]),
        (&|f| f.target_id = Some("4".to_owned()), &[4]),
        (&|f| f.from = at(3), &[4, 3]),
        (&|f| (f.from, f.to) = (at(1), at(3)), &[2, 1]),
        (
            &|f| f.organizations = Some(vec![organization(1), organization(4)]),
            &[4, 1],
        ),
        (&|f| f.organizations = Some(Vec::new()), &[]),
        (
            &|f| {
                f.organizations = Some(vec![organization(2), organization(3)]);
                f.action = Some("roles.assign".to_owned());
            },
            &[2],
        ),
    ];
    for (edit, expected) in cases {
        let mut filter = AuditFilter::default();
        edit(&mut filter);
        let rows = list(&test, &filter, None, 10).await;
        let seqs: Vec<_> = rows.iter().map(|row| row.head.seq).collect();
        assert_eq!(seqs, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn entries_come_in_pages_that_new_ones_do_not_shift() {
    let (test, _) = five().await;
    let filter = AuditFilter::default();
    let first = list(&test, &filter, None, 2).await;
    test.database.append_audit(&[bare()]).await.expect("append");
    let second = list(&test, &filter, Some(first[1].head.seq), 2).await;
    let last = list(&test, &filter, Some(second[1].head.seq), 2).await;
    let seqs: Vec<_> = [first, second, last]
        .concat()
        .iter()
        .map(|row| row.head.seq)
        .collect();
    assert_eq!(seqs, [5, 4, 3, 2, 1]);
    assert!(list(&test, &filter, Some(1), 2).await.is_empty());
}
