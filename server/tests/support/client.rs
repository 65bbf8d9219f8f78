//! A small HTTP/1.1 client: one connection for each call, every answer read whole and in bounded time.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use super::Caller;

/// Longest wait for an answer; longer than every patience of the server.
const ANSWER_WITHIN: Duration = Duration::from_secs(25);

/// A request that is being put together.
#[derive(Clone, Debug)]
pub struct Call {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, Vec<u8>)>,
    body: Bytes,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub raw: Bytes,
}

pub fn get(path: impl Into<String>) -> Call {
    Call::new("GET", path)
}

pub fn post(path: impl Into<String>) -> Call {
    Call::new("POST", path)
}

pub fn put(path: impl Into<String>) -> Call {
    Call::new("PUT", path)
}

pub fn delete(path: impl Into<String>) -> Call {
    Call::new("DELETE", path)
}

impl Call {
    pub fn new(method: &'static str, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: vec![],
            body: Bytes::new(),
        }
    }

    pub fn by(self, caller: &Caller) -> Self {
        self.header("authorization", format!("Bearer {}", caller.token))
    }

    pub fn key(self, key: impl Into<String>) -> Self {
        self.header("idempotency-key", key.into())
    }

    pub fn if_match(self, tag: impl Into<String>) -> Self {
        self.header("if-match", tag.into())
    }

    pub fn header(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub fn body(self, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut call = self.header(CONTENT_TYPE.as_str(), content_type);
        call.body = body.into();
        call
    }

    /// Sends it and reads the whole answer.
    pub async fn try_send(&self, address: SocketAddr) -> Result<Reply, String> {
        match tokio::time::timeout(ANSWER_WITHIN, self.exchange(address)).await {
            Ok(reply) => reply,
            Err(_) => Err(format!("{} {}: no answer", self.method, self.path)),
        }
    }

    /// Sends it where an answer is certain.
    pub async fn send(&self, address: SocketAddr) -> Reply {
        self.try_send(address)
            .await
            .unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.path))
    }

    async fn exchange(&self, address: SocketAddr) -> Result<Reply, String> {
        let text = |error: &dyn std::error::Error| error.to_string();
        let stream = TcpStream::connect(address).await.map_err(|error| text(&error))?;
        stream.set_nodelay(true).map_err(|error| text(&error))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| text(&error))?;
        // Ends with the sender; the answer tells how it went.
        let connection = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(self.method)
            .uri(&self.path)
            .header(HOST, address.to_string());
        for (name, value) in &self.headers {
            request = request.header(*name, value.as_slice());
        }
        let request = request
            .body(Full::new(self.body.clone()))
            .map_err(|error| text(&error))?;
        let answer = sender.send_request(request).await.map_err(|error| text(&error))?;
        let (head, body) = answer.into_parts();
        let raw = body.collect().await.map_err(|error| text(&error))?.to_bytes();
        connection.abort();
        Ok(Reply {
            status: head.status.as_u16(),
            headers: head.headers,
            raw,
        })
    }
}

impl Reply {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.raw).unwrap_or_default()
    }

    /// One text of the body, or nothing.
    pub fn text(&self, field: &str) -> String {
        self.json()[field].as_str().unwrap_or_default().to_owned()
    }

    /// The problem's code, or nothing.
    pub fn code(&self) -> String {
        self.text("code")
    }

    /// A header as text, or nothing.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    }

    /// Whether the server says that it told this before.
    pub fn replayed(&self) -> bool {
        self.header("idempotency-replayed") == "true"
    }

    /// The body of an answer that must have this status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.raw));
        self.json()
    }

    /// A problem, whole and with this code (RFC 9457 and our own members).
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        let body = self.expect(status);
        assert_eq!(body["code"], code, "{body}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(body["status"], status, "{body}");
        for member in ["type", "title", "detail", "request_id"] {
            let text = body[member].as_str();
            assert!(text.is_some_and(|text| !text.is_empty()), "{member}: {body}");
        }
        assert_eq!(body["request_id"], self.header("x-request-id"));
        assert!(body["errors"].is_array(), "{body}");
        body
    }

    /// [`Reply::problem`] that also says when to come back.
    #[track_caller]
    pub fn problem_with_retry(&self, status: u16, code: &str) -> Value {
        let body = self.problem(status, code);
        let seconds = self.header("retry-after").parse::<u64>();
        assert!(seconds.is_ok_and(|seconds| seconds >= 1), "Retry-After: {body}");
        body
    }
}
