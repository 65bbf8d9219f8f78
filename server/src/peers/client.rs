//! Asks other processes over HTTP/1.1, on connections that are kept.

use std::collections::HashMap;
use std::error::Error as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use onsale_domain::EventId;
use onsale_engine::EngineError;
use onsale_engine::port::{PeerAnswer, PeerError, PeerQuestion, Peers};
use tokio::time::Instant;

use super::metrics::asked;
use super::places::{Place, Places};
use super::seal::{Seal, wall_time};
use super::{ANSWER_BYTES_MAX, ANSWER_SEAL_HEADER, PATH, SEAL_HEADER, Seals, wire};

/// Longest wait for a connection: neighbours answer in a millisecond, or are gone.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// Connections that are idle for longer are closed before the other side does it under a question.
const IDLE_MAX: Duration = Duration::from_secs(3);
/// Idle connections that are kept to one process.
const IDLE_CONNECTIONS_MAX: usize = 128;
/// Questions that may be under way to one process, so that one that hangs does not take the places of all.
const UNDER_WAY_TO_ONE_MAX: usize = 512;
/// Questions that may be under way.
const UNDER_WAY_MAX: usize = 1_024;
/// Addresses whose places are counted; those that nobody asks are forgotten then.
const ADDRESSES_MAX: usize = 64;

const _: () = assert!(UNDER_WAY_TO_ONE_MAX < UNDER_WAY_MAX);

/// The other processes.
pub(crate) struct HttpPeers {
    client: Client<HttpConnector, Full<Bytes>>,
    seals: Seals,
    places: Places,
    places_by_address: Mutex<HashMap<String, Arc<Places>>>,
}

type Answered = Result<Result<PeerAnswer, EngineError>, PeerError>;

impl HttpPeers {
    /// Asks under these seals. Nothing is connected yet.
    pub(crate) fn new(seals: Seals) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_WITHIN));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build(connector);
        Self {
            client,
            seals,
            places: Places::new(UNDER_WAY_MAX),
            places_by_address: Mutex::default(),
        }
    }

    /// A place among those of the address, and one among all.
    fn place(&self, address: &str, question: &PeerQuestion) -> Option<(Place, Place)> {
        let of_one = {
            let mut places = self
                .places_by_address
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if let Some(places) = places.get(address) {
                Arc::clone(places)
            } else {
                if places.len() >= ADDRESSES_MAX {
                    places.retain(|_, places| !places.are_free());
                }
                let of_one = Arc::new(Places::new(UNDER_WAY_TO_ONE_MAX));
                places.insert(address.to_owned(), Arc::clone(&of_one));
                of_one
            }
        };
        Some((of_one.take(question)?, self.places.take(question)?))
    }

    async fn exchange(
        &self,
        address: &str,
        event_id: EventId,
        question: &PeerQuestion,
        patience: Duration,
    ) -> Answered {
        let unsendable = |what: String| PeerError::NotReached(what);
        let body =
            wire::encode_question(question, patience).map_err(|error| unsendable(error.to_string()))?;
        let seal = self.seals.seal(event_id, &body, wall_time());
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{address}{PATH}{event_id}"))
            .header(SEAL_HEADER, seal.to_string())
            .body(Full::new(body))
            .map_err(|error| unsendable(error.to_string()))?;
        let response = self.client.request(request).await.map_err(|error| {
            if error.is_connect() {
                let cause = error.source().map(ToString::to_string);
                PeerError::NotReached(cause.unwrap_or_else(|| error.to_string()))
            } else {
                tracing::debug!(address, %error, "another process's answer was lost");
                PeerError::Lost
            }
        })?;
        match response.status() {
            StatusCode::OK => self.read(address, &seal, response).await,
            // Anybody can say these: a command may have run all the same.
            status if matches!(question, PeerQuestion::Execute(_)) => {
                tracing::debug!(address, %status, "another process took no command of ours, or somebody says so");
                Err(PeerError::Lost)
            }
            StatusCode::SERVICE_UNAVAILABLE => Err(PeerError::Overloaded),
            status @ (StatusCode::BAD_REQUEST
            | StatusCode::UNAUTHORIZED
            | StatusCode::NOT_FOUND
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UPGRADE_REQUIRED) => Err(PeerError::NotReached(format!("it answered {status}"))),
            status => {
                tracing::debug!(address, %status, "another process did not answer");
                Err(PeerError::Lost)
            }
        }
    }

    /// The answer, if it is one to this question by who has the secret.
    async fn read(&self, address: &str, seal: &Seal, response: Response<Incoming>) -> Answered {
        let (head, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|_| PeerError::Lost)?.to_bytes();
        let told = head.headers.get(ANSWER_SEAL_HEADER);
        let told = told.and_then(|told| blake3::Hash::from_hex(told.as_bytes()).ok());
        if told != Some(self.seals.answer(seal, &body)) {
            tracing::error!(
                address,
                "an answer is not under our seal: somebody else is at that address"
            );
            return Err(PeerError::Lost);
        }
        wire::decode_answer(&body).map_err(|error| {
            tracing::error!(address, %error, "an answer cannot be read");
            PeerError::Lost
        })
    }
}

impl Peers for HttpPeers {
    fn ask<'a>(
        &'a self,
        address: &'a str,
        event_id: EventId,
        question: &'a PeerQuestion,
        patience: Duration,
    ) -> BoxFuture<'a, Answered> {
        Box::pin(async move {
            let began = Instant::now();
            let answered = match self.place(address, question) {
                None => Err(PeerError::Overloaded),
                Some(_places) => {
                    let exchange = self.exchange(address, event_id, question, patience);
                    let exchanged = tokio::time::timeout(patience, exchange).await;
                    exchanged.unwrap_or(Err(PeerError::Lost))
                }
            };
            asked(outcome(&answered), began.elapsed().as_secs_f64());
            answered
        })
    }
}

const fn outcome(answered: &Answered) -> &'static str {
    match answered {
        Ok(Err(EngineError::OwnedElsewhere { .. })) => "moved",
        Ok(Err(EngineError::Overloaded { .. })) | Err(PeerError::Overloaded) => "overloaded",
        Ok(_) => "answered",
        Err(PeerError::NotReached(_)) => "unreachable",
        Err(PeerError::Lost) => "lost",
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
