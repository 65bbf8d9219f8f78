//! Every contender on a small scale: it sells, it keeps what it acknowledged, it sells no more than there is, also
//! around a kill -9. Needs `cargo xtask pg --` or `cargo xtask test`, and the built `onsale` beside `onsale-compare`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "tests"
)]

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use onsale_compare::crash::{Plot, crash};
use onsale_compare::host::{Host, Programs};
use onsale_compare::load::{Buyers, Gathered, Stop, Target, Ticket, closed_loop};
use onsale_compare::rounds::{PLENTY, Shape, round};
use onsale_compare::{Contender, Operation, RedisSettings, Sale, Series, Verdict};
use uuid::Uuid;

const ALWAYS: Contender = Contender::RedisStream(RedisSettings::Always);
const CONNECTIONS: usize = 8;
const CAPACITY: u32 = 120;
const POOL: u32 = 4;

fn programs() -> Programs {
    let compare = PathBuf::from(env!("CARGO_BIN_EXE_onsale-compare"));
    let onsale = compare.with_file_name("onsale");
    assert!(onsale.is_file(), "build it: cargo build -p onsale-server");
    Programs {
        onsale,
        compare,
        cluster_url: std::env::var("DATABASE_URL").expect("DATABASE_URL: run with `cargo xtask pg -- …`"),
    }
}

async fn start(contender: Contender) -> (Host, Buyers) {
    let host = Host::start(&programs(), contender, POOL).await.unwrap();
    (host, Buyers::mint(20).unwrap())
}

/// Sells until nothing is left; what clients were told.
async fn sell_out(host: &Host, sale: Sale, buyers: &Buyers) -> Gathered {
    let target = Target::new(host.address(), Operation::Hold, &[sale], buyers);
    let stop = Stop::SoldOut {
        deadline: Arc::new(OnceLock::from(Instant::now() + Duration::from_secs(20))),
        acknowledged: Arc::new(AtomicU64::new(0)),
    };
    closed_loop(&target, CONNECTIONS, stop).await.unwrap()
}

async fn sells(contender: Contender, operation: Operation) {
    let (mut host, buyers) = start(contender).await;
    let series = Series::of(contender, operation);
    for events in [1, 5] {
        let sales = host.open_sales(events, PLENTY, operation).await.unwrap();
        let shapes = [
            Shape::Closed {
                connections: CONNECTIONS,
                time: Duration::from_millis(200),
            },
            Shape::Open {
                connections: CONNECTIONS,
                time: Duration::from_millis(400),
                per_second: 100.0,
            },
        ];
        for shape in shapes {
            let round = round(&host, series, &sales, &buyers, shape).await.unwrap();
            assert!(round.acknowledged > 0 && round.adds_up(), "{round:?}");
            assert!(round.refused.is_empty(), "{round:?}");
            assert!(round.latencies.count() == round.acknowledged, "{round:?}");
        }
    }
    host.stop().await.unwrap();
}

async fn sells_no_more_than_there_is(contender: Contender) {
    let (mut host, buyers) = start(contender).await;
    let sale = host.open_sales(1, CAPACITY, Operation::Hold).await.unwrap()[0];
    let told = sell_out(&host, sale, &buyers).await;
    assert_eq!(told.acknowledged, u64::from(CAPACITY));
    host.drained().await.unwrap();
    let verdict = host.rows(Operation::Hold).judge(CAPACITY, &told.tickets).await;
    let verdict = verdict.unwrap();
    assert!(
        verdict.is_clean() && verdict.rows == u64::from(CAPACITY),
        "{verdict:?}"
    );
    host.stop().await.unwrap();
}

async fn survives_kill_9(contender: Contender, operation: Operation, redis_too: bool) {
    let (mut host, buyers) = start(contender).await;
    let plot = Plot {
        operation,
        capacity: CAPACITY,
        within: Duration::from_secs(20),
        connections: CONNECTIONS,
        redis_too,
    };
    let crash = crash(&mut host, &buyers, plot).await.unwrap();
    assert!(crash.verdict.is_clean() && crash.proves_something(), "{crash:?}");
    // Whoever was cut off may have a ticket without knowing it; everybody else knows.
    assert!(
        crash.acknowledged + crash.outcome_unknown >= u64::from(CAPACITY),
        "{crash:?}"
    );
    host.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_echo_answers() {
    sells(Contender::Echo, Operation::Echo).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn onsale_holds_on_the_local_journal() {
    sells(Contender::OnsaleLocal, Operation::Hold).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn onsale_sells_on_the_postgres_journal() {
    sells(Contender::OnsalePostgres, Operation::Purchase).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn onsale_survives_kill_9() {
    survives_kill_9(Contender::OnsaleLocal, Operation::Hold, false).await;
    survives_kill_9(Contender::OnsalePostgres, Operation::Hold, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paid_orders_survive_kill_9() {
    survives_kill_9(Contender::OnsaleLocal, Operation::Purchase, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn onsale_sells_no_more_than_there_is() {
    sells_no_more_than_there_is(Contender::OnsaleLocal).await;
    sells_no_more_than_there_is(Contender::OnsalePostgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_row_lock_sells() {
    sells(Contender::RowLock, Operation::Hold).await;
    sells_no_more_than_there_is(Contender::RowLock).await;
    survives_kill_9(Contender::RowLock, Operation::Hold, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_conditional_update_sells() {
    sells(Contender::ConditionalUpdate, Operation::Hold).await;
    sells_no_more_than_there_is(Contender::ConditionalUpdate).await;
    survives_kill_9(Contender::ConditionalUpdate, Operation::Hold, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_sells() {
    sells(ALWAYS, Operation::Hold).await;
    sells_no_more_than_there_is(ALWAYS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_that_always_syncs_survives_kill_9() {
    survives_kill_9(ALWAYS, Operation::Hold, false).await;
    survives_kill_9(ALWAYS, Operation::Hold, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checker_finds_what_is_planted() {
    let (mut host, buyers) = start(Contender::ConditionalUpdate).await;
    let sale = host.open_sales(1, CAPACITY, Operation::Hold).await.unwrap()[0];
    let told = sell_out(&host, sale, &buyers).await.tickets;
    let rows = host.rows(Operation::Hold);
    let judge = async |capacity, told: &[Ticket]| rows.judge(capacity, told).await.unwrap();
    let clean = Verdict {
        rows: u64::from(CAPACITY),
        lost: 0,
        told_twice: 0,
        oversold: 0,
    };
    assert_eq!(judge(CAPACITY, &told).await, clean);

    let too_few_on_sale = Verdict { oversold: 3, ..clean };
    assert_eq!(judge(CAPACITY - 3, &told).await, too_few_on_sale);

    // A ticket that nobody kept is lost, and one too many beside a sold-out event.
    let unknown = Ticket {
        event_id: sale.event_id,
        id: Uuid::now_v7(),
    };
    let never_kept = [told.as_slice(), &[unknown]].concat();
    let lost = Verdict {
        lost: 1,
        oversold: 1,
        ..clean
    };
    assert_eq!(judge(CAPACITY, &never_kept).await, lost);

    let told_twice = [told.as_slice(), &told[..1]].concat();
    let twice = Verdict {
        told_twice: 1,
        ..clean
    };
    assert_eq!(judge(CAPACITY, &told_twice).await, twice);
    host.stop().await.unwrap();
}
