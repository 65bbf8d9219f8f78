//! S3 as somebody else understands it: moto (`PyPI`), which does not check signatures.

use std::process::{Child, Command, Stdio};

use onsale_persistence::{S3Config, S3Store};

use super::s3::{BUCKET, fetched, url_of};
use super::*;

/// The server, on a port of its own choice, ended with its test.
struct Moto {
    child: Child,
    address: String,
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Prints its port, then serves until its stdin ends.
const PROGRAM: &str = "
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address='127.0.0.1', port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
";

impl Moto {
    fn start() -> Self {
        use std::io::BufRead as _;
        let python =
            std::env::var("ONSALE_TEST_PYTHON").expect("ONSALE_TEST_PYTHON (cargo xtask test sets it)");
        let mut child = Command::new(python)
            .args(["-c", PROGRAM])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python");
        let mut port = String::new();
        std::io::BufReader::new(child.stdout.take().expect("its output"))
            .read_line(&mut port)
            .expect("its port");
        Self {
            child,
            address: format!("http://127.0.0.1:{}", port.trim()),
        }
    }
}

#[tokio::test]
async fn another_program_that_speaks_s3_keeps_files_and_serves_links() {
    let moto = Moto::start();
    let bucket =
        format!("PUT /{BUCKET} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    let mut stream =
        std::net::TcpStream::connect(moto.address.trim_start_matches("http://")).expect("connected");
    std::io::Write::write_all(&mut stream, bucket.as_bytes()).expect("sent");
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).expect("answered");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    let store = S3Store::open(S3Config {
        bucket: BUCKET.to_owned(),
        region: "us-east-1".to_owned(),
        endpoint: Some(moto.address.clone()),
        path_style: true,
        access_key: Some(("id".to_owned(), "secret".to_owned())),
    })
    .await;
    keeps_files(&store).await;
    let object = pdf_of(key());
    let bytes = Bytes::from_static(b"%PDF");
    store
        .put(&object.key, ObjectKind::Pdf, bytes.clone())
        .await
        .expect("stored");
    let (status, head, body) = fetched(&url_of(&store, &object, now()).await).await;
    assert_eq!((status, body), (200, bytes.to_vec()), "{head}");
    assert!(head.contains("content-type: application/pdf"), "{head}");
    assert!(head.contains("filename=\"ticket-7.pdf\""), "{head}");
}
