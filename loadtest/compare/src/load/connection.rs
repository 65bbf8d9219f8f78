//! One keep-alive connection that knows of HTTP only what these servers say.

use std::net::SocketAddr;

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use uuid::Uuid;

/// Bytes of the longest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 * 1_024;
/// Bytes that nearly every answer fits in.
const ANSWER_BYTES: usize = 8 * 1_024;
const HEAD_END: &[u8] = b"\r\n\r\n";

/// A connection and its last answer.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Bytes of the last answer: to the end of its head, and in all.
    head: usize,
    end: usize,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: vec![0; ANSWER_BYTES],
            head: 0,
            end: 0,
        })
    }

    /// Sends a request and reads the whole answer; its status.
    pub async fn ask(&mut self, request: &str) -> anyhow::Result<u16> {
        self.stream.write_all(request.as_bytes()).await?;
        let mut filled = 0;
        (self.head, self.end) = (0, 0);
        while self.head == 0 || filled < self.end {
            if filled == self.buffer.len() {
                ensure!(filled < ANSWER_BYTES_MAX, "the answer is too long");
                self.buffer.resize(filled * 2, 0);
            }
            let read = self.stream.read(&mut self.buffer[filled..]).await?;
            ensure!(read > 0, "the server closed the connection");
            filled += read;
            if self.head == 0
                && let Some(head) = end_of_head(&self.buffer[..filled])
            {
                self.head = head;
                self.end = head + self.content_length()?;
            }
        }
        self.status()
    }

    /// The last answer's body.
    pub fn body(&self) -> &[u8] {
        &self.buffer[self.head..self.end]
    }

    /// A header of the last answer. `name` in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        let head = std::str::from_utf8(&self.buffer[..self.head]).ok()?;
        head.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(str::trim)
    }

    /// The first `id` in the last answer's body: of the hold or order.
    pub fn id(&self) -> Option<Uuid> {
        const FIELD: &[u8] = b"\"id\":\"";
        let body = self.body();
        let at = body.windows(FIELD.len()).position(|window| window == FIELD)? + FIELD.len();
        Uuid::try_parse_ascii(body.get(at..at + 36)?).ok()
    }

    fn status(&self) -> anyhow::Result<u16> {
        let status = self
            .buffer
            .strip_prefix(b"HTTP/1.1 ")
            .and_then(|rest| rest.get(..3));
        let Some(status) = status else {
            bail!("the answer is not HTTP/1.1")
        };
        Ok(std::str::from_utf8(status)?.parse()?)
    }

    fn content_length(&self) -> anyhow::Result<usize> {
        match self.header("content-length") {
            Some(length) => Ok(length.parse()?),
            None => Ok(0),
        }
    }
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let at = bytes
        .windows(HEAD_END.len())
        .position(|window| window == HEAD_END)?;
    Some(at + HEAD_END.len())
}
