//! Clients that cost little, because they share the processors with the server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use memchr::memmem;
use onsale_domain::TicketTypeId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

/// One keep-alive connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            buffer: vec![0; 8_192],
        }
    }

    /// Sends a request and reads the whole answer, which must have this status.
    pub async fn exchange(&mut self, request: &str, status: u16) {
        let answered = self.ask(request).await;
        assert_eq!(answered, status, "{}", String::from_utf8_lossy(&self.buffer));
    }

    /// Sends a request and reads the whole answer; its status.
    pub async fn ask(&mut self, request: &str) -> u16 {
        self.stream.write_all(request.as_bytes()).await.unwrap();
        let mut filled = 0;
        loop {
            filled += self.stream.read(&mut self.buffer[filled..]).await.unwrap();
            assert!(filled > 0, "the server closed the connection");
            if let Some(end) = end_of_answer(&self.buffer[..filled])
                && filled >= end
            {
                break;
            }
        }
        let status = self.buffer[..filled].strip_prefix(b"HTTP/1.1 ").unwrap();
        status[..3]
            .iter()
            .fold(0, |status, digit| 10 * status + u16::from(digit - b'0'))
    }
}

/// What all connections of a round ask for. Their requests walk through the tokens in turn.
pub struct Client {
    address: SocketAddr,
    before_token: String,
    before_key: String,
    body: String,
    status: u16,
    tokens: Arc<Vec<String>>,
    next: AtomicUsize,
    /// Begins every idempotency key of this round.
    run: String,
}

impl Client {
    /// Asks for one ticket.
    pub fn new(
        address: SocketAddr,
        path: &str,
        ticket_type_id: TicketTypeId,
        status: u16,
        tokens: &Arc<Vec<String>>,
    ) -> Arc<Self> {
        let body = format!("{{\"lines\":[{{\"ticket_type_id\":\"{ticket_type_id}\",\"quantity\":1}}]}}");
        Self::with_body(address, path, body, status, tokens)
    }

    /// Buys, pays and confirms in one call.
    pub fn buying(address: SocketAddr, sale: &super::Sale, tokens: &Arc<Vec<String>>) -> Arc<Self> {
        let ticket_type_id = sale.ticket_type_id;
        let body = format!(
            "{{\"lines\":[{{\"ticket_type_id\":\"{ticket_type_id}\",\"quantity\":1}}],\
             \"payment_method\":\"sim_approve\"}}"
        );
        Self::with_body(address, &sale.purchases_path(), body, 201, tokens)
    }

    fn with_body(
        address: SocketAddr,
        path: &str,
        body: String,
        status: u16,
        tokens: &Arc<Vec<String>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            address,
            before_token: format!("POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer "),
            before_key: format!(
                "\r\ncontent-type: application/json\r\ncontent-length: {}\r\nidempotency-key: ",
                body.len()
            ),
            body,
            status,
            tokens: Arc::clone(tokens),
            next: AtomicUsize::new(0),
            run: Uuid::now_v7().simple().to_string(),
        })
    }

    pub async fn connect(&self) -> Connection {
        Connection::open(self.address).await
    }

    pub async fn ask(&self, connection: &mut Connection, request: &mut String) {
        use std::fmt::Write as _;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        request.clear();
        request.push_str(&self.before_token);
        request.push_str(&self.tokens[number % self.tokens.len()]);
        request.push_str(&self.before_key);
        write!(request, "{}-{number}\r\n\r\n{}", self.run, self.body).unwrap();
        connection.exchange(request, self.status).await;
    }

    /// Answers a second, in a closed loop on as many connections, from a runtime of its own.
    pub fn closed_loop(self: &Arc<Self>, connections: usize, round: Duration) -> f64 {
        super::runtime().block_on(async {
            let until = Instant::now() + round;
            let asking: Vec<_> = (0..connections)
                .map(|_| tokio::spawn(Arc::clone(self).ask_until(until)))
                .collect();
            let mut answers = 0;
            for asking in asking {
                answers += asking.await.unwrap();
            }
            f64::from(answers) / round.as_secs_f64()
        })
    }

    async fn ask_until(self: Arc<Self>, until: Instant) -> u32 {
        let mut connection = self.connect().await;
        let mut request = String::new();
        let mut answers = 0;
        while Instant::now() < until {
            self.ask(&mut connection, &mut request).await;
            answers += 1;
        }
        answers
    }
}

fn end_of_answer(bytes: &[u8]) -> Option<usize> {
    const LENGTH: &[u8] = b"\r\ncontent-length: ";
    let head_end = memmem::find(bytes, b"\r\n\r\n")? + 4;
    let start = memmem::find(&bytes[..head_end], LENGTH).unwrap() + LENGTH.len();
    let digits = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit());
    let length = digits.fold(0, |length, digit| 10 * length + usize::from(digit - b'0'));
    Some(head_end + length)
}
