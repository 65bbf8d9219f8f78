//! Clients that take their time, or never end: the server closes.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Caller, EventPlan, Journal, World, get};

/// Ten seconds of patience, and a slow machine.
const CLOSED_WITHIN: Duration = Duration::from_secs(14);

/// Sends the start of a request, then dribbles; what was answered before the server closed, and after how long.
async fn dribble(world: &World, start: String, drop: &'static [u8]) -> (String, Duration) {
    let started = Instant::now();
    let stream = TcpStream::connect(world.api()).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    writer.write_all(start.as_bytes()).await.unwrap();
    let dribbling = tokio::spawn(async move {
        // Ends when the server closes.
        while !drop.is_empty() && writer.write_all(drop).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        if drop.is_empty() {
            std::future::pending::<()>().await;
        }
    });
    let mut answer = Vec::new();
    // A reset is a close, too.
    let read = tokio::time::timeout(CLOSED_WITHIN, reader.read_to_end(&mut answer)).await;
    dribbling.abort();
    assert!(read.is_ok(), "still open after {CLOSED_WITHIN:?}: {start}");
    (String::from_utf8_lossy(&answer).into_owned(), started.elapsed())
}

#[tokio::test]
async fn slow_heads_and_slow_bodies_are_closed_within_ten_seconds() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(1)).await;
    let head = |length: &str| {
        format!(
            "POST {}/holds HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nidempotency-key: k\r\n\
             authorization: Bearer {}\r\n{length}\r\n\r\n",
            event.path(),
            Caller::buyer().token
        )
    };
    let (nothing, half_head, slow_head, second_head, slow_body, slow_chunks) = tokio::join!(
        dribble(&world, String::new(), b""),
        dribble(&world, "GET /v1/events HT".to_owned(), b""),
        dribble(
            &world,
            "GET /v1/events HTTP/1.1\r\nhost: x\r\nx: ".to_owned(),
            b"a"
        ),
        dribble(
            &world,
            "GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(),
            b"a"
        ),
        dribble(&world, head("content-length: 1000"), b" "),
        dribble(&world, head("transfer-encoding: chunked"), b"1\r\n \r\n"),
    );
    for (answer, after) in [
        &nothing,
        &half_head,
        &slow_head,
        &second_head,
        &slow_body,
        &slow_chunks,
    ] {
        assert!(
            *after > Duration::from_secs(8),
            "closed after {after:?}: {answer}"
        );
    }
    for (answer, _) in [&slow_body, &slow_chunks] {
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.contains("request_timeout"), "{answer}");
    }
    assert_eq!(world.counts(&event).await, (1, 0, 0));
    world.server.assert_no_panic();
}

#[tokio::test]
async fn an_idle_connection_is_kept_for_as_long_as_the_operator_says() {
    let world = World::with(Journal::Local, &[("ONSALE_IDLE_TIMEOUT_SECONDS", "3")]).await;
    let asked_once = "GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n".to_owned();
    let (answer, after) = dribble(&world, asked_once, b"").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        (Duration::from_millis(2_500)..Duration::from_secs(8)).contains(&after),
        "closed after {after:?}"
    );
    world.server.assert_no_panic();
}

#[tokio::test]
async fn nonsense_and_floods_are_refused_and_the_next_client_is_served() {
    let world = World::start().await;
    let too_many = "x: y\r\n".repeat(1_000);
    let too_long = "a".repeat(200_000);
    for start in [
        "\0\0\0\0\r\n\r\n".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        format!("GET / HTTP/1.1\r\nhost: x\r\n{too_many}\r\n"),
        format!("GET /{too_long} HTTP/1.1\r\nhost: x\r\n\r\n"),
        "GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n".to_owned(),
    ] {
        let mut stream = TcpStream::connect(world.api()).await.unwrap();
        // The server may close before it has read all.
        let _ = stream.write_all(start.as_bytes()).await;
        let mut answer = Vec::new();
        let read = tokio::time::timeout(CLOSED_WITHIN, stream.read_to_end(&mut answer)).await;
        let start: String = start.chars().take(40).collect();
        assert!(read.is_ok(), "still open: {start}");
        let answer = String::from_utf8_lossy(&answer);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{start}: {answer}"
        );
    }
    world.send(get("/v1/events")).await.expect(200);
    world.server.assert_no_panic();
}

#[tokio::test]
async fn a_client_that_hangs_up_finds_the_outcome_by_its_key() {
    let world = World::start().await;
    let event = world.event(&EventPlan::of(5)).await;
    let buyer = Caller::buyer();
    let call = event.purchase(1, "sim_delay_500").by(&buyer).key("k");
    let hung_up = tokio::time::timeout(Duration::from_millis(200), call.send(world.api())).await;
    assert!(hung_up.is_err());
    let in_flight = world.send(call.clone()).await;
    in_flight.problem_with_retry(409, "idempotency_in_flight");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let found = world.send(call).await;
    found.expect(201);
    assert!(found.replayed(), "it went on without its client");
    assert_eq!(world.counts(&event).await, (4, 0, 1));
}
