//! Poppler's programs, with which tests look at PDFs as a viewer does.

use anyhow::Result;

use crate::apt;

/// One of them.
const PROGRAM: &str = "pdftoppm";

/// Installs them where they are missing and that is possible.
pub fn ensure() -> Result<()> {
    if apt::directory_in_path(PROGRAM).is_none() {
        apt::install("poppler-utils", "Poppler")?;
    }
    Ok(())
}
