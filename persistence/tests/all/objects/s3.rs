//! S3 as `s3s-fs` serves it from a directory, in this process. It checks signatures and when they end.

use std::net::SocketAddr;
use std::path::Path;

use hyper_util::rt::{TokioExecutor, TokioIo};
use onsale_persistence::{S3Config, S3Store};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

pub(super) const BUCKET: &str = "tickets";
const ACCESS_KEY: (&str, &str) = ("onsale-test", "a secret that is long enough");

/// A server that ends with its test.
struct Server(tokio::task::AbortHandle);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    (listener, address)
}

fn serve(root: &Path, listener: TcpListener) -> Server {
    std::fs::create_dir_all(root.join(BUCKET)).expect("a bucket");
    let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root).expect("a directory"));
    builder.set_auth(SimpleAuth::from_single(ACCESS_KEY.0, ACCESS_KEY.1));
    let service = builder.build();
    let serving = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                let http = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                // A client that hangs up is none of our business.
                let _ = http.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    Server(serving.abort_handle())
}

async fn store_at(address: SocketAddr, secret: &str) -> S3Store {
    S3Store::open(S3Config {
        bucket: BUCKET.to_owned(),
        region: "eu-central-1".to_owned(),
        endpoint: Some(format!("http://{address}")),
        path_style: true,
        access_key: Some((ACCESS_KEY.0.to_owned(), secret.to_owned())),
    })
    .await
}

/// Follows a link as a browser would: status, headers and body.
pub(super) async fn fetched(url: &str) -> (u16, String, Vec<u8>) {
    let (host, path) = url
        .strip_prefix("http://")
        .expect("http")
        .split_once('/')
        .expect("a path");
    let mut stream = TcpStream::connect(host).await.expect("connected");
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("answered");
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("headers");
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let status = head
        .split(' ')
        .nth(1)
        .expect("a status")
        .parse()
        .expect("a number");
    (status, head, answer[end + 4..].to_vec())
}

pub(super) async fn url_of(store: &S3Store, object: &LinkedObject, now: UnixMillis) -> String {
    let link = store.link(object, now, LINK_LIFETIME_MAX).await.expect("a link");
    match link.target {
        LinkTarget::Url(url) => url,
        LinkTarget::Token(token) => panic!("{token}"),
    }
}

#[tokio::test]
async fn a_bucket_keeps_files() {
    let directory = tempfile::tempdir().expect("a directory");
    let (listener, address) = listen().await;
    let _server = serve(directory.path(), listener);
    let store = store_at(address, ACCESS_KEY.1).await;
    keeps_files(&store).await;
    links_end_soon(&store).await;
}

#[tokio::test]
async fn a_link_leads_to_the_file_while_it_lives_and_not_without_its_signature() {
    let directory = tempfile::tempdir().expect("a directory");
    let (listener, address) = listen().await;
    let _server = serve(directory.path(), listener);
    let store = store_at(address, ACCESS_KEY.1).await;
    let object = pdf_of(key());
    let bytes = Bytes::from_static(b"%PDF-1.7 a ticket");
    store
        .put(&object.key, ObjectKind::Pdf, bytes.clone())
        .await
        .expect("stored");

    let url = url_of(&store, &object, now()).await;
    let (status, head, body) = fetched(&url).await;
    assert_eq!(status, 200, "{head}");
    assert!(head.contains("content-type: application/pdf"), "{head}");
    assert!(
        head.contains("content-disposition: attachment; filename=\"ticket-7.pdf\""),
        "{head}"
    );
    assert_eq!(body, bytes);

    let (bare, query) = url.split_once('?').expect("a query");
    let other = pdf_of(key());
    store
        .put(&other.key, ObjectKind::Pdf, bytes)
        .await
        .expect("stored");
    let swapped = url.replace(&object.key.to_string(), &other.key.to_string());
    let longer = url.replace("X-Amz-Expires=300", "X-Amz-Expires=3000");
    let expired = url_of(&store, &object, now().plus_ms(-301_000)).await;
    let strange = store_at(address, "not the secret").await;
    let forged = url_of(&strange, &object, now()).await;
    assert!(query.contains("X-Amz-Signature") && longer != url && swapped != url);
    for refused in [bare, swapped.as_str(), &longer, &expired, &forged] {
        let (status, head, _) = fetched(refused).await;
        assert_eq!(status, 403, "{refused}: {head}");
    }
}

#[tokio::test]
async fn a_store_that_is_away_or_refuses_is_told_in_time_and_works_when_it_is_back() {
    let directory = tempfile::tempdir().expect("a directory");
    let (listener, address) = listen().await;
    drop(listener);
    let store = store_at(address, ACCESS_KEY.1).await;
    let bytes = Bytes::from_static(b"x");
    let key = key();
    let away = tokio::time::timeout(
        Duration::from_secs(15),
        store.put(&key, ObjectKind::Pdf, bytes.clone()),
    );
    assert!(matches!(away.await, Ok(Err(ObjectError::Unavailable(_)))));

    let listener = TcpListener::bind(address).await.expect("the same port");
    let _server = serve(directory.path(), listener);
    store
        .put(&key, ObjectKind::Pdf, bytes.clone())
        .await
        .expect("back");
    let stranger = store_at(address, "not the secret").await;
    let refused = stranger.put(&key, ObjectKind::Pdf, bytes).await;
    let Err(ObjectError::Unavailable(said)) = refused else {
        panic!("{refused:?}");
    };
    assert!(!said.contains("not the secret"), "{said}");
}
