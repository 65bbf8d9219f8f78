//! Redis: what processes share, and what happens where there is none.

use std::time::Duration;

use onsale_persistence::{Redis, RedisError, SharedRate, SharedRates};
use tokio::time::Instant;
use uuid::Uuid;

/// Two processes' views of the same rates, which no other test shares. They wait longer than requests do, because
/// tests share their machine.
async fn two() -> (SharedRates, SharedRates) {
    let url = std::env::var("REDIS_URL").expect("REDIS_URL: run with `cargo xtask pg -- …`");
    let prefix = format!("test:{}:", Uuid::now_v7().simple());
    let open = async || {
        let redis = Redis::open(&url, &prefix).await.expect("a handle");
        SharedRates::new(redis).within(Duration::from_secs(1))
    };
    (open().await, open().await)
}

/// One request from a rate of one a minute and a burst of three.
fn one_of_three(name: &str) -> SharedRate {
    SharedRate {
        name: name.to_owned(),
        interval: Duration::from_mins(1),
        burst: 3,
        cost: 1,
    }
}

#[tokio::test]
async fn a_rate_is_spent_by_all_processes_together() {
    let (one, two) = two().await;
    let rate = [one_of_three("ada")];
    for (process, whole_in) in [(&one, 60.0), (&two, 120.0), (&one, 180.0)] {
        let spent = process.ask(&rate).await.unwrap()[0];
        assert_eq!(spent.wait, Duration::ZERO);
        assert!((spent.whole_in.as_secs_f64() - whole_in).abs() < 5.0, "{spent:?}");
    }
    for process in [&one, &two] {
        let refused = process.ask(&rate).await.unwrap()[0];
        assert!((50.0..=60.0).contains(&refused.wait.as_secs_f64()), "{refused:?}");
    }
    assert_eq!(
        two.ask(&[one_of_three("bob")]).await.unwrap()[0].wait,
        Duration::ZERO
    );
}

#[tokio::test]
async fn of_requests_at_once_no_more_are_admitted_than_the_burst() {
    let (one, two) = two().await;
    let rate = [one_of_three("ada")];
    let asked = (0..40).map(|number| if number % 2 == 0 { &one } else { &two }.ask(&rate));
    let answers = futures::future::join_all(asked).await;
    let admitted = answers
        .iter()
        .filter(|answer| answer.as_ref().unwrap()[0].wait.is_zero());
    assert_eq!(admitted.count(), 3);
}

#[tokio::test]
async fn where_one_rate_has_too_little_none_is_spent() {
    let (one, _) = two().await;
    for _ in 0..3 {
        one.ask(&[one_of_three("tight")]).await.unwrap();
    }
    let both = one
        .ask(&[one_of_three("wide"), one_of_three("tight")])
        .await
        .unwrap();
    assert!(both[0].wait.is_zero() && !both[1].wait.is_zero(), "{both:?}");
    assert_eq!(both[0].whole_in, Duration::ZERO);
}

#[tokio::test]
async fn what_was_spent_elsewhere_counts_and_a_debt_is_bounded() {
    let (one, two) = two().await;
    let told = |cost| {
        [SharedRate {
            cost,
            ..one_of_three("ada")
        }]
    };
    assert_eq!(one.tell(&told(2)).await.unwrap()[0].wait, Duration::ZERO);
    let spent = two.tell(&told(1_000)).await.unwrap()[0];
    // Twice the burst at the most, of which one request must come back below the burst.
    assert!((230.0..=240.0).contains(&spent.wait.as_secs_f64()), "{spent:?}");
    assert!(!one.ask(&[one_of_three("ada")]).await.unwrap()[0].wait.is_zero());
}

#[tokio::test]
async fn a_handle_opens_while_redis_is_away_and_refuses_at_once() {
    // Nobody listens on the discard port here.
    let redis = Redis::open("redis://127.0.0.1:9", "test:").await.unwrap();
    let started = Instant::now();
    for _ in 0..1_000 {
        assert!(matches!(redis.ping().await, Err(RedisError::Unavailable(_))));
    }
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn tls_is_spoken_where_the_url_says_so() {
    // Somebody who does not speak it: the handshake fails, and nothing panics for want of a TLS stack.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let first_byte = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncReadExt::read_u8(&mut stream).await.unwrap()
    });
    let redis = Redis::open(&format!("rediss://{address}"), "test:")
        .await
        .unwrap();
    assert!(matches!(redis.ping().await, Err(RedisError::Unavailable(_))));
    assert_eq!(first_byte.await.unwrap(), 0x16, "a TLS handshake");
}

#[tokio::test]
async fn urls_that_cannot_work_are_refused_without_showing_them() {
    for url in [
        "redis://:secret@",
        "http://secret@x",
        "rediss://secret@x/#insecure",
    ] {
        let Err(error) = Redis::open(url, "test:").await else {
            panic!("{url} was taken");
        };
        assert!(matches!(error, RedisError::Misconfigured(_)), "{url}: {error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
