//! A real SMTP server for tests, aiosmtpd, which keeps what it receives in a mailbox.

#![allow(dead_code, unreachable_pub, reason = "each binary uses a part")]

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

const READER: &str = include_str!("read.py");
const SINK: &str = include_str!("sink.py");

/// The server; it ends with this.
pub struct MailSink {
    pub port: u16,
    /// Where the mailbox is.
    directory: PathBuf,
    arguments: Vec<String>,
    child: Option<Child>,
}

impl MailSink {
    /// A server on a free port, with further arguments of its command line; it does not run yet.
    pub fn prepare(directory: PathBuf, arguments: &[&str]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        Self {
            port: listener.local_addr().expect("its address").port(),
            directory,
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            child: None,
        }
    }

    /// Starts it and waits until it answers.
    pub fn start(&mut self) {
        std::fs::write(self.directory.join("sink.py"), SINK).expect("the directory is writable");
        let child = Command::new(python())
            .env("PYTHONPATH", &self.directory)
            .args(["-m", "aiosmtpd", "--nosetuid", "--listen"])
            .arg(format!("127.0.0.1:{}", self.port))
            .args(&self.arguments)
            .args(["--class", "sink.Sink"])
            .arg(self.directory.join("mailbox"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("aiosmtpd");
        self.child = Some(child);
        for _ in 0..400 {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("aiosmtpd does not answer");
    }

    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it runs");
            child.wait().expect("it ended");
        }
    }

    /// What it has received, as another program reads it.
    pub fn messages(&self) -> Vec<Received> {
        let mailbox = self.directory.join("mailbox");
        let output = Command::new(python())
            .args(["-c", READER])
            .arg(mailbox)
            .stdin(Stdio::null())
            .output()
            .expect("a reader");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let messages: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
        messages.into_iter().map(Received).collect()
    }
}

impl Drop for MailSink {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A message as it arrived.
#[derive(Debug)]
pub struct Received(pub Value);

impl Received {
    /// The values of all headers of a name.
    pub fn headers(&self, name: &str) -> Vec<&str> {
        let headers = self.0["headers"].as_array().expect("headers").iter();
        headers
            .filter(|header| {
                header[0]
                    .as_str()
                    .is_some_and(|found| found.eq_ignore_ascii_case(name))
            })
            .filter_map(|header| header[1].as_str())
            .collect()
    }

    /// Media type, file name and content of each part that is none of parts.
    pub fn parts(&self) -> Vec<(String, Option<String>, Vec<u8>)> {
        use base64::Engine as _;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let parts = self.0["parts"].as_array().expect("parts").iter();
        parts
            .map(|part| {
                let content = text(&part["content"]).expect("content");
                let content = base64::engine::general_purpose::STANDARD
                    .decode(content)
                    .expect("base64");
                (
                    text(&part["type"]).expect("a type"),
                    text(&part["file_name"]),
                    content,
                )
            })
            .collect()
    }
}

fn python() -> String {
    std::env::var("ONSALE_TEST_PYTHON")
        .expect("these tests need ONSALE_TEST_PYTHON, a Python with aiosmtpd: run `cargo xtask test`")
}
