//! The accept loop over real sockets.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{ServeLimits, serve};

struct Server {
    address: std::net::SocketAddr,
    shutdown: CancellationToken,
    served: JoinHandle<bool>,
}

async fn start(limits: ServeLimits) -> Server {
    let finished = Arc::new(AtomicU32::new(0));
    let told = Arc::clone(&finished);
    let slow = get(move || async move {
        sleep(Duration::from_millis(300)).await;
        finished.fetch_add(1, Ordering::Relaxed);
        "done"
    });
    let how_many = get(move || async move { format!("finished: {}", told.load(Ordering::Relaxed)) });
    let router = probes(&no_limits())
        .route("/slow", slow)
        .route("/finished", how_many);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let served = tokio::spawn(serve(listener, router, limits, shutdown.clone()));
    Server {
        address,
        shutdown,
        served,
    }
}

async fn ask(stream: &mut TcpStream, path: &str) {
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
}

async fn read(stream: &mut TcpStream) -> String {
    let mut buffer = vec![0; 4_096];
    let read = timeout(Duration::from_secs(5), stream.read(&mut buffer)).await;
    let length = read.unwrap().unwrap_or(0);
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

#[tokio::test]
async fn connections_are_kept_and_bounded() {
    let server = start(ServeLimits {
        connections_max: 1,
        ..ServeLimits::default()
    })
    .await;
    let mut first = TcpStream::connect(server.address).await.unwrap();
    for _ in 0..2 {
        ask(&mut first, "/visitor").await;
        assert!(read(&mut first).await.starts_with("HTTP/1.1 200"));
    }
    // The second waits until the first has gone.
    let mut second = TcpStream::connect(server.address).await.unwrap();
    ask(&mut second, "/visitor").await;
    let early = timeout(Duration::from_millis(200), second.read_u8()).await;
    assert!(early.is_err());
    drop(first);
    assert!(read(&mut second).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn slow_heads_and_idle_connections_are_closed() {
    let server = start(ServeLimits {
        head_timeout: Duration::from_millis(100),
        idle_timeout: Duration::from_millis(200),
        ..ServeLimits::default()
    })
    .await;
    let mut slow = TcpStream::connect(server.address).await.unwrap();
    slow.write_all(b"GET /visitor HTTP/1.1\r\nho").await.unwrap();
    let answer = read(&mut slow).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
        "{answer}"
    );
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    ask(&mut idle, "/visitor").await;
    assert!(read(&mut idle).await.starts_with("HTTP/1.1 200"));
    let answer = read(&mut idle).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
        "{answer}"
    );
}

/// A balancer before us keeps connections longer than a head may take.
#[tokio::test]
async fn a_connection_may_be_idle_for_longer_than_a_head_may_take_and_then_dribble_no_longer() {
    let server = start(ServeLimits {
        head_timeout: Duration::from_millis(100),
        idle_timeout: Duration::from_mins(1),
        ..ServeLimits::default()
    })
    .await;
    let mut kept = TcpStream::connect(server.address).await.unwrap();
    for path in ["/visitor", "/slow", "/visitor"] {
        ask(&mut kept, path).await;
        assert!(read(&mut kept).await.starts_with("HTTP/1.1 200"), "{path}");
        sleep(Duration::from_millis(300)).await;
    }
    for byte in b"GET /visitor HTTP/1.1" {
        // The server closes midway.
        let _ = kept.write_all(&[*byte]).await;
        sleep(Duration::from_millis(30)).await;
    }
    assert!(read(&mut kept).await.is_empty());
}

#[tokio::test]
async fn a_connection_that_never_asks_is_closed_as_a_slow_head_is() {
    let server = start(ServeLimits {
        head_timeout: Duration::from_millis(100),
        idle_timeout: Duration::from_mins(1),
        ..ServeLimits::default()
    })
    .await;
    let mut mute = TcpStream::connect(server.address).await.unwrap();
    assert!(read(&mut mute).await.is_empty());
}

#[tokio::test]
async fn requests_under_way_finish_when_the_server_stops() {
    let server = start(ServeLimits::default()).await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    ask(&mut idle, "/visitor").await;
    read(&mut idle).await;
    let mut busy = TcpStream::connect(server.address).await.unwrap();
    ask(&mut busy, "/slow").await;
    sleep(Duration::from_millis(100)).await;
    server.shutdown.cancel();
    assert!(read(&mut busy).await.ends_with("done"));
    assert!(read(&mut idle).await.is_empty());
    assert!(
        timeout(Duration::from_secs(5), server.served)
            .await
            .unwrap()
            .unwrap()
    );
}

/// Its outcome is found by its key, and nothing is dropped where it stands (ADR 0020).
#[tokio::test]
async fn a_request_is_finished_when_its_client_has_gone_and_then_makes_room() {
    let limits = ServeLimits {
        connections_max: 1,
        ..ServeLimits::default()
    };
    let server = start(limits).await;
    let mut gone = TcpStream::connect(server.address).await.unwrap();
    ask(&mut gone, "/slow").await;
    sleep(Duration::from_millis(50)).await;
    drop(gone);
    let mut next = TcpStream::connect(server.address).await.unwrap();
    ask(&mut next, "/finished").await;
    assert!(read(&mut next).await.ends_with("finished: 1"));
}

#[tokio::test]
async fn requests_that_take_too_long_are_cut_off() {
    let server = start(ServeLimits {
        grace_period: Duration::from_millis(50),
        ..ServeLimits::default()
    })
    .await;
    let mut busy = TcpStream::connect(server.address).await.unwrap();
    ask(&mut busy, "/slow").await;
    sleep(Duration::from_millis(100)).await;
    server.shutdown.cancel();
    assert!(
        !timeout(Duration::from_secs(5), server.served)
            .await
            .unwrap()
            .unwrap()
    );
}
