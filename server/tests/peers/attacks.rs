//! The endpoint against who does not have the secret, or has overheard who has.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use onsale_domain::{Command, EventId, EventStatus};
use onsale_engine::port::PeerQuestion;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::support::{Call, EventPlan, Journal, World, get, post};
use crate::{PEER_SECRET, metric};

/// The seal of a message, made by the rules of ADR 0026 and not by the code under test.
struct Message {
    secret: &'static str,
    version: u32,
    at_ms: i64,
    event: Uuid,
    body: Vec<u8>,
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

impl Message {
    fn of(event: Uuid, question: &PeerQuestion) -> Self {
        Self {
            secret: PEER_SECRET,
            version: 1,
            at_ms: now_ms(),
            event,
            body: postcard::to_stdvec(&(5_000_u32, question)).unwrap(),
        }
    }

    fn seal(&self) -> String {
        let context = "onsale 2026-11-21 question of one process to another";
        let key = blake3::derive_key(context, self.secret.as_bytes());
        let nonce = Uuid::now_v7();
        let mut hasher = blake3::Hasher::new_keyed(&key);
        hasher.update(&self.version.to_be_bytes());
        hasher.update(&self.at_ms.to_be_bytes());
        hasher.update(nonce.as_bytes());
        hasher.update(self.event.as_bytes());
        hasher.update(&self.body);
        let code = hasher.finalize().to_hex();
        format!("{} {} {} {code}", self.version, self.at_ms, nonce.simple())
    }

    fn call(&self) -> Call {
        call(self.event, &self.seal(), self.body.clone())
    }
}

fn call(event: Uuid, seal: &str, body: Vec<u8>) -> Call {
    post(format!("/peer/v1/events/{event}"))
        .header("onsale-peer-seal", seal)
        .body("application/octet-stream", body)
}

#[tokio::test]
async fn only_what_is_sealed_for_this_event_just_now_is_answered() {
    let world = World::with(Journal::Postgres, &[("ONSALE_PEER_SECRET", PEER_SECRET)]).await;
    let event = world.event(&EventPlan::of(5)).await.id;
    let good = || Message::of(event, &PeerQuestion::Availability);
    let other = Uuid::now_v7();
    let changed = {
        let mut message = good();
        let seal = message.seal();
        message.body[0] ^= 1;
        call(event, &seal, message.body)
    };
    let wrong = Message {
        secret: "what-somebody-else-knows-each-other-by",
        ..good()
    };
    let at = |offset_ms| Message {
        at_ms: now_ms() + offset_ms,
        ..good()
    };
    let newer = Message { version: 2, ..good() };
    let huge = Message {
        body: vec![0; 64 * 1024 + 1],
        ..good()
    };
    let unreadable = Message {
        body: vec![0xff; 100],
        ..good()
    };
    let path = format!("/peer/v1/events/{event}");
    for (what, call, status) in [
        ("as it should be", good().call(), 200),
        ("no seal", post(&path).body("text/plain", good().body), 401),
        ("an empty seal", call(event, "", good().body), 401),
        ("no seal at all", call(event, "let me in", good().body), 401),
        ("half a seal", call(event, &good().seal()[..80], good().body), 401),
        ("another secret", wrong.call(), 401),
        ("another event", call(other, &good().seal(), good().body), 401),
        ("another body", changed, 401),
        ("31 seconds ago", at(-31_000).call(), 401),
        ("in 31 seconds", at(31_000).call(), 401),
        ("a clock that is 20 seconds late", at(-20_000).call(), 200),
        ("another version", newer.call(), 426),
        ("too long", huge.call(), 413),
        ("no question", unreadable.call(), 400),
        (
            "no event",
            post("/peer/v1/events/all").body("text/plain", "x"),
            404,
        ),
        ("read", get(&path), 404),
        ("elsewhere", post("/peer/v1/").body("text/plain", "x"), 404),
    ] {
        let reply = call.send(world.server.internal).await;
        assert_eq!(reply.status, status, "{what}");
        let is_sealed = !reply.header("onsale-peer-answer-seal").is_empty();
        assert_eq!(is_sealed, status == 200, "{what}");
        assert!(reply.raw.len() < 64 || status == 200, "{what} tells much");
    }
    for reason in ["seal", "time", "version", "size"] {
        let series = format!("onsale_peer_refusals_total{{reason=\"{reason}\"}}");
        assert!(metric(&world.server, &series).await > 0, "{series}");
    }
    // The public port has none of it.
    let reply = good().call().send(world.api()).await;
    assert_eq!(reply.status, 404);
}

#[tokio::test]
async fn what_was_overheard_does_nothing_twice() {
    let world = World::with(Journal::Postgres, &[("ONSALE_PEER_SECRET", PEER_SECRET)]).await;
    let event = world.event(&EventPlan::of(5)).await;
    let pause = PeerQuestion::Execute(Command::ChangeStatus {
        to: EventStatus::Paused,
        expected_version: None,
    });
    let overheard = Message::of(event.id, &pause).call();
    assert_eq!(overheard.send(world.server.internal).await.status, 200);
    world.shows(&event, "paused").await;
    let resume = post(format!("{}/resume", event.staff_path()));
    world.staff(resume).await.expect(200);
    assert_eq!(overheard.send(world.server.internal).await.status, 401);
    world.shows(&event, "on_sale").await;
}

#[tokio::test]
async fn nobody_waits_for_a_question_that_does_not_come_in() {
    let world = World::with(Journal::Postgres, &[("ONSALE_PEER_SECRET", PEER_SECRET)]).await;
    let event = EventId(Uuid::now_v7()).0;
    let seal = Message::of(event, &PeerQuestion::Availability).seal();
    let mut stream = TcpStream::connect(world.server.internal).await.unwrap();
    let head = format!(
        "POST /peer/v1/events/{event} HTTP/1.1\r\nhost: onsale\r\nonsale-peer-seal: {seal}\r\ncontent-length: 100\r\n\r\nx"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 256];
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut answer)).await;
    let length = read.expect("it waits").unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]);
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn without_a_secret_or_with_a_local_journal_there_is_no_endpoint() {
    for (journal, settings) in [
        (Journal::Postgres, &[][..]),
        (Journal::Local, &[("ONSALE_PEER_SECRET", PEER_SECRET)][..]),
    ] {
        let world = World::with(journal, settings).await;
        let call = Message::of(Uuid::now_v7(), &PeerQuestion::Availability).call();
        let reply = call.send(world.server.internal).await;
        assert_eq!(reply.status, 404, "{journal:?}");
    }
}

#[tokio::test]
async fn processes_with_different_secrets_refuse_each_other_and_say_come_again() {
    let mut world = World::with(Journal::Postgres, &[("ONSALE_PEER_SECRET", PEER_SECRET)]).await;
    let event = world.event(&EventPlan::of(5)).await;
    let mut other = world.another("two", Journal::Postgres);
    other.set(
        "ONSALE_PEER_SECRET",
        "another-secret-of-another-deployment-altogether",
    );
    other.start().await;
    let buyer = crate::support::Caller::buyer();
    let call = event.purchase(1, "sim_approve").by(&buyer).key("k");
    call.send(other.api)
        .await
        .problem_with_retry(503, "outcome_unknown");
    assert_eq!(world.counts(&event).await, (5, 0, 0));
    other.stop().await;
    world.stop_and_audit().await;
}
