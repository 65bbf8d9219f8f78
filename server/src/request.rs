//! A small HTTP/1.1 client over loopback: one connection, one request at a time.

use std::net::SocketAddr;

use anyhow::Context as _;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::header::HOST;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Most bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A keep-alive connection.
pub(crate) struct Connection(SendRequest<Full<Bytes>>);

/// An answer with its whole body.
pub(crate) type Answer = Response<Bytes>;

impl Connection {
    /// Connects; the connection's own work runs as a task until it ends.
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.context("cannot connect")?;
        stream.set_nodelay(true).context("TCP_NODELAY")?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .context("cannot speak HTTP")?;
        tokio::spawn(async move {
            // Whoever waits for an answer is told by the sender.
            let _ = connection.await;
        });
        Ok(Self(sender))
    }

    /// Whether the next request may be sent on it.
    pub(crate) fn is_usable(&self) -> bool {
        !self.0.is_closed()
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
        self.0.ready().await.context("the connection is closed")?;
        let (head, body) = self
            .0
            .send_request(request)
            .await
            .context("no answer")?
            .into_parts();
        Ok(Response::from_parts(head, read(body).await?))
    }
}

async fn read(body: Incoming) -> anyhow::Result<Bytes> {
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| anyhow::anyhow!("the answer broke off: {error}"))?;
    Ok(body.to_bytes())
}

/// Sends one request without a body; status and body text.
pub(crate) async fn once(address: SocketAddr, method: &str, path: &str) -> anyhow::Result<(u16, String)> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, address.to_string())
        .body(Full::default())
        .context("request")?;
    let answer = Connection::open(address).await?.send(request).await?;
    let body = String::from_utf8_lossy(answer.body()).trim().to_owned();
    Ok((answer.status().as_u16(), body))
}

/// Gets a path once.
pub(crate) async fn get(address: SocketAddr, path: &str) -> anyhow::Result<(u16, String)> {
    once(address, "GET", path).await
}
