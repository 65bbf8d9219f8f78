//! A real Prometheus that scrapes one server, with the rules of the repository.

use std::fmt::Write as _;
use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::documented::in_repository;
use crate::support::{free_address, get, until};

/// What to do where a program is missing.
const MEND: &str = "Prometheus is missing: run with `cargo xtask test` or `cargo xtask pg -- …`, which install it as root \
                    on Debian, or install it by hand (on Debian: `apt-get install prometheus`)";

/// Runs promtool; it must be content.
#[track_caller]
pub(crate) fn promtool(arguments: &[&str]) {
    let output = Command::new("promtool")
        .args(arguments)
        .current_dir(in_repository("grafana/prometheus"))
        .stdin(Stdio::null())
        .output()
        .expect(MEND);
    let told = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&told));
}

/// It ends with the test.
pub(crate) struct Prometheus {
    child: Child,
    address: SocketAddr,
}

impl Prometheus {
    /// Starts it with the repository's configuration, but quicker, on this target.
    pub(crate) async fn start(directory: &Path, target: SocketAddr) -> Self {
        let configuration =
            std::fs::read_to_string(in_repository("grafana/prometheus/prometheus.yml")).unwrap();
        let rules = in_repository("grafana/prometheus/rules").canonicalize().unwrap();
        let mut quick = configuration;
        for (from, to) in [
            ("scrape_interval: 5s", "scrape_interval: 1s"),
            ("scrape_timeout: 4s", "scrape_timeout: 1s"),
            ("evaluation_interval: 15s", "evaluation_interval: 1s"),
            ("rules/*.yml", &format!("{}/*.yml", rules.display())),
            ("127.0.0.1:9464", &target.to_string()),
        ] {
            assert!(quick.contains(from), "prometheus.yml has no `{from}`");
            quick = quick.replace(from, to);
        }
        let file = directory.join("prometheus.yml");
        std::fs::write(&file, quick).unwrap();
        let address = free_address();
        let log = File::create(directory.join("prometheus.log")).unwrap();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                directory.join("prometheus").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect(MEND);
        let prometheus = Self { child, address };
        until("Prometheus is ready", Duration::from_secs(20), async || {
            let reply = get("/-/ready").try_send(address).await;
            reply.is_ok_and(|reply| reply.status == 200)
        })
        .await;
        prometheus
    }

    /// The series that an expression gives now, each with its value. Panics where it does not parse.
    pub(crate) async fn query(&self, expression: &str) -> Vec<f64> {
        let mut encoded = String::new();
        for byte in expression.bytes() {
            write!(encoded, "%{byte:02X}").unwrap();
        }
        let reply = get(format!("/api/v1/query?query={encoded}"))
            .send(self.address)
            .await;
        let body: Value = reply.json();
        assert_eq!(body["status"], "success", "{expression}: {body}");
        let value = |sample: &Value| sample["value"][1].as_str().unwrap().parse().unwrap();
        body["data"]["result"]
            .as_array()
            .unwrap()
            .iter()
            .map(value)
            .collect()
    }

    /// Rules that Prometheus could not evaluate.
    pub(crate) async fn unhealthy_rules(&self) -> Vec<String> {
        let body = get("/api/v1/rules").send(self.address).await.json();
        let groups = body["data"]["groups"].as_array().unwrap().clone();
        let rules = groups.iter().flat_map(|group| group["rules"].as_array().unwrap());
        rules
            .filter(|rule| rule["health"] != "ok")
            .map(ToString::to_string)
            .collect()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
