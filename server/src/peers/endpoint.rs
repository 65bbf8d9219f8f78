//! Answers other processes, on the internal port.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use onsale_domain::EventId;
use onsale_engine::port::{Owner, PeerAnswer};
use onsale_engine::{Engine, EngineError};
use tokio::sync::Semaphore;

use super::metrics::refused;
use super::once::{Once, Taken};
use super::places::Places;
use super::seal::{Forged, Seal, SealKeys, wall_time};
use super::{ANSWER_BYTES_MAX, ANSWER_SEAL_HEADER, PATH, QUESTION_BYTES_MAX, SEAL_HEADER, Seals, wire};

/// How long a question may take to come in.
const BODY_WITHIN: Duration = Duration::from_secs(5);
/// Questions that may be coming in, of whomever: nobody knows before they are read.
const READINGS_MAX: usize = 512;
/// Questions of all other processes that are under way at most.
const UNDER_WAY_MAX: usize = 2_048;

/// What answers the other processes.
pub(crate) struct PeerEndpoint {
    seals: Seals,
    readings: Semaphore,
    places: Places,
    open: OnceLock<Open>,
}

/// What there is once the engine runs.
struct Open {
    engine: Engine,
    once: Once,
}

/// Why a question is not answered: the status, and the metric's label.
struct Refused(StatusCode, &'static str);

impl PeerEndpoint {
    /// Refuses everything until it is opened.
    pub(crate) fn new(seals: Seals) -> Self {
        Self {
            seals,
            readings: Semaphore::new(READINGS_MAX),
            places: Places::new(UNDER_WAY_MAX),
            open: OnceLock::new(),
        }
    }

    /// Answers for this engine from now on. Only the first call counts.
    pub(crate) fn open(&self, engine: Engine) {
        let once = Once::new(wall_time());
        let _ = self.open.set(Open { engine, once });
    }

    /// Whether a request is for this endpoint.
    pub(crate) fn is_for<T>(request: &Request<T>) -> bool {
        request.method() == Method::POST && request.uri().path().starts_with(PATH)
    }

    /// Answers a request that [`PeerEndpoint::is_for`] knows.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        match self.take(request).await {
            Ok(answer) => answer,
            Err(Refused(status, reason)) => {
                refused(reason);
                tracing::debug!(%status, reason, "a question of another process was not taken");
                let mut answer = Response::new(Full::new(Bytes::from_static(reason.as_bytes())));
                *answer.status_mut() = status;
                answer
            }
        }
    }

    async fn take(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Refused> {
        let (event_id, seal) = head(request.uri().path(), request.headers())?;
        let body = self.read(request.into_body()).await?;
        let now = wall_time();
        let keys = self.seals.check(&seal, event_id, &body, now).map_err(forged)?;
        let unreadable = |_| Refused(StatusCode::BAD_REQUEST, "version");
        let (question, patience) = wire::decode_question(&body).map_err(unreadable)?;
        let Some(open) = self.open.get() else {
            return starting(keys, &seal);
        };
        let Some(_place) = self.places.take(&question) else {
            return overloaded(keys, &seal);
        };
        if question.must_come_once() {
            match open.once.take(seal.nonce, seal.sent_at, now) {
                Taken::First => {}
                Taken::Again => return Err(Refused(StatusCode::UNAUTHORIZED, "again")),
                Taken::Full => return overloaded(keys, &seal),
            }
        }
        // Whoever asked has given up by then.
        let answering = open.engine.answer_peer(event_id, question);
        let Ok(answer) = tokio::time::timeout(patience, answering).await else {
            return Err(Refused(StatusCode::GATEWAY_TIMEOUT, "slow"));
        };
        sealed(keys, &seal, &answer)
    }

    async fn read(&self, question: Incoming) -> Result<Bytes, Refused> {
        let Ok(_reading) = self.readings.try_acquire() else {
            return Err(Refused(StatusCode::SERVICE_UNAVAILABLE, "overloaded"));
        };
        body(question).await
    }
}

/// Who starts owns nothing yet.
fn starting(keys: &SealKeys, seal: &Seal) -> Result<Response<Full<Bytes>>, Refused> {
    refused("starting");
    let owner = Arc::new(Owner::silent("not this process, which starts"));
    sealed(keys, seal, &Err(EngineError::OwnedElsewhere { owner }))
}

/// What others say under our seal is believed: so this is said only to who has the secret.
fn overloaded(keys: &SealKeys, seal: &Seal) -> Result<Response<Full<Bytes>>, Refused> {
    refused("overloaded");
    sealed(keys, seal, &Err(EngineError::Overloaded { reason: "peers" }))
}

fn sealed(
    keys: &SealKeys,
    seal: &Seal,
    answer: &Result<PeerAnswer, EngineError>,
) -> Result<Response<Full<Bytes>>, Refused> {
    let body = wire::encode_answer(answer);
    let body = body.map_err(|_| Refused(StatusCode::INTERNAL_SERVER_ERROR, "size"))?;
    if body.len() > ANSWER_BYTES_MAX {
        // Without a seal: what was asked may have been done.
        tracing::error!(
            bytes = body.len(),
            "an answer to another process is too long to send"
        );
        return Err(Refused(StatusCode::INTERNAL_SERVER_ERROR, "size"));
    }
    let code = keys.answer(seal, &body).to_hex();
    let answer = Response::builder()
        .header(ANSWER_SEAL_HEADER, code.as_str())
        .body(Full::new(body));
    answer.map_err(|_| Refused(StatusCode::INTERNAL_SERVER_ERROR, "size"))
}

/// Whom it is about, and under which seal. Without one, the body is not read.
fn head(path: &str, headers: &HeaderMap) -> Result<(EventId, Seal), Refused> {
    let event_id = path.strip_prefix(PATH).and_then(|id| id.parse().ok());
    let event_id = event_id.ok_or(Refused(StatusCode::NOT_FOUND, "seal"))?;
    let seal = headers
        .get(SEAL_HEADER)
        .and_then(|seal| seal.to_str().ok())
        .ok_or(Forged::Code)
        .and_then(str::parse)
        .map_err(forged)?;
    Ok((event_id, seal))
}

async fn body(body: Incoming) -> Result<Bytes, Refused> {
    let too_large = Refused(StatusCode::PAYLOAD_TOO_LARGE, "size");
    let announced = body.size_hint().lower();
    if announced > u64::try_from(QUESTION_BYTES_MAX).unwrap_or(u64::MAX) {
        return Err(too_large);
    }
    let reading = Limited::new(body, QUESTION_BYTES_MAX).collect();
    match tokio::time::timeout(BODY_WITHIN, reading).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large),
        Ok(Err(_)) | Err(_) => Err(Refused(StatusCode::REQUEST_TIMEOUT, "slow")),
    }
}

const fn forged(forged: Forged) -> Refused {
    match forged {
        Forged::Code => Refused(StatusCode::UNAUTHORIZED, "seal"),
        Forged::Time => Refused(StatusCode::UNAUTHORIZED, "time"),
        Forged::Version => Refused(StatusCode::UPGRADE_REQUIRED, "version"),
    }
}
