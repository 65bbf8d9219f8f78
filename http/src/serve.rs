//! The accept loop. `axum::serve` sets no timers, so a slow client could hold a connection for ever; here each
//! connection has bounds, and there is a bound on connections.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use metrics::Gauge;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::heads::{HeadTimer, Heads, Noted};
use crate::metric_names::{HTTP_CONNECTIONS, HTTP_CONNECTIONS_MAX};
use crate::rate_limit::Peer;

/// Bytes of a request's head and of what is read ahead.
const READ_BUFFER_BYTES: usize = 32 * 1_024;
/// Headers of a request.
const HEADERS_MAX: usize = 64;
/// Wait after an accept that failed for want of a resource, such as file descriptors.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// Bounds of one port.
#[derive(Clone, Debug)]
pub struct ServeLimits {
    /// Connections open at once. More wait in the listener's backlog.
    pub connections_max: usize,
    /// How long a request's head may take: from its first byte, or from the beginning of the connection.
    pub head_timeout: Duration,
    /// How long a connection may be idle between two requests. A head that is on its way at its end is cut off, too.
    pub idle_timeout: Duration,
    /// How long requests under way may take to finish once the server stops.
    pub grace_period: Duration,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            connections_max: 20_000,
            head_timeout: Duration::from_secs(10),
            // Balancers and proxies commonly keep an idle connection for 60 seconds.
            idle_timeout: Duration::from_secs(75),
            grace_period: Duration::from_secs(20),
        }
    }
}

/// Serves until told to stop, then lets the requests under way finish within the grace period. Returns whether all
/// did.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ServeLimits,
    shutdown: CancellationToken,
) -> bool {
    let permits = Arc::new(Semaphore::new(limits.connections_max));
    let open = metrics::gauge!(HTTP_CONNECTIONS.name);
    let connections_max = u32::try_from(limits.connections_max).unwrap_or(u32::MAX);
    metrics::gauge!(HTTP_CONNECTIONS_MAX.name).set(f64::from(connections_max));
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // Without it hyper looks for the client's end while a request is under way, into a new buffer of 8 KiB. A
        // request goes on without its client: its outcome is found by its key.
        .half_close(true)
        // It counts from the end of the request before: this is the idle timeout, and heads have their own.
        .header_read_timeout(limits.idle_timeout)
        .max_buf_size(READ_BUFFER_BYTES)
        .max_headers(HEADERS_MAX)
        .pipeline_flush(true);
    let connections = TaskTracker::new();
    let cut_off = CancellationToken::new();
    while let Some((stream, peer, permit)) = shutdown.run_until_cancelled(accept(&listener, &permits)).await {
        let connection = Connection {
            builder: builder.clone(),
            router: router.clone(),
            // A token of its own: one that all connections poll is one that they all wait for.
            shutdown: shutdown.child_token(),
            open: open.clone(),
            head_timeout: limits.head_timeout,
        };
        let cut_off = cut_off.child_token();
        connections.spawn(async move {
            cut_off.run_until_cancelled(connection.run(stream, peer)).await;
            drop(permit);
        });
    }
    drop(listener);
    connections.close();
    let all_finished = tokio::time::timeout(limits.grace_period, connections.wait())
        .await
        .is_ok();
    cut_off.cancel();
    connections.wait().await;
    all_finished
}

/// The next connection, once there is room for one.
async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, Option<tokio::sync::OwnedSemaphorePermit>) {
    // The semaphore is never closed, so there always is a permit.
    let permit = Arc::clone(permits).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, permit),
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections; trying again");
                tokio::time::sleep(ACCEPT_BACKOFF).await;
            }
        }
    }
}

/// Whether only the connection at hand failed.
fn is_the_clients(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

struct Connection {
    builder: http1::Builder,
    router: Router,
    shutdown: CancellationToken,
    open: Gauge,
    head_timeout: Duration,
}

impl Connection {
    async fn run(self, stream: TcpStream, peer: SocketAddr) {
        let _open = Open::count(self.open);
        // Without it, small answers wait for the client's acknowledgement of the ones before.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        let heads = Heads::of_new_connection();
        let mut head_timer = HeadTimer::new(heads.clone(), self.head_timeout);
        let noted = Noted {
            stream,
            heads: heads.clone(),
        };
        let router = TowerToHyperService::new(self.router);
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            heads.taken();
            let heads = heads.clone();
            let answer = router.call(request);
            async move {
                let answer = answer.await;
                heads.answered();
                answer
            }
        });
        let connection = self.builder.serve_connection(TokioIo::new(noted), service);
        let mut connection = pin!(connection);
        let mut shutdown = pin!(self.shutdown.cancelled());
        let mut is_stopping = false;
        let served = poll_fn(|context| {
            if !is_stopping && shutdown.as_mut().poll(context).is_ready() {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            if let Poll::Ready(served) = connection.as_mut().poll(context) {
                return Poll::Ready(Some(served));
            }
            head_timer.poll_late(context).map(|()| None)
        });
        match served.await {
            Some(Ok(())) => {}
            Some(Err(error)) => tracing::debug!(%error, "a connection ended early"),
            None => tracing::debug!("a connection was closed: a head took too long"),
        }
    }
}

/// Counts an open connection until dropped, also when its task is cut off.
struct Open(Gauge);

impl Open {
    fn count(gauge: Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
