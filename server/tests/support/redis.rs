//! A Redis of a test's own, that can be frozen and killed without harm to other tests.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::{free_address, signal, until};

/// A Redis that ends with the test.
pub struct PrivateRedis {
    child: Option<Child>,
    address: SocketAddr,
}

impl PrivateRedis {
    /// Starts one and waits until it answers.
    pub async fn start() -> Self {
        let mut redis = Self::prepare();
        redis.restart().await;
        redis
    }

    /// Chooses where it will be and does not start it.
    pub fn prepare() -> Self {
        Self {
            child: None,
            address: free_address(),
        }
    }

    /// Starts it, empty, where clients know it, and waits until it answers.
    pub async fn restart(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &self.address.port().to_string()])
            .args(["--save", "", "--appendonly", "no", "--dir", "/tmp"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.child = Some(child.expect("redis-server: run with `cargo xtask pg -- …`"));
        until("Redis answers", Duration::from_secs(10), async || {
            self.answers().is_some()
        })
        .await;
    }

    /// Where clients find it.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// SIGSTOP: connections stay open and nothing answers.
    pub fn freeze(&self) {
        signal("STOP", self.child.as_ref().expect("it runs").id());
    }

    /// SIGCONT.
    pub fn thaw(&self) {
        signal("CONT", self.child.as_ref().expect("it runs").id());
    }

    /// From now on it reads, and takes no writes, as one that is full.
    pub fn fill(&self) {
        self.command("CONFIG SET maxmemory 1");
    }

    /// Runs a command that must be answered with `OK`.
    #[track_caller]
    pub fn command(&self, command: &str) {
        let mut stream = TcpStream::connect(self.address).expect("Redis");
        stream
            .write_all(format!("{command}\r\n").as_bytes())
            .expect("a command");
        let mut answer = [0; 3];
        stream.read_exact(&mut answer).expect("an answer");
        assert_eq!(&answer, b"+OK", "{command}");
    }

    /// kill -9, which also ends a frozen one.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn answers(&self) -> Option<()> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
        stream.write_all(b"PING\r\n").ok()?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).ok()?;
        (&answer == b"+PONG").then_some(())
    }
}

impl Drop for PrivateRedis {
    fn drop(&mut self) {
        self.kill();
    }
}
