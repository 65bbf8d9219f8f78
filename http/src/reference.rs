//! The reference page at `/docs`: one file without any other, so that it works offline.

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::HeaderValue;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// The page.
pub(crate) const PAGE: &str = include_str!("docs.html");

/// What the page may load: its own style and script, told by their digests, and our document.
pub(crate) fn content_security_policy() -> Option<HeaderValue> {
    let style = source(inline("style")?);
    let script = source(inline("script")?);
    let policy = format!(
        "default-src 'none'; style-src {style}; script-src {script}; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).ok()
}

/// What stands between the tags of the only element of this name.
fn inline(element: &str) -> Option<&'static str> {
    let (_, rest) = PAGE.split_once(&format!("<{element}>"))?;
    Some(rest.split_once(&format!("</{element}>"))?.0)
}

fn source(text: &str) -> String {
    let digest = digest(&SHA256, text.as_bytes());
    format!("'sha256-{}'", BASE64_STANDARD.encode(digest.as_ref()))
}
