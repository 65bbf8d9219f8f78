//! Prometheus and its promtool, with which tests run what dashboards and alerts ask.

use anyhow::Result;

use crate::apt;

/// One of the package's programs; the other comes with it.
const PROGRAM: &str = "prometheus";

/// Installs them where they are missing and that is possible.
pub fn ensure() -> Result<()> {
    if apt::directory_in_path(PROGRAM).is_none() {
        apt::install(PROGRAM, "Prometheus")?;
    }
    Ok(())
}
