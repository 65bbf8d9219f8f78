//! Prometheus as `grafana/prometheus` configures it, scraping the one server.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use super::place::Place;
use super::server::answers;
use crate::process::Daemon;
use crate::{private, prometheus};

const PORT: u16 = 9090;
const CONFIGURATION: &str = "grafana/prometheus/prometheus.yml";
/// What the configuration says of where things are, when it stands alone.
const TARGET: &str = "127.0.0.1:9464";
const RULES: &str = "rules/*.yml";

/// It stops when it is dropped.
pub(super) struct Prometheus {
    _daemon: Daemon,
    port: u16,
}

impl Prometheus {
    /// Starts it, after installing it where that is possible. `target` is the server's internal address.
    pub(super) fn start(root: &Path, place: &Place, target: &str) -> Result<Self> {
        prometheus::ensure()?;
        let directory = place.directory("prometheus")?;
        let file = directory.join("prometheus.yml");
        fs::write(&file, configuration(root, target)?).context("cannot write its configuration")?;
        let log = place.path("prometheus/log");
        let command = |port: u16| {
            let output = place.log("prometheus/log")?;
            let mut command = Command::new("prometheus");
            command
                .arg(format!("--config.file={}", file.display()))
                .arg(format!(
                    "--storage.tsdb.path={}",
                    directory.join("data").display()
                ))
                .arg(format!("--web.listen-address=127.0.0.1:{port}"))
                .arg("--log.level=warn")
                .stdout(output.try_clone()?)
                .stderr(output);
            Ok(command)
        };
        let is_ready = |port: u16| answers(&format!("127.0.0.1:{port}"), "/-/ready");
        let (daemon, port) =
            private::start_on_free_port("Prometheus", &log, &[Signal::TERM], Some(PORT), command, is_ready)?;
        Ok(Self {
            _daemon: daemon,
            port,
        })
    }

    /// Where people look.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// The repository's configuration, with whole paths and the server's address.
fn configuration(root: &Path, target: &str) -> Result<String> {
    let text = fs::read_to_string(root.join(CONFIGURATION))
        .with_context(|| format!("cannot read {CONFIGURATION}"))?;
    let rules = root.join("grafana/prometheus").join(RULES);
    for part in [TARGET, RULES] {
        ensure!(text.contains(part), "{CONFIGURATION} has no `{part}`");
    }
    Ok(text
        .replace(RULES, &rules.display().to_string())
        .replace(TARGET, target))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;

    #[test]
    fn the_repositorys_configuration_is_used_from_anywhere() {
        let root = workspace::root().unwrap();
        let text = configuration(&root, "127.0.0.1:1234").unwrap();
        assert!(text.contains("[\"127.0.0.1:1234\"]"), "{text}");
        assert!(
            text.contains(&format!("- {}/grafana/prometheus/rules/*.yml", root.display())),
            "{text}"
        );
    }
}
