//! A peer that answers HTTP in this process, and can lose answers.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use onsale_services::ApiUrl;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A request, whole.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// With its query.
    pub(crate) path: String,
    pub(crate) key: Option<String>,
    pub(crate) authorization: String,
    pub(crate) body: Bytes,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) replayed: bool,
    pub(crate) body: Bytes,
}

pub(crate) type Answering = Pin<Box<dyn Future<Output = Answered> + Send>>;

/// What shall go wrong with the next request whose path contains a text, or ends with it where it ends in `$`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection ends before anything is done.
    Unheard(&'static str),
    /// It is done, and the connection ends instead of the answer.
    Unanswered(&'static str),
    /// Nothing is done, and the answer is this status.
    Status(&'static str, u16),
}

impl Fault {
    fn concerns(self, path: &str) -> bool {
        let (Self::Unheard(part) | Self::Unanswered(part) | Self::Status(part, _)) = self;
        match part.strip_suffix('$') {
            Some(end) => path.ends_with(end),
            None => path.contains(part),
        }
    }
}

/// A listening peer; gone with this.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    faults: Arc<Mutex<Vec<Fault>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
    listening: JoinHandle<()>,
}

impl Peer {
    pub(crate) async fn start(answer: impl Fn(Asked) -> Answering + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (faults, asked) = (Arc::default(), Arc::default());
        let (their_faults, theirs_asked) = (Arc::clone(&faults), Arc::clone(&asked));
        let answer = Arc::new(answer);
        let listening = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (faults, asked) = (Arc::clone(&their_faults), Arc::clone(&theirs_asked));
                let answer = Arc::clone(&answer);
                let service = service_fn(move |request| {
                    serve(
                        request,
                        Arc::clone(&faults),
                        Arc::clone(&asked),
                        Arc::clone(&answer),
                    )
                });
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(async move {
                    // A lost answer ends it with an error, as meant.
                    let _ = connection.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self {
            address,
            faults,
            asked,
            listening,
        }
    }

    pub(crate) fn url(&self) -> ApiUrl {
        format!("http://{}", self.address).parse().unwrap()
    }

    /// Each fault happens once, to the first request that it concerns.
    pub(crate) fn will(&self, faults: &[Fault]) {
        self.faults.lock().unwrap().extend(faults);
    }

    /// Requests whose path contains a text.
    pub(crate) fn asked(&self, part: &str) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .filter(|asked| asked.path.contains(part))
            .cloned()
            .collect()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("lost on purpose")]
struct Lost;

async fn serve(
    request: Request<Incoming>,
    faults: Arc<Mutex<Vec<Fault>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
    answer: Arc<impl Fn(Asked) -> Answering>,
) -> Result<Response<Full<Bytes>>, Lost> {
    let (head, body) = request.into_parts();
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let request = Asked {
        method: head.method.clone(),
        path: head.uri.to_string(),
        key: header("idempotency-key").map(str::to_owned),
        authorization: header("authorization").unwrap_or_default().to_owned(),
        body: body.collect().await.map_err(|_| Lost)?.to_bytes(),
    };
    asked.lock().unwrap().push(request.clone());
    let fault = {
        let mut faults = faults.lock().unwrap();
        let position = faults.iter().position(|fault| fault.concerns(&request.path));
        position.map(|position| faults.remove(position))
    };
    match fault {
        Some(Fault::Unheard(_)) => return Err(Lost),
        Some(Fault::Status(_, status)) => return Ok(written(status, false, Bytes::from_static(b"{}"))),
        Some(Fault::Unanswered(_)) | None => {}
    }
    let answered = answer(request).await;
    match fault {
        Some(_) => Err(Lost),
        None => Ok(written(answered.status, answered.replayed, answered.body)),
    }
}

fn written(status: u16, replayed: bool, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::builder()
        .status(StatusCode::from_u16(status).unwrap())
        .header("content-type", "application/json");
    if replayed {
        response = response.header("idempotent-replayed", "true");
    }
    response.body(Full::new(body)).unwrap()
}
