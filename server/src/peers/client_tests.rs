//! What is believed of who answers at another process's address.

use std::time::Duration;

use hyper::body::Bytes;
use onsale_domain::{Command, EventId};
use onsale_engine::EngineError;
use onsale_engine::port::{PeerAnswer, PeerQuestion, Peers as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

use super::super::seal::{Seal, wall_time};
use super::super::{ANSWER_BYTES_MAX, Seals, wire};
use super::{HttpPeers, outcome};

const EVENT: EventId = EventId(Uuid::from_u128(7));

/// What an answer is sealed with.
#[derive(Clone, Copy)]
enum Under {
    OurSeal,
    AnotherSecret,
    AnotherQuestion,
    Nothing,
}

struct Reply {
    status: u16,
    body: Bytes,
    under: Under,
}

fn seals() -> Seals {
    Seals::new(b"a secret of thirty-two bytes or so", [])
}

/// Reads a question to its end, and gives its seal.
async fn read(stream: &mut TcpStream) -> Seal {
    let mut question = Vec::new();
    loop {
        assert!(stream.read_buf(&mut question).await.unwrap() > 0, "no question");
        let text = String::from_utf8_lossy(&question).into_owned();
        let Some((head, _)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let header = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).unwrap().1
        };
        let length: usize = header("content-length").parse().unwrap();
        if question.len() >= head.len() + 4 + length {
            return header("onsale-peer-seal").parse().unwrap();
        }
    }
}

async fn answer(mut stream: TcpStream, reply: Reply) {
    let seal = read(&mut stream).await;
    let code = match reply.under {
        Under::OurSeal => Some(seals().answer(&seal, &reply.body)),
        Under::AnotherSecret => {
            let theirs = Seals::new(b"another secret of thirty-two bytes", []);
            Some(theirs.answer(&seal, &reply.body))
        }
        Under::AnotherQuestion => {
            let other = seals().seal(EVENT, b"another", wall_time());
            Some(seals().answer(&other, &reply.body))
        }
        Under::Nothing => None,
    };
    let code = code.map_or_else(String::new, |code| {
        format!("onsale-peer-answer-seal: {}\r\n", code.to_hex())
    });
    let head = format!(
        "HTTP/1.1 {} Said\r\ncontent-length: {}\r\n{code}\r\n",
        reply.status,
        reply.body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // Who is told too much hangs up.
    let _ = stream.write_all(&reply.body).await;
}

/// What a question comes to where this is the reply.
async fn asked(question: &PeerQuestion, reply: Reply) -> &'static str {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let answering = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        answer(stream, reply).await;
    });
    let peers = HttpPeers::new(seals());
    let answered = peers
        .ask(&address, EVENT, question, Duration::from_secs(10))
        .await;
    answering.await.unwrap();
    outcome(&answered)
}

#[tokio::test]
async fn an_answer_is_believed_only_under_our_seal_of_this_question() {
    let projected = wire::encode_answer(&Ok(PeerAnswer::Projected)).unwrap();
    let overloaded = wire::encode_answer(&Err(EngineError::Overloaded { reason: "peers" })).unwrap();
    let garbage = Bytes::from_static(&[0xff; 64]);
    let endless = Bytes::from(vec![0; ANSWER_BYTES_MAX + 1]);
    for (what, body, under, expected) in [
        ("as it should be", &projected, Under::OurSeal, "answered"),
        ("overloaded", &overloaded, Under::OurSeal, "overloaded"),
        ("no seal", &projected, Under::Nothing, "lost"),
        ("another secret", &projected, Under::AnotherSecret, "lost"),
        ("an earlier answer", &projected, Under::AnotherQuestion, "lost"),
        ("no answer at all", &garbage, Under::OurSeal, "lost"),
        ("too long", &endless, Under::OurSeal, "lost"),
    ] {
        for question in [
            PeerQuestion::WaitProjected,
            PeerQuestion::Execute(Command::Advance),
        ] {
            let reply = Reply {
                status: 200,
                body: body.clone(),
                under,
            };
            assert_eq!(asked(&question, reply).await, expected, "{what}: {question:?}");
        }
    }
}

#[tokio::test]
async fn a_refusal_by_status_says_nothing_of_a_command() {
    for (status, of_a_read) in [
        (400, "unreachable"),
        (401, "unreachable"),
        (404, "unreachable"),
        (413, "unreachable"),
        (426, "unreachable"),
        (500, "lost"),
        (503, "overloaded"),
        (504, "lost"),
    ] {
        for (question, expected) in [
            (PeerQuestion::Availability, of_a_read),
            (PeerQuestion::Execute(Command::Advance), "lost"),
        ] {
            let reply = Reply {
                status,
                body: Bytes::from_static(b"no"),
                under: Under::Nothing,
            };
            assert_eq!(asked(&question, reply).await, expected, "{status}: {question:?}");
        }
    }
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_done() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let question = PeerQuestion::Execute(Command::Advance);
    let peers = HttpPeers::new(seals());
    let answered = peers
        .ask(&address, EVENT, &question, Duration::from_secs(10))
        .await;
    assert_eq!(outcome(&answered), "unreachable", "{answered:?}");
}
