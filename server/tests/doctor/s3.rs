//! A bucket: as the S3 server of `cargo xtask dev` keeps it, which checks signatures, and as moto (`PyPI`) does, which
//! knows which buckets there are.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::patient::{Patient, Report};
use crate::support::{free_address, until};

/// It ends with the test.
struct Bucket {
    child: Child,
    address: SocketAddr,
}

impl Bucket {
    async fn open(directory: &Path) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_onsale")).with_file_name("examples/s3_server");
        assert!(
            program.is_file(),
            "not built: run the tests of the whole workspace"
        );
        let address = free_address();
        let child = Command::new(program)
            .arg(directory)
            .args(["tickets", &address.to_string()])
            .env("AWS_ACCESS_KEY_ID", "doctor")
            .env("AWS_SECRET_ACCESS_KEY", "a secret of the tests")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let bucket = Self { child, address };
        until("S3 answers", Duration::from_secs(10), async || {
            TcpStream::connect(address).is_ok()
        })
        .await;
        bucket
    }

    fn examined(&self, name: &str, secret: &str) -> Report {
        examined(self.address, name, secret)
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn examined(address: SocketAddr, name: &str, secret: &str) -> Report {
    Patient::without_database()
        .with("ONSALE_S3_BUCKET", name)
        .with("ONSALE_S3_ENDPOINT", &format!("http://{address}"))
        .with("ONSALE_S3_PATH_STYLE", "true")
        .with("ONSALE_S3_ACCESS_KEY_ID", "doctor")
        .with("ONSALE_S3_SECRET_ACCESS_KEY", secret)
        .examined()
}

#[tokio::test]
async fn a_bucket_takes_gives_and_forgets_or_the_reason_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let bucket = Bucket::open(directory.path()).await;
    bucket
        .examined("tickets", "a secret of the tests")
        .passes("files");
    let forged = bucket.examined("tickets", "another secret");
    forged.fails("files", "SignatureDoesNotMatch", "ONSALE_S3_SECRET_ACCESS_KEY");
    let nobody = examined(free_address(), "tickets", "a secret of the tests");
    nobody.fails("files", "bucket tickets", "ONSALE_S3_ENDPOINT");
}

/// Prints its port, then serves until its stdin ends.
const MOTO: &str = "
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address='127.0.0.1', port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
";

#[test]
fn a_bucket_that_is_not_there_is_told() {
    let python = std::env::var("ONSALE_TEST_PYTHON").expect("ONSALE_TEST_PYTHON (cargo xtask test sets it)");
    let mut moto = Command::new(python)
        .args(["-c", MOTO])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut port = String::new();
    BufReader::new(moto.stdout.take().unwrap())
        .read_line(&mut port)
        .unwrap();
    let address = format!("127.0.0.1:{}", port.trim()).parse().unwrap();
    let report = examined(address, "nothing", "a secret of the tests");
    // It ends with its input.
    drop(moto.stdin.take());
    moto.wait().unwrap();
    report.fails("files", "bucket nothing", "Make the bucket");
}
