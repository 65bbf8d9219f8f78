//! A bounded pool of keep-alive connections. A buyer who finds none free waits, and the wait counts: latency is
//! measured from the scheduled arrival.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::request::{Answer, Connection};

/// Longest wait for one answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// The pool.
pub(crate) struct Connections {
    address: SocketAddr,
    idle: Mutex<Vec<Connection>>,
    places: Semaphore,
}

impl Connections {
    /// At most `connections_max` to one address; opened as they are needed.
    pub(crate) fn new(address: SocketAddr, connections_max: usize) -> Self {
        Self {
            address,
            idle: Mutex::default(),
            places: Semaphore::new(connections_max),
        }
    }

    /// Sends one request and waits for the whole answer. A connection that failed is not used again.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
        let _place = self.places.acquire().await.context("the pool is closed")?;
        let mut connection = match self.take() {
            Some(connection) => connection,
            None => Connection::open(self.address).await?,
        };
        let answer = timeout(ANSWER_WITHIN, connection.send(request))
            .await
            .context("no answer in time")??;
        if connection.is_usable() {
            self.idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(connection);
        }
        Ok(answer)
    }

    fn take(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(connection) = idle.pop() {
            if connection.is_usable() {
                return Some(connection);
            }
        }
        None
    }
}
