//! The queue of background work: who gets a job, and what becomes of it.

use std::collections::BTreeSet;

use onsale_domain::{EventId, UnixMillis};
use onsale_persistence::{
    Actor, AuditEntry, AuditFilter, AuditOutcome, Database, Job, JobKind, JobRow, NewJob,
};
use serde_json::json;
use uuid::Uuid;

use crate::support::TestDatabase;

const NOW: UnixMillis = UnixMillis(1_795_000_000_000);
const LEASE_MS: i64 = 60_000;

/// How a run ends.
type End = for<'a> fn(&'a Database, &'a Job) -> futures::future::BoxFuture<'a, ()>;

fn job(kind: JobKind, subject_id: Uuid) -> NewJob {
    NewJob {
        kind,
        subject_id,
        event_id: None,
        payload: None,
        due_at: NOW,
    }
}

fn after(ms: i64) -> UnixMillis {
    NOW.plus_ms(ms)
}

async fn ask(database: &Database, kind: JobKind) -> Uuid {
    let subject_id = Uuid::now_v7();
    database
        .enqueue(&[job(kind, subject_id)], NOW)
        .await
        .expect("enqueue");
    subject_id
}

async fn claim(database: &Database, kind: JobKind, now: UnixMillis) -> Vec<Job> {
    let claimed = database.claim_jobs(kind, now, LEASE_MS, 10).await;
    claimed.expect("claim")
}

/// The only job that is due.
async fn claim_one(database: &Database, kind: JobKind, now: UnixMillis) -> Job {
    let mut claimed = claim(database, kind, now).await;
    assert_eq!(claimed.len(), 1, "{claimed:?}");
    claimed.remove(0)
}

async fn is_there(database: &Database, job: &Job) -> Option<JobRow> {
    let row = database.job(job.kind, job.subject_id).await;
    row.expect("a row or none")
}

fn retry() -> AuditEntry {
    AuditEntry::new(NOW, Actor::SYSTEM, "jobs.retry", AuditOutcome::Done)
}

#[tokio::test]
async fn asking_twice_is_asking_once_at_the_earlier_time_and_with_the_later_payload() {
    let db = TestDatabase::new().await;
    let (subject_id, event_id) = (Uuid::now_v7(), EventId(Uuid::now_v7()));
    let first = NewJob {
        event_id: Some(event_id),
        payload: Some(json!({"to": 1})),
        due_at: after(5_000),
        ..job(JobKind::Mail, subject_id)
    };
    let sooner = NewJob {
        due_at: after(1_000),
        ..job(JobKind::Mail, subject_id)
    };
    let later = NewJob {
        payload: Some(json!({"to": 2})),
        due_at: after(9_000),
        ..job(JobKind::Mail, subject_id)
    };
    // Twice in one call, and once more.
    let database = &db.database;
    database.enqueue(&[first, sooner], NOW).await.expect("enqueue");
    database.enqueue(&[later], NOW).await.expect("enqueue");
    assert!(claim(database, JobKind::Mail, after(999)).await.is_empty());
    assert!(claim(database, JobKind::Payment, after(1_000)).await.is_empty());
    let job = claim_one(database, JobKind::Mail, after(1_000)).await;
    assert_eq!((job.subject_id, job.attempts), (subject_id, 1));
    assert_eq!(job.payload, Some(json!({"to": 2})));
    database.finish_jobs(&[job]).await.expect("finish");
    assert!(
        claim(database, JobKind::Mail, after(LEASE_MS * 2))
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_job_is_given_to_one_of_many_claimers() {
    let db = TestDatabase::new().await;
    let jobs: Vec<_> = (0..200)
        .map(|_| job(JobKind::TicketFiles, Uuid::now_v7()))
        .collect();
    db.database.enqueue(&jobs, NOW).await.expect("enqueue");
    let claiming = (0..4).map(|_| {
        let database = db.database.clone();
        tokio::spawn(async move {
            let mut got = vec![];
            loop {
                let claimed = database.claim_jobs(JobKind::TicketFiles, NOW, LEASE_MS, 7).await;
                let claimed = claimed.expect("claim");
                if claimed.is_empty() {
                    return got;
                }
                got.extend(claimed);
            }
        })
    });
    let mut all = vec![];
    for claimer in claiming.collect::<Vec<_>>() {
        all.extend(claimer.await.expect("a claimer"));
    }
    let different: BTreeSet<_> = all.iter().map(|job| job.subject_id).collect();
    assert_eq!((all.len(), different.len()), (200, 200));
    db.database.finish_jobs(&all).await.expect("finish");
    let counts = db.database.job_counts(1_000).await.expect("counts");
    assert!(counts.iter().all(|count| count.waiting == 0 && count.dead == 0));
}

#[tokio::test]
async fn what_is_asked_for_while_it_is_at_work_waits_for_its_end_and_runs_once_more() {
    let db = TestDatabase::new().await;
    let database = &db.database;
    let subject_id = ask(database, JobKind::Payment).await;
    let ends: [End; 4] = [
        |database, job| {
            Box::pin(async move {
                let done = std::slice::from_ref(job);
                database.finish_jobs(done).await.expect("finish");
            })
        },
        |database, job| {
            Box::pin(async move {
                database
                    .postpone_job(job, after(500_000))
                    .await
                    .expect("postpone");
            })
        },
        |database, job| {
            Box::pin(async move {
                database.fail_job(job, after(500_000), "no").await.expect("fail");
            })
        },
        |database, job| Box::pin(async move { database.bury_job(job, NOW, "no").await.expect("bury") }),
    ];
    for end in ends {
        let at_work = claim_one(database, JobKind::Payment, NOW).await;
        database
            .enqueue(&[job(JobKind::Payment, subject_id)], NOW)
            .await
            .expect("enqueue");
        assert!(
            claim(database, JobKind::Payment, after(1)).await.is_empty(),
            "beside the first"
        );
        end(database, &at_work).await;
        let row = is_there(database, &at_work).await.expect("still there");
        assert_eq!((row.due_at, row.dead_at, row.attempts), (NOW, None, 0));
    }
    let last = claim_one(database, JobKind::Payment, NOW).await;
    database.finish_jobs(&[last]).await.expect("finish");
    assert!(
        claim(database, JobKind::Payment, after(LEASE_MS * 20))
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_claim_that_ran_out_goes_to_another_and_its_loser_changes_nothing() {
    let db = TestDatabase::new().await;
    let database = &db.database;
    ask(database, JobKind::Mail).await;
    let lost = claim_one(database, JobKind::Mail, NOW).await;
    assert!(
        claim(database, JobKind::Mail, after(LEASE_MS - 1))
            .await
            .is_empty()
    );
    let taken = claim_one(database, JobKind::Mail, after(LEASE_MS)).await;
    assert_eq!(taken.attempts, 2);
    let before = is_there(database, &taken).await;
    database
        .finish_jobs(std::slice::from_ref(&lost))
        .await
        .expect("finish");
    database.postpone_job(&lost, NOW).await.expect("postpone");
    database.fail_job(&lost, NOW, "lost").await.expect("fail");
    database.bury_job(&lost, NOW, "lost").await.expect("bury");
    assert_eq!(is_there(database, &taken).await, before);
    database
        .finish_jobs(std::slice::from_ref(&taken))
        .await
        .expect("finish");
    assert_eq!(is_there(database, &taken).await, None);
}

#[tokio::test]
async fn failures_count_up_and_putting_off_starts_anew() {
    let db = TestDatabase::new().await;
    let database = &db.database;
    ask(database, JobKind::Package).await;
    for attempts in 1..=3 {
        let job = claim_one(database, JobKind::Package, after(attempts * 1_000)).await;
        assert_eq!(i64::from(job.attempts), attempts);
        let due_at = after((attempts + 1) * 1_000);
        // As long as Postgres takes, without the character that it does not take.
        let error = format!("a\0b{}", "c".repeat(10_000));
        database.fail_job(&job, due_at, &error).await.expect("fail");
        let row = is_there(database, &job).await.expect("there");
        assert_eq!(row.due_at, due_at);
        assert_eq!(row.last_error.map(|error| error.chars().count()), Some(500));
        assert!(
            claim(database, JobKind::Package, due_at.plus_ms(-1))
                .await
                .is_empty()
        );
    }
    let job = claim_one(database, JobKind::Package, after(4_000)).await;
    database.postpone_job(&job, after(9_000)).await.expect("postpone");
    assert!(claim(database, JobKind::Package, after(8_999)).await.is_empty());
    assert_eq!(
        claim_one(database, JobKind::Package, after(9_000)).await.attempts,
        1
    );
}

#[tokio::test]
async fn what_was_given_up_stays_until_it_is_revived_or_asked_for_again() {
    let db = TestDatabase::new().await;
    let database = &db.database;
    let revived = ask(database, JobKind::Mail).await;
    let asked = ask(database, JobKind::Mail).await;
    for job in claim(database, JobKind::Mail, NOW).await {
        database
            .bury_job(&job, after(1), "no such mailbox")
            .await
            .expect("bury");
    }
    assert!(
        claim(database, JobKind::Mail, after(LEASE_MS * 10))
            .await
            .is_empty()
    );
    let counts = database.job_counts(1).await.expect("counts");
    let mail = counts.iter().find(|count| count.kind == JobKind::Mail);
    assert_eq!(
        mail.map(|count| (count.waiting, count.dead)),
        Some((0, 1)),
        "counted up to one"
    );

    let row = database
        .revive_job(JobKind::Mail, revived, after(5), &retry())
        .await;
    let row = row.expect("revive").expect("a dead job");
    assert_eq!((row.dead_at, row.due_at, row.attempts), (None, after(5), 0));
    database
        .enqueue(
            &[NewJob {
                due_at: after(6),
                ..job(JobKind::Mail, asked)
            }],
            NOW,
        )
        .await
        .expect("enqueue");
    assert_eq!(
        claim_one(database, JobKind::Mail, after(5)).await.subject_id,
        revived
    );
    assert_eq!(
        claim_one(database, JobKind::Mail, after(6)).await.subject_id,
        asked
    );

    // One that is not dead is not revived, and nothing is noted of it.
    for (kind, subject_id) in [(JobKind::Mail, revived), (JobKind::Mail, Uuid::now_v7())] {
        let none = database.revive_job(kind, subject_id, NOW, &retry()).await;
        assert_eq!(none.expect("revive"), None);
    }
    let entries = database.audit_entries(&AuditFilter::default(), None, 10).await;
    assert_eq!(entries.expect("entries").len(), 1);
}

#[tokio::test]
async fn listings_go_on_after_their_cursor_over_all_kinds() {
    let db = TestDatabase::new().await;
    let database = &db.database;
    let mut jobs = vec![];
    for kind in JobKind::ALL {
        for due in [3, 1, 2, 2] {
            jobs.push(NewJob {
                due_at: after(due),
                ..job(kind, Uuid::now_v7())
            });
        }
    }
    database.enqueue(&jobs, NOW).await.expect("enqueue");
    let waiting = pages(async |cursor| database.waiting_jobs(None, cursor, 3).await.expect("jobs")).await;
    assert_eq!(waiting.len(), 16);
    assert!(waiting.is_sorted_by_key(|job| (job.due_at, job.subject_id)));
    let mail = database
        .waiting_jobs(Some(JobKind::Mail), None, 10)
        .await
        .expect("jobs");
    assert_eq!(mail.len(), 4);
    assert!(mail.iter().all(|job| job.kind == JobKind::Mail));

    for kind in JobKind::ALL {
        for (at, job) in (0..).zip(claim(database, kind, after(10)).await) {
            database.bury_job(&job, after(at / 2), "no").await.expect("bury");
        }
    }
    let dead = pages(async |cursor| database.dead_jobs(None, cursor, 3).await.expect("jobs")).await;
    assert_eq!(dead.len(), 16);
    assert!(dead.is_sorted_by(|a, b| (a.dead_at, a.subject_id) >= (b.dead_at, b.subject_id)));
    let mail = database
        .dead_jobs(Some(JobKind::Mail), None, 10)
        .await
        .expect("jobs");
    assert_eq!(mail.len(), 4);
    assert!(
        database
            .waiting_jobs(None, None, 10)
            .await
            .expect("jobs")
            .is_empty()
    );
}

async fn pages(list: impl AsyncFn(Option<onsale_persistence::JobCursor>) -> Vec<JobRow>) -> Vec<JobRow> {
    let mut all: Vec<JobRow> = vec![];
    loop {
        let page = list(all.last().map(JobRow::cursor)).await;
        if page.is_empty() {
            let different: BTreeSet<_> = all.iter().map(|job| job.subject_id).collect();
            assert_eq!(different.len(), all.len(), "listed twice");
            return all;
        }
        all.extend(page);
    }
}
